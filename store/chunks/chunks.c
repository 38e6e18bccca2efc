#include "store/chunks/chunks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/chunks/announced.h"
#include "store/chunks/pins.h"
#include "store/util/bytes.h"
#include "store/util/log.h"

struct chunks {
	struct kv *kv;
	uint64_t seed;
	struct pins *pins;
	struct announced announced;
};

int chunks_open(struct kv *kv, uint64_t seed, struct chunks **out)
{
	struct chunks *chunks = calloc(1, sizeof *chunks);

	if (!chunks)
		return -ENOMEM;
	chunks->kv = kv;
	chunks->seed = seed;
	chunks->pins = pins_new();
	if (!chunks->pins) {
		free(chunks);
		return -ENOMEM;
	}
	announced_init(&chunks->announced);
	*out = chunks;
	return 0;
}

void chunks_close(struct chunks *chunks)
{
	if (!chunks)
		return;
	pins_free(chunks->pins);
	announced_release(&chunks->announced);
	free(chunks);
}

uint64_t chunks_seed(const struct chunks *chunks)
{
	return chunks->seed;
}

int chunks_get(struct chunks *chunks, const struct chunk_id *id, struct chunk_record *record)
{
	uint8_t value[CHUNK_RECORD_MAX];
	size_t len;
	int rc;

	if (announced_find(&chunks->announced, id, record))
		return 0;
	rc = kv_get(chunks->kv, KV_CHUNKS, id->b, sizeof id->b, value, sizeof value, &len);
	if (rc)
		return rc == -ENOBUFS ? -EBADMSG : rc;
	return chunk_record_decode(record, value, len);
}

void chunks_put(struct chunks *chunks, struct kv_batch *batch, const struct chunk_id *id,
	const struct chunk_record *record)
{
	uint8_t value[CHUNK_RECORD_MAX];
	size_t len = chunk_record_encode(record, value);

	kv_batch_put(chunks->kv, batch, KV_CHUNKS, id->b, sizeof id->b, value, len);
}

void chunks_delete(struct chunks *chunks, struct kv_batch *batch, const struct chunk_id *id)
{
	kv_batch_delete(chunks->kv, batch, KV_CHUNKS, id->b, sizeof id->b);
}

void chunks_pin(struct chunks *chunks, const struct chunk_id *id)
{
	pins_add(chunks->pins, id);
}

void chunks_unpin(struct chunks *chunks, const struct chunk_id *id)
{
	pins_drop(chunks->pins, id);
}

int chunks_gc_begin(struct chunks *chunks)
{
	return pins_begin(chunks->pins);
}

bool chunks_gc_pinned(struct chunks *chunks, const struct chunk_id *id)
{
	return pins_pinned(chunks->pins, id);
}

bool chunks_gc_claim(struct chunks *chunks, const struct chunk_id *id)
{
	return pins_claim(chunks->pins, id);
}

void chunks_gc_settle(struct chunks *chunks)
{
	pins_settle(chunks->pins);
}

void chunks_gc_end(struct chunks *chunks)
{
	pins_end(chunks->pins);
}

/* The record under the iterator. -EBADMSG. */
static int record_here(const struct kv_iter *it, struct chunk_id *id, struct chunk_record *record)
{
	size_t key_len, value_len;
	const void *key = kv_iter_key(it, &key_len), *value = kv_iter_value(it, &value_len);

	if (key_len != sizeof *id)
		return -EBADMSG;
	memcpy(id, key, sizeof *id);
	return chunk_record_decode(record, value, value_len);
}

static void log_damage(const struct kv_iter *it)
{
	size_t len;
	const uint8_t *key = kv_iter_key(it, &len);

	log_error("chunk index: the record of chunk %016llx... is damaged",
		len >= 8 ? (unsigned long long)get_be64(key) : 0);
}

int chunks_each(struct chunks *chunks,
	int (*each)(void *ctx, const struct chunk_id *id, const struct chunk_record *record), void *ctx)
{
	struct kv_iter *it = kv_iter_new(chunks->kv, KV_CHUNKS, NULL, 0);
	bool damaged = false;
	int rc = 0;

	if (!it)
		return -ENOMEM;
	for (; !rc && kv_iter_valid(it); kv_iter_next(it)) {
		struct chunk_record record;
		struct chunk_id id;
		if (record_here(it, &id, &record)) {
			log_damage(it);
			damaged = true;
			continue;
		}
		rc = each(ctx, &id, &record);
	}
	if (!rc)
		rc = kv_iter_error(it);
	if (!rc && damaged)
		rc = -EBADMSG;
	kv_iter_free(it);
	return rc;
}

int chunks_announce(struct chunks *chunks, const struct chunk_id *id, const struct chunk_record *record)
{
	return announced_add(&chunks->announced, id, record);
}

void chunks_retract(struct chunks *chunks, const struct chunk_id *id)
{
	announced_remove(&chunks->announced, id);
}

bool chunks_announced(struct chunks *chunks, const struct chunk_id *id, struct chunk_record *record)
{
	return announced_find(&chunks->announced, id, record);
}
