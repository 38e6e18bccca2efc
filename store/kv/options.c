/* How RocksDB is tuned: bounded memory, a WAL that can be trusted, little noise. */
#include "store/kv/internal.h"

#define MIB ((size_t)1 << 20)

static const struct family {
	const char *name;
	int compression;
	size_t block;
} families[FAMILY_TOTAL] = {
	[KV_META] = {"meta", rocksdb_lz4_compression, 4096},
	[KV_INODES] = {"inodes", rocksdb_lz4_compression, 4096},
	[KV_ENTRIES] = {"entries", rocksdb_lz4_compression, 4096},
	[KV_XATTRS] = {"xattrs", rocksdb_lz4_compression, 4096},
	[KV_ORPHANS] = {"orphans", rocksdb_lz4_compression, 4096},
	[KV_INLINE] = {"inline", rocksdb_zstd_compression, 32768},
	[KV_STAGED] = {"staged", rocksdb_lz4_compression, 4096},
	[KV_RECIPES] = {"recipes", rocksdb_zstd_compression, 16384},
	[KV_TENSORS] = {"tensors", rocksdb_lz4_compression, 4096},
	[KV_DEAD] = {"dead", rocksdb_lz4_compression, 4096},
	[KV_CHUNKS] = {"chunks", rocksdb_lz4_compression, 4096},
	[FAMILY_DEFAULT] = {"default", rocksdb_lz4_compression, 4096},
};

const char *kv_family_name(size_t family)
{
	return families[family].name;
}

static void set_database(rocksdb_options_t *o, const struct kv_options *options)
{
	size_t buffer = options->write_buffer ? options->write_buffer : 64 * MIB;

	rocksdb_options_set_create_if_missing(o, options->create);
	rocksdb_options_set_create_missing_column_families(o, 1);
	rocksdb_options_set_paranoid_checks(o, 1);

	rocksdb_options_set_wal_recovery_mode(o, rocksdb_point_in_time_recovery);
	rocksdb_options_set_recycle_log_file_num(o, 0);
	rocksdb_options_set_wal_bytes_per_sync(o, 0);
	rocksdb_options_set_max_total_wal_size(o, 2 * buffer);

	rocksdb_options_set_db_write_buffer_size(o, buffer);
	rocksdb_options_set_max_open_files(o, 256);
	rocksdb_options_set_max_file_opening_threads(o, 2);
	rocksdb_options_set_max_background_jobs(o, 2);
	rocksdb_options_set_bytes_per_sync(o, MIB);
	rocksdb_options_set_manifest_preallocation_size(o, 65536);
	rocksdb_options_set_max_manifest_file_size(o, 4 * MIB);

	rocksdb_options_set_info_log_level(o, 2);
	rocksdb_options_set_keep_log_file_num(o, 2);
	rocksdb_options_set_max_log_file_size(o, MIB);
	rocksdb_options_set_stats_dump_period_sec(o, 0);
	rocksdb_options_set_stats_persist_period_sec(o, 0);
	/* A read-only opener must not touch the store, and this is the one way to have no log. */
	if (options->read_only)
		rocksdb_options_set_db_log_dir(o, "/dev/null/none");
}

static void set_table(rocksdb_options_t *o, rocksdb_cache_t *cache, const struct family *family)
{
	rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();

	rocksdb_block_based_options_set_block_cache(table, cache);
	rocksdb_block_based_options_set_block_size(table, family->block);
	rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
	rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(table, 1);
	rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1);
	rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_bloom_full(10));
	rocksdb_block_based_options_set_format_version(table, 5);
	rocksdb_block_based_options_set_checksum(table, 4); /* XXH3 */
	rocksdb_options_set_block_based_table_factory(o, table);
	rocksdb_block_based_options_destroy(table);
}

static void set_family(rocksdb_options_t *o, const struct kv_options *options, const struct family *family)
{
	size_t buffer = options->write_buffer ? options->write_buffer : 64 * MIB;

	rocksdb_options_set_write_buffer_size(o, buffer / 4);
	rocksdb_options_set_max_write_buffer_number(o, 3);
	rocksdb_options_set_target_file_size_base(o, 16 * MIB);
	rocksdb_options_set_max_bytes_for_level_base(o, 64 * MIB);
	rocksdb_options_set_level_compaction_dynamic_level_bytes(o, 1);
	rocksdb_options_set_compression(o, family->compression);
}

void kv_options_fill(struct kv *kv, const struct kv_options *options)
{
	kv->cache = rocksdb_cache_create_lru(options->block_cache ? options->block_cache : 64 * MIB);
	for (size_t i = 0; i < FAMILY_TOTAL; i++) {
		kv->options[i] = rocksdb_options_create();
		set_database(kv->options[i], options);
		set_table(kv->options[i], kv->cache, &families[i]);
		set_family(kv->options[i], options, &families[i]);
	}
	kv->read = rocksdb_readoptions_create();
	kv->write = rocksdb_writeoptions_create();
	kv->write_durable = rocksdb_writeoptions_create();
	rocksdb_writeoptions_set_sync(kv->write_durable, 1);
}

void kv_options_release(struct kv *kv)
{
	for (size_t i = 0; i < FAMILY_TOTAL; i++) {
		if (kv->options[i])
			rocksdb_options_destroy(kv->options[i]);
	}
	if (kv->cache)
		rocksdb_cache_destroy(kv->cache);
	if (kv->read)
		rocksdb_readoptions_destroy(kv->read);
	if (kv->write)
		rocksdb_writeoptions_destroy(kv->write);
	if (kv->write_durable)
		rocksdb_writeoptions_destroy(kv->write_durable);
}
