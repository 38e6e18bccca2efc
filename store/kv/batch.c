#include <stdlib.h>

#include "store/kv/internal.h"

struct kv_batch {
	rocksdb_writebatch_t *rocks;
	bool frees, trades;
};

struct kv_batch *kv_batch_new(void)
{
	struct kv_batch *batch = calloc(1, sizeof *batch);

	if (batch)
		batch->rocks = rocksdb_writebatch_create();
	return batch;
}

void kv_batch_free(struct kv_batch *batch)
{
	if (!batch)
		return;
	rocksdb_writebatch_destroy(batch->rocks);
	free(batch);
}

void kv_batch_clear(struct kv_batch *batch)
{
	rocksdb_writebatch_clear(batch->rocks);
	batch->frees = batch->trades = false;
}

size_t kv_batch_count(const struct kv_batch *batch)
{
	return (size_t)rocksdb_writebatch_count(batch->rocks);
}

size_t kv_batch_bytes(const struct kv_batch *batch)
{
	size_t bytes;

	rocksdb_writebatch_data(batch->rocks, &bytes);
	return bytes;
}

void kv_batch_frees(struct kv_batch *batch)
{
	batch->frees = true;
}

bool kv_batch_is_freeing(const struct kv_batch *batch)
{
	return batch->frees;
}

void kv_batch_trades(struct kv_batch *batch)
{
	batch->trades = true;
}

bool kv_batch_is_trading(const struct kv_batch *batch)
{
	return batch->trades;
}

void kv_batch_put(struct kv *kv, struct kv_batch *batch, enum kv_family family, const void *key,
	size_t key_len, const void *value, size_t value_len)
{
	unsigned slot = gate_enter(&kv->gate);

	if (kv->db)
		rocksdb_writebatch_put_cf(
			batch->rocks, kv->families[family], key, key_len, value ? value : "", value_len);
	gate_leave(&kv->gate, slot);
}

void kv_batch_delete(
	struct kv *kv, struct kv_batch *batch, enum kv_family family, const void *key, size_t key_len)
{
	unsigned slot = gate_enter(&kv->gate);

	if (kv->db)
		rocksdb_writebatch_delete_cf(batch->rocks, kv->families[family], key, key_len);
	gate_leave(&kv->gate, slot);
}

void kv_batch_delete_range(struct kv *kv, struct kv_batch *batch, enum kv_family family, const void *from,
	size_t from_len, const void *to, size_t to_len)
{
	unsigned slot = gate_enter(&kv->gate);

	if (kv->db)
		rocksdb_writebatch_delete_range_cf(
			batch->rocks, kv->families[family], from, from_len, to, to_len);
	gate_leave(&kv->gate, slot);
}

char *kv_batch_apply(struct kv *kv, struct kv_batch *batch, bool durable)
{
	char *error = NULL;

	rocksdb_write(kv->db, durable ? kv->write_durable : kv->write, batch->rocks, &error);
	return error;
}
