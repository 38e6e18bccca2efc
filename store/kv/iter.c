#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/kv/internal.h"

struct kv_iter {
	struct kv *kv;
	unsigned slot; /* in the gate, for as long as the iterator lives */
	rocksdb_iterator_t *rocks;
	rocksdb_readoptions_t *read; /* points into bounds */
	char bounds[];		     /* the prefix, then the first key past it */
};

static _Thread_local unsigned held;

bool kv_iter_is_held(void)
{
	return held > 0;
}

/* Makes `bound`, a copy of the prefix, the smallest string above all that begin with it. Its length; 0: there
 * is none. */
static size_t bound_above(char *bound, size_t len)
{
	while (len) {
		unsigned char last = (unsigned char)bound[len - 1];
		if (last != 0xff) {
			bound[len - 1] = (char)(last + 1);
			return len;
		}
		len--;
	}
	return 0;
}

struct kv_iter *kv_iter_new(struct kv *kv, enum kv_family family, const void *prefix, size_t prefix_len)
{
	struct kv_iter *it = malloc(sizeof *it + 2 * prefix_len);
	size_t above;

	if (!it)
		return NULL;
	it->kv = kv;
	it->slot = gate_enter(&kv->gate);
	if (!kv->db) {
		gate_leave(&kv->gate, it->slot);
		free(it);
		return NULL;
	}
	it->read = rocksdb_readoptions_create();
	if (prefix_len) {
		memcpy(it->bounds, prefix, prefix_len);
		memcpy(it->bounds + prefix_len, prefix, prefix_len);
		rocksdb_readoptions_set_iterate_lower_bound(it->read, it->bounds, prefix_len);
		above = bound_above(it->bounds + prefix_len, prefix_len);
		if (above)
			rocksdb_readoptions_set_iterate_upper_bound(it->read, it->bounds + prefix_len, above);
	}
	it->rocks = rocksdb_create_iterator_cf(kv->db, it->read, kv->families[family]);
	rocksdb_iter_seek_to_first(it->rocks);
	held++;
	return it;
}

void kv_iter_free(struct kv_iter *it)
{
	if (!it)
		return;
	rocksdb_iter_destroy(it->rocks);
	rocksdb_readoptions_destroy(it->read);
	gate_leave(&it->kv->gate, it->slot);
	held -= held > 0;
	free(it);
}

void kv_iter_seek(struct kv_iter *it, const void *key, size_t key_len)
{
	rocksdb_iter_seek(it->rocks, key, key_len);
}

void kv_iter_seek_for_prev(struct kv_iter *it, const void *key, size_t key_len)
{
	rocksdb_iter_seek_for_prev(it->rocks, key, key_len);
}

bool kv_iter_valid(const struct kv_iter *it)
{
	return rocksdb_iter_valid(it->rocks);
}

void kv_iter_next(struct kv_iter *it)
{
	rocksdb_iter_next(it->rocks);
}

const void *kv_iter_key(const struct kv_iter *it, size_t *len)
{
	return rocksdb_iter_key(it->rocks, len);
}

const void *kv_iter_value(const struct kv_iter *it, size_t *len)
{
	return rocksdb_iter_value(it->rocks, len);
}

int kv_iter_error(const struct kv_iter *it)
{
	char *error = NULL;

	rocksdb_iter_get_error(it->rocks, &error);
	return kv_error_log(error, "walking the index") ? -EIO : 0;
}
