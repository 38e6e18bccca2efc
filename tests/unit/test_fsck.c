// links: m_store
/* Each kind of thing is broken once; fsck says so, and repairs what loses nothing. */
#include "tests/unit/upkeep_world.h"

#include <dirent.h>

#include "store/util/bytes.h"

#define ELEMENTS 200000u

struct findings {
	unsigned lines, repaired;
	char all[16384];
};

static void note(void *ctx, const char *line)
{
	struct findings *findings = ctx;
	size_t len = strlen(findings->all);

	findings->lines++;
	findings->repaired += !strncmp(line, "repaired: ", 10);
	snprintf(findings->all + len, sizeof findings->all - len, "%s\n", line);
}

static int64_t check(struct world *w, bool data, bool repair, struct findings *findings)
{
	struct fsck_options options = {.data = data, .repair = repair, .report = note, .ctx = findings};

	*findings = (struct findings){0};
	return fsck_run(&w->store->parts, &options);
}

static void expect_clean(struct world *w)
{
	struct findings findings;

	if (check(w, true, false, &findings))
		fail_msg("not clean: %s", findings.all);
	assert_int_equal(findings.lines, 0);
}

static void expect_found(struct world *w, const char *what)
{
	struct findings findings;

	assert_true(check(w, false, false, &findings) > 0);
	if (!strstr(findings.all, what))
		fail_msg("\"%s\" is not in: %s", what, findings.all);
}

static void expect_repaired(struct world *w, const char *what)
{
	struct findings findings;

	expect_found(w, what);
	if (check(w, false, true, &findings))
		fail_msg("not repaired: %s", findings.all);
	assert_true(findings.repaired > 0);
	expect_clean(w);
}

static void put(struct world *w, enum kv_family family, const void *key, size_t key_len, const void *value,
	size_t len)
{
	struct kv_batch *batch = kv_batch_new();

	kv_batch_put(w->store->parts.kv, batch, family, key, key_len, value, len);
	assert_int_equal(kv_write(w->store->parts.kv, batch, true), 0);
	kv_batch_free(batch);
}

static void drop(struct world *w, enum kv_family family, const void *key, size_t key_len)
{
	struct kv_batch *batch = kv_batch_new();

	kv_batch_delete(w->store->parts.kv, batch, family, key, key_len);
	assert_int_equal(kv_write(w->store->parts.kv, batch, true), 0);
	kv_batch_free(batch);
}

static void put_inode(struct world *w, const struct inode *inode)
{
	uint8_t key[8], value[NAMES_RECORD_MAX];

	put_be64(key, inode->ino);
	put(w, KV_INODES, key, 8, value, inode_encode(inode, value));
}

static struct inode inode_of(struct world *w, const char *name)
{
	struct inode inode;

	assert_int_equal(names_lookup(w->store->parts.names, NAMES_ROOT, name, &inode), 0);
	return inode;
}

static void drop_inode_key(struct world *w, enum kv_family family, uint64_t ino)
{
	uint8_t key[8];

	put_be64(key, ino);
	drop(w, family, key, 8);
}

/* Two checkpoints (the second a difference to the first), small files, a directory, links, xattrs, a file
 * without a name; no background threads. */
static int setup(void **state)
{
	struct world *w = world_new();
	struct names *names = w->store->parts.names;
	struct inode made;
	size_t len;
	uint8_t *bytes;

	bytes = checkpoint(1, 2, ELEMENTS, &len);
	world_put(w, "checkpoint-1", bytes, len);
	world_drain(w);
	free(bytes);
	bytes = checkpoint(2, 2, ELEMENTS, &len);
	world_put(w, "checkpoint-2", bytes, len);
	free(bytes);
	world_put(w, "small", "hello", 5);
	assert_int_equal(
		names_make(names, NAMES_ROOT, "dir", S_IFDIR | 0755, 0, &owner, CONTENT_NONE, 0, &made), 0);
	world_put_in(w, made.ino, "inside", "more", 4);
	assert_int_equal(names_symlink(names, made.ino, "link", "inside", &owner, &made), 0);
	assert_int_equal(names_link(names, inode_of(w, "small").ino, NAMES_ROOT, "hard", &made), 0);
	assert_int_equal(names_setxattr(names, made.ino, "user.a", "b", 1, 0), 0);
	world_drain(w);
	world_open(w, false);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

static void a_sound_store_is_clean(void **state)
{
	expect_clean(*state);
}

/* --- names --- */

static void entry_of_a_missing_inode(void **state)
{
	struct inode inode = inode_of(*state, "small");

	drop_inode_key(*state, KV_INODES, inode.ino);
	expect_found(*state, "entry \"small\" of directory 1: inode");
}

static void wrong_link_count(void **state)
{
	struct inode inode = inode_of(*state, "small");

	inode.nlink = 7;
	put_inode(*state, &inode);
	expect_repaired(*state, "link count 7 is not 2");
	assert_int_equal(inode_of(*state, "small").nlink, 2);
}

static void wrong_directory_counts(void **state)
{
	struct inode inode = inode_of(*state, "dir");

	inode.nlink = 5;
	inode.size = 77;
	put_inode(*state, &inode);
	expect_repaired(*state, "link count 5 is not 2");
	assert_int_equal(inode_of(*state, "dir").nlink, 2);
	assert_int_equal(inode_of(*state, "dir").size, 2);
}

static void directory_with_another_parent(void **state)
{
	struct inode inode = inode_of(*state, "dir");

	inode.parent = inode.ino;
	put_inode(*state, &inode);
	expect_found(*state, "says that it is in");
	expect_found(*state, "does not lead to the root");
}

static void inode_without_a_name(void **state)
{
	struct inode inode = inode_of(*state, "small");

	inode.ino = 999999;
	inode.content = CONTENT_NONE;
	put_inode(*state, &inode);
	expect_found(*state, "inode 999999 (5 bytes) has no name");
}

static void damaged_inode(void **state)
{
	uint8_t key[8];

	put_be64(key, inode_of(*state, "small").ino);
	put(*state, KV_INODES, key, 8, "nonsense", 8);
	expect_found(*state, "a damaged record");
}

static void damaged_entry(void **state)
{
	uint8_t key[18] = {0};

	put_be64(key, NAMES_ROOT);
	put_be64(key + 8, 12345);
	key[16] = 'x';
	key[17] = 'y';
	put(*state, KV_ENTRIES, key, 18, "short", 5);
	expect_found(*state, "directory 1: a damaged entry");
}

static void entry_that_nobody_finds(void **state)
{
	uint8_t key[17], value[9];

	put_be64(key, NAMES_ROOT);
	put_be64(key + 8, 12345); /* not the hash of the name */
	key[16] = 'x';
	put_le64(value, inode_of(*state, "small").ino);
	value[8] = S_IFREG >> 12;
	put(*state, KV_ENTRIES, key, 17, value, 9);
	expect_found(*state, "entry \"x\" of directory 1 cannot be looked up");
}

static void xattrs_nobody_knows_of(void **state)
{
	struct inode inode = inode_of(*state, "small");

	assert_true(inode.flags & INODE_XATTRS);
	inode.flags = 0;
	put_inode(*state, &inode);
	expect_repaired(*state, "does not know of its extended attributes");
}

static void cache_that_is_not_listed(void **state)
{
	struct inode inode = inode_of(*state, "dir");

	inode.flags |= INODE_CACHE;
	inode.cache = inode.ino;
	put_inode(*state, &inode);
	expect_repaired(*state, "is not on the list of caches");
}

static void xattrs_of_nobody(void **state)
{
	uint8_t key[14];

	put_be64(key, 999999);
	memcpy(key + 8, "user.a", 6);
	put(*state, KV_XATTRS, key, 14, "b", 1);
	expect_found(*state, "extended attributes of inode 999999");
}

static void symbolic_link_without_a_target(void **state)
{
	struct world *w = *state;
	struct inode link;

	assert_int_equal(names_lookup(w->store->parts.names, inode_of(w, "dir").ino, "link", &link), 0);
	drop_inode_key(w, KV_XATTRS, link.ino);
	expect_found(w, "has no target");
}

static void orphan_with_a_name(void **state)
{
	uint8_t key[8];

	put_be64(key, inode_of(*state, "small").ino);
	put(*state, KV_ORPHANS, key, 8, "", 0);
	expect_found(*state, "on the list of those to drop and has a name");
}

/* --- content --- */

static void missing_inline_content(void **state)
{
	drop_inode_key(*state, KV_INLINE, inode_of(*state, "small").ino);
	expect_found(*state, "its small content is missing");
}

static void short_inline_content(void **state)
{
	uint8_t key[8];

	put_be64(key, inode_of(*state, "small").ino);
	put(*state, KV_INLINE, key, 8, "hell", 4);
	expect_found(*state, "size 5, its small content has 4 bytes");
}

static void inline_content_of_nobody(void **state)
{
	uint8_t key[8];

	put_be64(key, 999999);
	put(*state, KV_INLINE, key, 8, "hello", 5);
	expect_repaired(*state, "small content of inode 999999");
}

static void staged_copy_of_nobody(void **state)
{
	struct world *w = *state;
	char path[256];
	FILE *file;

	snprintf(path, sizeof path, "%s/staging/%016llx", w->dir, 999999ull);
	file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	expect_repaired(w, "belongs to no file");
	assert_int_equal(access(path, F_OK), -1);
}

static void missing_staged_copy(void **state)
{
	struct inode inode = inode_of(*state, "small");
	uint8_t key[8];

	inode.content = CONTENT_STAGED;
	put_inode(*state, &inode);
	expect_found(*state, "is missing; restore");
	expect_found(*state, "is staged and not in the queue");
	put_be64(key, 999999);
	put(*state, KV_STAGED, key, 8, "12345678", 8);
	expect_found(*state, "the queue names inode 999999");
}

static void small_file_in_the_queue(void **state)
{
	uint8_t key[8];

	put_be64(key, inode_of(*state, "small").ino);
	put(*state, KV_STAGED, key, 8, "12345678", 8);
	expect_clean(*state);
}

static void missing_recipe(void **state)
{
	struct inode inode = inode_of(*state, "checkpoint-2");

	inode.recipe = 999999;
	put_inode(*state, &inode);
	expect_found(*state, "its recipe 999999 is missing");
	expect_found(*state, "belongs to no file; --repair gives it to the next gc");
}

static void recipe_of_two(void **state)
{
	struct inode inode = inode_of(*state, "checkpoint-2");

	inode.recipe = inode_of(*state, "checkpoint-1").recipe;
	put_inode(*state, &inode);
	expect_found(*state, "have the same recipe");
}

static void recipe_of_another_size(void **state)
{
	struct inode inode = inode_of(*state, "checkpoint-2");

	inode.size++;
	put_inode(*state, &inode);
	expect_found(*state, "its recipe says");
}

static void dead_recipe_in_use(void **state)
{
	uint8_t key[8];

	put_be64(key, inode_of(*state, "checkpoint-2").recipe);
	put(*state, KV_DEAD, key, 8, "", 0);
	expect_found(*state, "is marked dead");
}

static void recipe_of_nobody(void **state)
{
	struct world *w = *state;
	struct inode inode = inode_of(w, "checkpoint-2");
	struct gc_result result;

	drop_inode_key(w, KV_INODES, inode.ino);
	inode.content = CONTENT_NONE;
	inode.recipe = 0;
	put_inode(w, &inode);
	expect_repaired(w, "belongs to no file; --repair gives it to the next gc");
	assert_int_equal(gc_run(&w->store->parts, 0, NULL, NULL, &result), 0);
	assert_int_equal(result.recipes_purged, 1);
}

static void missing_recipe_page(void **state)
{
	uint8_t key[17] = {0};

	put_be64(key, inode_of(*state, "checkpoint-2").recipe);
	key[8] = 'X';
	drop(*state, KV_RECIPES, key, 17);
	expect_found(*state, "restore the file from a copy");
}

static void damaged_recipe_page_stops_collection(void **state)
{
	struct world *w = *state;
	struct gc_result result;
	uint8_t key[17] = {0};

	put_be64(key, inode_of(w, "checkpoint-2").recipe);
	key[8] = 'X';
	put(w, KV_RECIPES, key, 17, "nonsense", 8);
	expect_found(w, "restore the file from a copy");
	assert_int_equal(gc_run(&w->store->parts, 0, NULL, NULL, &result), -EBADMSG);
	assert_int_equal(result.chunks_removed, 0);
}

/* --- chunks and packs --- */

static int first_alone(void *ctx, const struct chunk_id *id, const struct chunk_record *record)
{
	if (record->bases.count || record->raw_len < 65536)
		return 0;
	*(struct chunk_id *)ctx = *id;
	return 1;
}

static struct chunk_id some_base(struct world *w)
{
	struct chunk_id id;

	assert_int_equal(chunks_each(w->store->parts.chunks, first_alone, &id), 1);
	return id;
}

static void missing_chunk_record(void **state)
{
	struct world *w = *state;
	struct chunk_id id = some_base(w);
	uint64_t ino = inode_of(w, "checkpoint-1").ino, offset;
	struct findings findings;
	size_t len;
	uint8_t *bytes = checkpoint(1, 2, ELEMENTS, &len), *read = malloc(len);

	drop(w, KV_CHUNKS, &id, sizeof id);
	assert_int_equal(world_read(w, ino, read, len), -EBADMSG);
	assert_true(check(w, false, false, &findings) > 0);
	assert_non_null(strstr(findings.all, "/checkpoint-1: 1 damaged places, the first at offset "));
	assert_non_null(strstr(findings.all, "/checkpoint-2: 1 damaged places, the first at offset "));
	offset = strtoull(strstr(findings.all, "at offset ") + 10, NULL, 10);
	assert_true(offset > 8 && offset < len);
	expect_repaired(w, "--repair looks for it in the packs");
	world_open(w, false);
	world_expect(w, "checkpoint-1", bytes, len);
	free(bytes);
	free(read);
}

static void damaged_chunk_record(void **state)
{
	struct chunk_id id = some_base(*state);

	put(*state, KV_CHUNKS, &id, sizeof id, "nonsense", 8);
	expect_repaired(*state, "no sound frame where the index says");
}

static void chunk_record_of_another_place(void **state)
{
	struct world *w = *state;
	struct chunk_id id = some_base(w);
	struct chunk_record record;
	uint8_t value[CHUNK_RECORD_MAX];

	assert_int_equal(chunks_get(w->store->parts.chunks, &id, &record), 0);
	record.place.offset += 8;
	put(w, KV_CHUNKS, &id, sizeof id, value, chunk_record_encode(&record, value));
	expect_repaired(w, "no sound frame where the index says");
}

static int first_based(void *ctx, const struct chunk_id *id, const struct chunk_record *record)
{
	if (!record->bases.count)
		return 0;
	*(struct chunk_id *)ctx = *id;
	return 1;
}

static void chain_that_bites_its_tail(void **state)
{
	struct world *w = *state;
	struct chunk_record record, base;
	uint8_t value[CHUNK_RECORD_MAX];
	struct chunk_id id;
	struct gc_result result;

	assert_int_equal(chunks_each(w->store->parts.chunks, first_based, &id), 1);
	assert_int_equal(chunks_get(w->store->parts.chunks, &id, &record), 0);
	assert_int_equal(chunks_get(w->store->parts.chunks, &record.bases.id[0], &base), 0);
	base.bases = chunk_bases_of(&id);
	base.depth = base.frames = 3;
	put(w, KV_CHUNKS, &record.bases.id[0], sizeof id, value, chunk_record_encode(&base, value));
	assert_int_equal(gc_run(&w->store->parts, 0, NULL, NULL, &result), 0);
	expect_repaired(w, "no sound frame where the index says");
}

static void frame_of_other_bytes(void **state)
{
	struct world *w = *state;
	struct fsck_options scrub = {.report = note};
	struct findings findings = {0};
	struct frame frame = {.raw_len = 5, .payload_len = 5, .codec_version = 1};
	struct chunk_record record = {
		.raw_len = 5, .chain_bytes = 5, .codec_version = 1, .depth = 1, .frames = 1};
	uint8_t value[CHUNK_RECORD_MAX];

	frame.id = chunk_id_of(chunks_seed(w->store->parts.chunks), 0, "hello", 5);
	assert_int_equal(packs_append(w->store->parts.packs, &frame, "hallo", &record.place), 0);
	put(w, KV_CHUNKS, &frame.id, sizeof frame.id, value, chunk_record_encode(&record, value));
	scrub.ctx = &findings;
	assert_int_equal(scrub_run(&w->store->parts, &scrub), 1);
	assert_true(check(w, true, false, &findings) > 0);
	assert_int_equal(check(w, false, false, &findings), 0);
}

static void lost_chunk_index(void **state)
{
	struct world *w = *state;
	struct kv_iter *it = kv_iter_new(w->store->parts.kv, KV_CHUNKS, NULL, 0);
	struct gc_result result;
	uint8_t *bytes;
	size_t len;

	for (; kv_iter_valid(it); kv_iter_next(it))
		drop(w, KV_CHUNKS, kv_iter_key(it, &len), 16);
	kv_iter_free(it);
	expect_repaired(w, "not in the index");
	world_open(w, false);
	for (unsigned step = 1; step <= 2; step++) {
		char name[32];

		snprintf(name, sizeof name, "checkpoint-%u", step);
		bytes = checkpoint(step, 2, ELEMENTS, &len);
		world_expect(w, name, bytes, len);
		free(bytes);
	}
	assert_int_equal(gc_run(&w->store->parts, 0, NULL, NULL, &result), 0);
	assert_int_equal(result.chunks_removed, 0);
	expect_clean(w);
}

static void pack_path(struct world *w, char path[512])
{
	char dir[256];
	struct dirent *entry;
	DIR *d;

	snprintf(dir, sizeof dir, "%s/packs", w->dir);
	d = opendir(dir);
	assert_non_null(d);
	path[0] = 0;
	while ((entry = readdir(d))) {
		if (strstr(entry->d_name, ".pack"))
			snprintf(path, 512, "%s/%s", dir, entry->d_name);
	}
	closedir(d);
	assert_true(path[0]);
}

static void flip(const char *path, uint64_t offset)
{
	int fd = open(path, O_RDWR);
	uint8_t byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, (off_t)offset), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)offset), 1);
	close(fd);
}

static void flipped_payload(void **state)
{
	struct world *w = *state;
	struct fsck_options scrub = {.report = note};
	struct chunk_id id = some_base(w);
	struct chunk_record record;
	struct findings findings = {0};
	struct gc_result result;
	uint8_t *read = malloc(4 << 20);
	char path[512];

	assert_int_equal(chunks_get(w->store->parts.chunks, &id, &record), 0);
	pack_path(w, path);
	flip(path,
		record.place.offset + frame_header_size(record.place.bases) + record.place.payload_len / 2);
	world_open(w, false);
	assert_int_equal(check(w, false, false, &findings), 0); /* headers are sound */
	assert_true(check(w, true, false, &findings) > 0);
	assert_non_null(strstr(findings.all, "/checkpoint-1: 1 damaged place"));
	scrub.ctx = &findings;
	findings = (struct findings){0};
	/* The chunk and the one that stands on it. */
	assert_int_equal(scrub_run(&w->store->parts, &scrub), 2);
	assert_non_null(strstr(findings.all, "/checkpoint-1: 1 damaged place"));
	assert_non_null(strstr(findings.all, "/checkpoint-2: 1 damaged place"));
	assert_int_equal(world_read(w, inode_of(w, "checkpoint-1").ino, read, 4 << 20), -EBADMSG);
	/* A collection does not throw away what may still be saved by hand. */
	assert_int_equal(gc_run(&w->store->parts, 1, NULL, NULL, &result), 0);
	assert_int_equal(access(path, F_OK), 0);
	free(read);
}

static void flipped_header(void **state)
{
	struct world *w = *state;
	struct chunk_id id = some_base(w);
	struct chunk_record record;
	struct gc_result result;
	struct inode gone;
	char path[512];

	assert_int_equal(chunks_get(w->store->parts.chunks, &id, &record), 0);
	pack_path(w, path);
	flip(path, record.place.offset + 20);
	world_open(w, false);
	expect_found(w, "no sound frame where the index says");
	/* Half of the pack is dead, and still it stays. */
	assert_int_equal(names_unlink(w->store->parts.names, NAMES_ROOT, "checkpoint-2", &gone), 0);
	assert_int_equal(content_drop(w->store->parts.stage, gone.ino), 0);
	assert_int_equal(gc_run(&w->store->parts, 0, NULL, NULL, &result), 0);
	assert_true(result.chunks_removed > 0);
	assert_int_equal(access(path, F_OK), 0);
	flip(path, record.place.offset + 20);
	world_open(w, false);
	expect_clean(w);
	assert_int_equal(gc_run(&w->store->parts, 0, NULL, NULL, &result), 0);
	assert_int_equal(access(path, F_OK), -1);
}

static void missing_pack(void **state)
{
	struct world *w = *state;
	struct findings findings;
	char path[512];

	pack_path(w, path);
	assert_int_equal(unlink(path), 0);
	world_open(w, false);
	expect_found(w, "is missing and");
	assert_true(check(w, false, true, &findings) > 0);
	assert_non_null(strstr(findings.all, "nor anywhere in the packs"));
}

/* --- wherever a bit flips --- */

static void wherever_a_bit_flips(void **state)
{
	struct world *w = *state;
	uint64_t seed = 20240607;
	size_t len[2];
	uint8_t *bytes[2], *read = malloc(4 << 20);
	uint64_t ino[2] = {inode_of(w, "checkpoint-1").ino, inode_of(w, "checkpoint-2").ino};
	unsigned wrong = 0, refused = 0;
	char path[512];
	struct stat st;

	for (unsigned i = 0; i < 2; i++)
		bytes[i] = checkpoint(i + 1, 2, ELEMENTS, &len[i]);
	pack_path(w, path);
	assert_int_equal(stat(path, &st), 0);
	for (unsigned round = 0; round < 60; round++) {
		uint64_t at = world_random(&seed) % (uint64_t)st.st_size;

		/* Headers are few and all of them matter. */
		if (round % 4 == 0)
			at = world_random(&seed) % (PACK_HEADER_SIZE + FRAME_HEADER_MIN);
		flip(path, at);
		world_open(w, false);
		for (unsigned i = 0; i < 2; i++) {
			ssize_t n = world_read(w, ino[i], read, 4 << 20);

			assert_true(n == (ssize_t)len[i] || n == -EBADMSG || n == -EIO);
			refused += n < 0;
			wrong += n >= 0 && memcmp(read, bytes[i], len[i]);
		}
		flip(path, at);
	}
	assert_int_equal(wrong, 0);
	assert_true(refused > 30);
	world_open(w, false);
	expect_clean(w);
	free(bytes[0]);
	free(bytes[1]);
	free(read);
}

static void a_flipped_superblock_is_refused(void **state)
{
	struct world *w = *state;
	struct store_options options = {.no_background = true};
	uint64_t seed = 4711;
	char path[512];

	world_shut(w);
	snprintf(path, sizeof path, "%s/superblock", w->dir);
	for (unsigned round = 0; round < 32; round++) {
		uint64_t at = world_random(&seed) % SUPERBLOCK_SIZE;
		struct store_error error;
		struct store *store = NULL;

		flip(path, at);
		assert_true(store_open(w->dir, &options, &store, &error) < 0);
		assert_true(error.text[0]);
		flip(path, at);
	}
	world_open(w, false);
	expect_clean(w);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_sound_store_is_clean),
		test(entry_of_a_missing_inode),
		test(wrong_link_count),
		test(wrong_directory_counts),
		test(directory_with_another_parent),
		test(inode_without_a_name),
		test(damaged_inode),
		test(damaged_entry),
		test(entry_that_nobody_finds),
		test(xattrs_nobody_knows_of),
		test(cache_that_is_not_listed),
		test(xattrs_of_nobody),
		test(symbolic_link_without_a_target),
		test(orphan_with_a_name),
		test(missing_inline_content),
		test(short_inline_content),
		test(inline_content_of_nobody),
		test(staged_copy_of_nobody),
		test(missing_staged_copy),
		test(small_file_in_the_queue),
		test(missing_recipe),
		test(recipe_of_two),
		test(recipe_of_another_size),
		test(dead_recipe_in_use),
		test(recipe_of_nobody),
		test(missing_recipe_page),
		test(damaged_recipe_page_stops_collection),
		test(missing_chunk_record),
		test(damaged_chunk_record),
		test(chunk_record_of_another_place),
		test(chain_that_bites_its_tail),
		test(frame_of_other_bytes),
		test(lost_chunk_index),
		test(flipped_payload),
		test(flipped_header),
		test(missing_pack),
		test(wherever_a_bit_flips),
		test(a_flipped_superblock_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
