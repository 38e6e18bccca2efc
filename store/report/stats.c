#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/report/report.h"
#include "store/util/bytes.h"

#define DU_DEPTH 8 /* a store is three levels deep */

struct totals {
	struct store *store;
	uint64_t logical;
	uint64_t chunks, raw, raw_on_base;
	uint64_t referred; /* bytes of files that are chunks */
};

/* Bytes on disk below an open directory, which is closed. What goes away meanwhile does not count. */
static uint64_t disk_usage(int fd, unsigned depth)
{
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	uint64_t bytes = 0;
	struct stat st;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	if (!fstat(dirfd(dir), &st))
		bytes = (uint64_t)st.st_blocks * 512;
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
			fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		if (S_ISDIR(st.st_mode) && depth)
			bytes += disk_usage(openat(dirfd(dir), entry->d_name,
						    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
				depth - 1);
		else
			bytes += (uint64_t)st.st_blocks * 512;
	}
	closedir(dir);
	return bytes;
}

static int open_below(const char *path, const char *name)
{
	char full[4096];

	if ((size_t)snprintf(full, sizeof full, "%s/%s", path, name) >= sizeof full)
		return -1;
	return open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static uint64_t live_size(const struct totals *totals, const struct inode *inode)
{
	struct inode live = *inode;

	content_fill(totals->store->parts.stage, &live);
	return live.size;
}

static int add_files(struct totals *totals)
{
	struct kv_iter *it = kv_iter_new(totals->store->parts.kv, KV_INODES, NULL, 0);

	if (!it)
		return -ENOMEM;
	for (; kv_iter_valid(it); kv_iter_next(it)) {
		size_t key_len, len;
		const void *key = kv_iter_key(it, &key_len), *value = kv_iter_value(it, &len);
		struct inode inode;

		if (key_len == 8 && !inode_decode(&inode, get_be64(key), value, len) && S_ISREG(inode.mode) &&
			inode.nlink)
			totals->logical += live_size(totals, &inode);
	}
	kv_iter_free(it);
	return 0;
}

static int add_chunk(void *ctx, const struct chunk_id *id, const struct chunk_record *record)
{
	struct totals *totals = ctx;

	(void)id;
	totals->chunks++;
	totals->raw += record->raw_len;
	if (record->bases.count)
		totals->raw_on_base += record->raw_len;
	return 0;
}

static int add_extent(void *ctx, uint64_t recipe, const struct extent *extent)
{
	struct totals *totals = ctx;

	(void)recipe;
	if (!chunk_id_is_zero(&extent->chunk))
		totals->referred += extent->len;
	return 0;
}

static double share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

static uint64_t less(uint64_t whole, uint64_t part)
{
	return whole > part ? whole - part : 0;
}

static double encode_rate(const struct store *store)
{
	struct encoder_counts counts;

	if (!store->parts.encoder)
		return 0;
	encoder_counts(store->parts.encoder, &counts);
	return counts.busy_ns ? (double)counts.raw_bytes / (1 << 20) / ((double)counts.busy_ns / 1e9) : 0;
}

static uint64_t count_keys(struct kv *kv, enum kv_family family)
{
	struct kv_iter *it = kv_iter_new(kv, family, NULL, 0);
	uint64_t count = 0;

	for (; it && kv_iter_valid(it); kv_iter_next(it))
		count++;
	if (it)
		kv_iter_free(it);
	return count;
}

static void staged(const struct store *store, struct stage_counts *counts)
{
	if (!store->read_only) {
		stage_counts(store->parts.stage, counts);
		return;
	}
	stage_counts(store->parts.stage, counts);
	counts->staged_bytes = disk_usage(open_below(store->path, "staging"), 0);
	counts->kept_bytes = disk_usage(open_below(store->path, "kept"), 0);
	counts->staged_files = counts->queued_files = count_keys(store->parts.kv, KV_STAGED);
}

static void uuid_text(const uint8_t uuid[16], char text[37])
{
	char *at = text;

	for (int i = 0; i < 16; i++)
		at += sprintf(at, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
}

/* jansson takes only UTF-8, and a path may be anything. */
static json_t *path_value(const char *path)
{
	json_t *value = json_string(path);

	return value ? value : json_string("(a path that is not UTF-8)");
}

static json_t *stats_object(struct store *store, const struct totals *totals)
{
	uint64_t stored = disk_usage(open_below(store->path, "."), DU_DEPTH), files, directories, others;
	uint64_t reserve = kv_reserve_bytes(store->parts.kv);
	uint64_t kv = disk_usage(open_below(store->path, "kv"), DU_DEPTH);
	uint64_t shared = totals->referred > totals->raw ? totals->referred - totals->raw : 0;
	struct decoder_counts decoded;
	struct stage_counts stage;
	char uuid[37];

	names_count(store->parts.names, &files, &directories, &others);
	decoder_counts(store->parts.decoder, &decoded);
	staged(store, &stage);
	uuid_text(store->sb.uuid, uuid);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, "
			 "s:f, s:I, s:I, "
			 "s:s, s:s, s:o, s:b}",
		"logical_bytes", (json_int_t)totals->logical, "stored_bytes", (json_int_t)stored,
		"staged_bytes", (json_int_t)stage.staged_bytes, "staged_files",
		(json_int_t)stage.staged_files, "kept_bytes", (json_int_t)stage.kept_bytes, "kept_files",
		(json_int_t)stage.kept_files, "queued_files", (json_int_t)stage.queued_files, "pack_bytes",
		(json_int_t)packs_bytes(store->parts.packs), "kv_bytes", (json_int_t)less(kv, reserve),
		"reserve_bytes", (json_int_t)reserve, "files", (json_int_t)files, "directories",
		(json_int_t)directories, "chunks", (json_int_t)totals->chunks, "ratio",
		share(totals->logical, less(stored, reserve)), "dedup_share", share(shared, totals->referred),
		"delta_share", share(totals->raw_on_base, totals->raw), "encode_mib_s_per_core",
		encode_rate(store), "decoded_bytes", (json_int_t)decoded.raw_bytes, "pack_bytes_read",
		(json_int_t)packs_bytes_read(store->parts.packs), "uuid", uuid, "version", MITHRIL_VERSION,
		"path", path_value(store->path), "read_only", store->read_only);
}

json_t *report_stats(struct store *store)
{
	struct totals totals = {.store = store};

	if (add_files(&totals))
		return NULL;
	/* Damage does not hide the rest; fsck tells of it. */
	if (chunks_each(store->parts.chunks, add_chunk, &totals) == -ENOMEM ||
		recipes_each_extent(store->parts.recipes, add_extent, &totals) == -ENOMEM)
		return NULL;
	return stats_object(store, &totals);
}
