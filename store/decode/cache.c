#include "store/decode/cache.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "store/decode/buffers.h"

#define SHARDS_MAX 16u
#define SHARD_BYTES_MIN (8u << 20)
#define BUCKETS 1024u
#define COLD_SHARE 4u

struct list {
	struct chunk_data *newest, *oldest;
};

struct shard {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* some entry is no longer loading */
	size_t used, capacity;
	size_t cold_used, cold_capacity;
	struct list warm, cold; /* without references */
	struct chunk_data *buckets[BUCKETS];
};

struct cache {
	struct buffers *buffers;
	unsigned count; /* a power of two */
	struct shard shards[];
};

struct cache *cache_new(size_t bytes)
{
	unsigned count = 1;
	struct cache *cache;

	while (count < SHARDS_MAX && bytes / (2 * count) >= SHARD_BYTES_MIN)
		count *= 2;
	cache = calloc(1, sizeof *cache + count * sizeof(struct shard));
	if (!cache)
		return NULL;
	cache->buffers = buffers_new();
	if (!cache->buffers) {
		free(cache);
		return NULL;
	}
	cache->count = count;
	for (unsigned i = 0; i < count; i++) {
		pthread_mutex_init(&cache->shards[i].lock, NULL);
		pthread_cond_init(&cache->shards[i].changed, NULL);
		cache->shards[i].capacity = bytes / count;
		cache->shards[i].cold_capacity = bytes / count / COLD_SHARE;
	}
	return cache;
}

static void data_free(struct cache *cache, struct chunk_data *data)
{
	buffers_put(cache->buffers, data->bytes, data->len);
	free(data);
}

static void list_free(struct cache *cache, struct list *list)
{
	while (list->newest) {
		struct chunk_data *data = list->newest;
		list->newest = data->older;
		data_free(cache, data);
	}
}

void cache_free(struct cache *cache)
{
	if (!cache)
		return;
	for (unsigned i = 0; i < cache->count; i++) {
		struct shard *shard = cache->shards + i;
		list_free(cache, &shard->warm);
		list_free(cache, &shard->cold);
		pthread_cond_destroy(&shard->changed);
		pthread_mutex_destroy(&shard->lock);
	}
	buffers_free(cache->buffers);
	free(cache);
}

static struct shard *shard_of(struct cache *cache, const struct chunk_id *id)
{
	return cache->shards + (id->b[0] & (cache->count - 1));
}

static struct chunk_data **bucket_of(struct shard *shard, const struct chunk_id *id)
{
	return shard->buckets + ((id->b[1] | (size_t)id->b[2] << 8) & (BUCKETS - 1));
}

static struct chunk_data *find(struct shard *shard, const struct chunk_id *id)
{
	struct chunk_data *data = *bucket_of(shard, id);

	while (data && !chunk_id_equal(&data->id, id))
		data = data->next;
	return data;
}

static void list_remove(struct shard *shard, struct chunk_data *data)
{
	struct list *list = data->cold ? &shard->cold : &shard->warm;

	*(data->newer ? &data->newer->older : &list->newest) = data->older;
	*(data->older ? &data->older->newer : &list->oldest) = data->newer;
	data->newer = data->older = NULL;
	shard->cold_used -= data->cold ? data->charge : 0;
}

static void list_add(struct shard *shard, struct chunk_data *data)
{
	struct list *list = data->cold ? &shard->cold : &shard->warm;

	data->older = list->newest;
	*(data->older ? &data->older->newer : &list->oldest) = data;
	list->newest = data;
	shard->cold_used += data->cold ? data->charge : 0;
}

static void forget(struct shard *shard, struct chunk_data *data)
{
	struct chunk_data **link = bucket_of(shard, &data->id);

	while (*link != data)
		link = &(*link)->next;
	*link = data->next;
	data->next = NULL;
	data->kept = false;
	shard->used -= data->charge;
	data->charge = 0;
}

static bool is_over(const struct shard *shard, size_t bytes)
{
	return shard->cold_used > shard->cold_capacity || shard->used + bytes > shard->capacity;
}

/* Forgets the oldest entries, cold ones first, until `bytes` more fit, as far as that can be done. The list
 * of them, to be freed. */
static struct chunk_data *evict(struct shard *shard, size_t bytes)
{
	struct chunk_data *victims = NULL, *data;

	while (is_over(shard, bytes) &&
		(data = shard->cold.oldest ? shard->cold.oldest : shard->warm.oldest)) {
		list_remove(shard, data);
		forget(shard, data);
		data->next = victims;
		victims = data;
	}
	return victims;
}

static void free_list(struct cache *cache, struct chunk_data *list)
{
	while (list) {
		struct chunk_data *next = list->next;
		data_free(cache, list);
		list = next;
	}
}

struct chunk_data *cache_private(const struct chunk_id *id)
{
	struct chunk_data *data = calloc(1, sizeof *data);

	if (!data)
		return NULL;
	data->id = *id;
	data->refs = 1;
	data->state = CHUNK_LOADING;
	return data;
}

static void hold(struct shard *shard, struct chunk_data *data)
{
	if (!data->refs++ && data->kept) {
		list_remove(shard, data);
		data->cold = false;
	}
}

/* Waits until it is no longer loading. 0, or its error: the reference is then gone. */
static int await(struct cache *cache, struct shard *shard, struct chunk_data *data)
{
	int rc;

	while (data->state == CHUNK_LOADING)
		pthread_cond_wait(&shard->changed, &shard->lock);
	if (data->state == CHUNK_READY)
		return 0;
	rc = data->error;
	if (!--data->refs)
		data_free(cache, data);
	return rc;
}

/* What is there, with the shard locked. CACHE_OWNED: nothing. */
static int look(struct cache *cache, struct shard *shard, const struct chunk_id *id, bool wait,
	struct chunk_data **out)
{
	struct chunk_data *data = find(shard, id);
	int rc;

	if (!data)
		return CACHE_OWNED;
	if (data->state == CHUNK_LOADING && !wait)
		return CACHE_BUSY;
	hold(shard, data);
	rc = await(cache, shard, data);
	if (rc)
		return rc;
	*out = data;
	return CACHE_READY;
}

int cache_acquire(struct cache *cache, const struct chunk_id *id, bool wait, struct chunk_data **out)
{
	struct shard *shard = shard_of(cache, id);
	struct chunk_data *fresh;
	int rc;

	pthread_mutex_lock(&shard->lock);
	rc = look(cache, shard, id, wait, out);
	pthread_mutex_unlock(&shard->lock);
	if (rc != CACHE_OWNED)
		return rc;
	fresh = cache_private(id);
	if (!fresh)
		return -ENOMEM;
	pthread_mutex_lock(&shard->lock);
	rc = look(cache, shard, id, wait, out);
	if (rc == CACHE_OWNED) {
		struct chunk_data **bucket = bucket_of(shard, id);
		fresh->next = *bucket;
		fresh->kept = true;
		*bucket = fresh;
		*out = fresh;
		fresh = NULL;
	}
	pthread_mutex_unlock(&shard->lock);
	free(fresh);
	return rc;
}

int cache_allocate(struct cache *cache, struct chunk_data *data, size_t len)
{
	buffers_put(cache->buffers, data->bytes, data->len);
	data->len = len;
	data->bytes = buffers_get(cache->buffers, len);
	return data->bytes ? 0 : -ENOMEM;
}

void cache_publish(struct cache *cache, struct chunk_data *data)
{
	struct shard *shard = shard_of(cache, &data->id);
	struct chunk_data *victims = NULL;
	size_t charge = data->len + sizeof *data;

	pthread_mutex_lock(&shard->lock);
	data->state = CHUNK_READY;
	if (data->kept) {
		victims = evict(shard, charge);
		if (shard->used + charge <= shard->capacity) {
			data->charge = charge;
			shard->used += charge;
		} else {
			forget(shard, data);
		}
		pthread_cond_broadcast(&shard->changed);
	}
	pthread_mutex_unlock(&shard->lock);
	free_list(cache, victims);
}

void cache_fail(struct cache *cache, struct chunk_data *data, int error)
{
	struct shard *shard = shard_of(cache, &data->id);
	bool last;

	pthread_mutex_lock(&shard->lock);
	data->state = CHUNK_FAILED;
	data->error = error;
	if (data->kept)
		forget(shard, data);
	pthread_cond_broadcast(&shard->changed);
	last = !--data->refs;
	pthread_mutex_unlock(&shard->lock);
	if (last)
		data_free(cache, data);
}

void cache_release(struct cache *cache, struct chunk_data *data, bool cold)
{
	struct shard *shard = shard_of(cache, &data->id);
	struct chunk_data *victims = NULL;

	pthread_mutex_lock(&shard->lock);
	data->cold |= cold;
	if (!--data->refs) {
		if (data->kept) {
			list_add(shard, data);
			victims = evict(shard, 0);
		} else {
			victims = data;
		}
	}
	pthread_mutex_unlock(&shard->lock);
	free_list(cache, victims);
}

bool cache_has(struct cache *cache, const struct chunk_id *id)
{
	struct shard *shard = shard_of(cache, id);
	bool has;

	pthread_mutex_lock(&shard->lock);
	has = find(shard, id);
	pthread_mutex_unlock(&shard->lock);
	return has;
}
