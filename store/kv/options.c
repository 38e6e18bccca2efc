/* How RocksDB is tuned: bounded memory, a WAL that can be trusted, little noise. */
#include "store/kv/internal.h"

#define MIB ((size_t)1 << 20)
#define NEVER (256 * MIB) /* of memtable: it is not written out in the full mode */

static const struct family {
	const char *name;
	int compression;
	size_t block;
} families[FAMILY_TOTAL] = {
	[KV_META] = {"meta", rocksdb_lz4_compression, 4096},
	[KV_INODES] = {"inodes", rocksdb_zstd_compression, 4096},
	[KV_ENTRIES] = {"entries", rocksdb_lz4_compression, 4096},
	[KV_XATTRS] = {"xattrs", rocksdb_lz4_compression, 4096},
	[KV_ORPHANS] = {"orphans", rocksdb_lz4_compression, 4096},
	[KV_INLINE] = {"inline", rocksdb_zstd_compression, 32768},
	[KV_STAGED] = {"staged", rocksdb_lz4_compression, 4096},
	[KV_RECIPES] = {"recipes", rocksdb_zstd_compression, 16384},
	[KV_TENSORS] = {"tensors", rocksdb_zstd_compression, 16384},
	[KV_DEAD] = {"dead", rocksdb_lz4_compression, 4096},
	[KV_CHUNKS] = {"chunks", rocksdb_lz4_compression, 4096},
	[FAMILY_DEFAULT] = {"default", rocksdb_lz4_compression, 4096},
};

const char *kv_family_name(size_t family)
{
	return families[family].name;
}

size_t kv_options_buffer(const struct kv_options *asked)
{
	return asked->write_buffer;
}

/* RocksDB's own log goes where a full disk does not reach it, see open.c. */
static void set_log(rocksdb_options_t *o, const char *log_dir)
{
	if (log_dir)
		rocksdb_options_set_db_log_dir(o, log_dir);
	rocksdb_options_set_info_log_level(o, 3); /* errors */
	rocksdb_options_set_stats_dump_period_sec(o, 0);
	rocksdb_options_set_stats_persist_period_sec(o, 0);
}

static void set_wal(rocksdb_options_t *o)
{
	rocksdb_options_set_wal_recovery_mode(o, rocksdb_point_in_time_recovery);
	rocksdb_options_set_recycle_log_file_num(o, 0);
	rocksdb_options_set_wal_bytes_per_sync(o, 0);
}

static void set_database(rocksdb_options_t *o, const struct kv_options *asked, enum kv_mode mode)
{
	size_t buffer = kv_options_buffer(asked);

	rocksdb_options_set_create_if_missing(o, asked->create);
	rocksdb_options_set_create_missing_column_families(o, 1);
	rocksdb_options_set_paranoid_checks(o, 1);
	set_wal(o);
	rocksdb_options_set_max_open_files(o, 256);
	rocksdb_options_set_max_file_opening_threads(o, 2);
	rocksdb_options_set_max_background_jobs(o, 2);
	rocksdb_options_set_bytes_per_sync(o, MIB);
	rocksdb_options_set_manifest_preallocation_size(o, 65536);
	rocksdb_options_set_max_manifest_file_size(o, 4 * MIB);
	rocksdb_options_set_db_write_buffer_size(o, mode == MODE_FULL ? NEVER : buffer);
	rocksdb_options_set_max_total_wal_size(o, mode == MODE_FULL ? 4 * NEVER : 2 * buffer);
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

static void set_family(
	rocksdb_options_t *o, const struct kv_options *asked, enum kv_mode mode, int compression)
{
	size_t buffer = kv_options_buffer(asked);

	rocksdb_options_set_write_buffer_size(o, mode == MODE_FULL ? NEVER : buffer / 4);
	rocksdb_options_set_disable_auto_compactions(o, mode == MODE_FULL);
	rocksdb_options_set_max_write_buffer_number(o, 3);
	rocksdb_options_set_target_file_size_base(o, 16 * MIB);
	rocksdb_options_set_max_bytes_for_level_base(o, 64 * MIB);
	rocksdb_options_set_level_compaction_dynamic_level_bytes(o, 1);
	rocksdb_options_set_compression(o, compression);
}

/* What the C API has no function for. Preallocated WALs would count as stored bytes. */
static void set_by_name(rocksdb_options_t *o, rocksdb_options_t *base, enum kv_mode mode)
{
	const char *text = mode == MODE_FULL ? "allow_fallocate=false;avoid_flush_during_recovery=true"
					     : "allow_fallocate=false";
	char *error = NULL;

	rocksdb_get_options_from_string(base, text, o, &error);
	kv_error_log(error, "setting options");
}

void kv_options_make(
	struct kv *kv, enum kv_mode mode, const char *log_dir, rocksdb_options_t *options[FAMILY_TOTAL])
{
	for (size_t i = 0; i < FAMILY_TOTAL; i++) {
		rocksdb_options_t *base = rocksdb_options_create();
		set_database(base, &kv->asked, mode);
		set_log(base, log_dir);
		set_table(base, kv->cache, &families[i]);
		set_family(base, &kv->asked, mode, families[i].compression);
		options[i] = rocksdb_options_create();
		set_by_name(options[i], base, mode);
		rocksdb_options_destroy(base);
	}
}

void kv_options_free(rocksdb_options_t *options[FAMILY_TOTAL])
{
	for (size_t i = 0; i < FAMILY_TOTAL; i++)
		rocksdb_options_destroy(options[i]);
}
