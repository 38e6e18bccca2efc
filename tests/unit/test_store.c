// links: m_store
/* The store as a whole, without a mount: content written, encoded, read, written again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/codec/cdc.h"
#include "store/codec/codec.h"
#include "store/store.h"
#include "tests/unit/scratch_store.h"

#define MIB (1u << 20)

struct fixture {
	char dir[SCRATCH_PATH];
	struct store *store;
};

static const struct names_owner owner = {.umask = 022};

static void open_again(struct fixture *f, unsigned threads)
{
	struct store_options options = {.quiet_ms = 1, .threads = threads};

	scratch_store_open(f->dir, &options, &f->store);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	scratch_store_make(f->dir);
	open_again(f, 2);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	scratch_remove(f->dir);
	free(f);
	return 0;
}

static struct stage *stage_of(struct fixture *f)
{
	return f->store->parts.stage;
}

static uint64_t put_file(struct fixture *f, const char *name, const void *bytes, size_t len)
{
	struct content *content;
	struct inode inode;

	assert_int_equal(content_create(stage_of(f), NAMES_ROOT, name, S_IFREG | 0644, &owner, O_WRONLY,
				 &content, &inode),
		0);
	assert_int_equal(content_write(content, bytes, len, 0, false), len);
	content_release(stage_of(f), content, O_WRONLY);
	return inode.ino;
}

static uint64_t new_bytes(struct fixture *f, uint64_t ino)
{
	struct inode inode;
	struct recipe_head head;

	assert_int_equal(names_get(f->store->parts.names, ino, &inode), 0);
	assert_int_equal(inode.content, CONTENT_ENCODED);
	assert_int_equal(recipe_head_get(f->store->parts.recipes, inode.recipe, &head), 0);
	return head.new_bytes;
}

/* A safetensors file of `count` f32 tensors of `elements` each, near-gaussian, moved a little by each step.
 */
static uint8_t *checkpoint(unsigned step, unsigned count, size_t elements, size_t *len)
{
	size_t bytes = count * elements * 4, at = 8;
	char *header = malloc(256 * count + 64);
	size_t n = (size_t)sprintf(header, "{");

	for (unsigned i = 0; i < count; i++)
		n += (size_t)sprintf(header + n,
			"%s\"layer.%u.weight\":{\"dtype\":\"F32\",\"shape\":[%zu],\"data_offsets\":[%zu,%zu]"
			"}",
			i ? "," : "", i, elements, i * elements * 4, (i + 1) * elements * 4);
	n += (size_t)sprintf(header + n, "}");
	uint8_t *file = malloc(8 + n + bytes);
	for (int i = 0; i < 8; i++)
		file[i] = (uint8_t)((uint64_t)n >> 8 * i);
	memcpy(file + at, header, n);
	at += n;
	uint64_t x = 88172645463325252u;
	for (size_t i = 0; i < count * elements; i++) {
		float v = 0;
		for (int k = 0; k < 4; k++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			v += (float)(int32_t)x / 2147483648.0f;
		}
		for (unsigned s = 0; s < step; s++)
			v += 1e-5f * (float)((x >> s % 32 & 7) + 1);
		memcpy(file + at, &v, 4);
		at += 4;
	}
	free(header);
	*len = at;
	return file;
}

static void small_file_goes_inline(void **state)
{
	struct fixture *f = *state;
	uint64_t ino = put_file(f, "small", "hello", 5);

	assert_int_equal(scratch_store_state(f->store, ino), CONTENT_STAGED);
	scratch_store_expect(f->store, ino, "hello", 5);
	scratch_store_drain(f->store);
	assert_int_equal(scratch_store_state(f->store, ino), CONTENT_INLINE);
	scratch_store_expect(f->store, ino, "hello", 5);
	open_again(f, 2);
	scratch_store_expect(f->store, ino, "hello", 5);
}

static void empty_file_stays_empty(void **state)
{
	struct fixture *f = *state;
	uint64_t ino = put_file(f, "empty", "", 0);

	scratch_store_drain(f->store);
	assert_int_equal(scratch_store_state(f->store, ino), CONTENT_NONE);
	scratch_store_expect(f->store, ino, "", 0);
}

static void checkpoints_become_deltas_and_shares(void **state)
{
	struct fixture *f = *state;
	size_t len, len2;
	uint8_t *one = checkpoint(0, 5, 300000, &len), *two = checkpoint(1, 5, 300000, &len2);
	uint64_t a = put_file(f, "checkpoint-1", one, len);

	scratch_store_drain(f->store);
	uint64_t b = put_file(f, "checkpoint-2", two, len2), c = put_file(f, "copy", one, len);
	scratch_store_drain(f->store);
	assert_int_equal(scratch_store_state(f->store, a), CONTENT_ENCODED);
	assert_true(new_bytes(f, a) < len);
	assert_true(new_bytes(f, b) * 10 < new_bytes(f, a) * 9);
	assert_true(new_bytes(f, c) == 0);
	for (int again = 0; again < 2; again++) {
		scratch_store_expect(f->store, a, one, len);
		scratch_store_expect(f->store, b, two, len2);
		scratch_store_expect(f->store, c, one, len);
		open_again(f, 2);
	}
	free(one);
	free(two);
}

/* The second finds its bases in the first, though both were there when encoding began. */
static void small_checkpoints_saved_together_become_deltas(void **state)
{
	struct fixture *f = *state;
	size_t len;
	uint8_t *one = checkpoint(0, 2, 40000, &len), *two = checkpoint(1, 2, 40000, &len);
	uint64_t a = put_file(f, "checkpoint-1", one, len), b = put_file(f, "checkpoint-2", two, len);

	scratch_store_drain(f->store);
	assert_true(new_bytes(f, b) * 10 < new_bytes(f, a) * 9);
	scratch_store_expect(f->store, a, one, len);
	scratch_store_expect(f->store, b, two, len);
	free(one);
	free(two);
}

static void threads_do_not_change_what_is_stored(void **state)
{
	uint64_t sums[2][3], packs[2];
	size_t len;

	for (int round = 0; round < 2; round++) {
		void *other = NULL;
		setup(&other);
		struct fixture *f = other;
		open_again(f, round ? 4 : 1);
		for (unsigned step = 0; step < 3; step++) {
			char name[32];
			snprintf(name, sizeof name, "step-%u", step);
			uint8_t *bytes = checkpoint(step, 6, 200000, &len);
			uint64_t ino = put_file(f, name, bytes, len);
			scratch_store_drain(f->store);
			sums[round][step] = new_bytes(f, ino);
			free(bytes);
		}
		packs[round] = packs_bytes(f->store->parts.packs);
		teardown(&other);
	}
	assert_memory_equal(sums[0], sums[1], sizeof sums[0]);
	assert_int_equal(packs[0], packs[1]);
	(void)state;
}

static void rewritten_file_is_staged_again(void **state)
{
	struct fixture *f = *state;
	size_t len = 3 * MIB + 17;
	uint8_t *bytes = malloc(len);
	struct content *content;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * 2654435761u >> 13);
	uint64_t ino = put_file(f, "file", bytes, len);
	scratch_store_drain(f->store);
	assert_int_equal(scratch_store_state(f->store, ino), CONTENT_ENCODED);
	assert_int_equal(content_open(stage_of(f), ino, O_RDWR, &content), 0);
	assert_int_equal(scratch_store_state(f->store, ino), CONTENT_STAGED);
	assert_true(content_fd(content) >= 0);
	assert_int_equal(content_write(content, "patched", 7, MIB, false), 7);
	memcpy(bytes + MIB, "patched", 7);
	content_release(stage_of(f), content, O_RDWR);
	scratch_store_expect(f->store, ino, bytes, len);
	scratch_store_drain(f->store);
	assert_int_equal(scratch_store_state(f->store, ino), CONTENT_ENCODED);
	scratch_store_expect(f->store, ino, bytes, len);
	assert_int_equal(content_truncate(stage_of(f), ino, 2 * MIB), 0);
	scratch_store_expect(f->store, ino, bytes, 2 * MIB);
	scratch_store_drain(f->store);
	scratch_store_expect(f->store, ino, bytes, 2 * MIB);
	assert_int_equal(content_open(stage_of(f), ino, O_WRONLY | O_TRUNC, &content), 0);
	content_release(stage_of(f), content, O_WRONLY);
	scratch_store_expect(f->store, ino, "", 0);
	scratch_store_drain(f->store);
	scratch_store_expect(f->store, ino, "", 0);
	free(bytes);
}

static void reader_keeps_its_descriptor_over_publication(void **state)
{
	struct fixture *f = *state;
	uint8_t *bytes = calloc(1, MIB), byte = 0;
	struct content *reader, *writer;
	struct stage_counts counts;

	memset(bytes, 'x', MIB);
	uint64_t ino = put_file(f, "file", bytes, MIB);
	assert_int_equal(content_open(stage_of(f), ino, O_RDONLY, &reader), 0);
	int fd = content_fd(reader);
	assert_true(fd >= 0);
	scratch_store_drain(f->store);
	assert_int_equal(scratch_store_state(f->store, ino), CONTENT_ENCODED);
	assert_int_equal(content_fd(reader), fd);
	assert_int_equal(pread(fd, &byte, 1, 5), 1);
	assert_int_equal(byte, 'x');
	/* A writer meets the staged copy that lingers, and the reader sees what it writes. */
	assert_int_equal(content_open(stage_of(f), ino, O_WRONLY, &writer), 0);
	assert_int_equal(content_fd(writer), fd);
	assert_int_equal(content_write(writer, "y", 1, 5, false), 1);
	assert_int_equal(pread(fd, &byte, 1, 5), 1);
	assert_int_equal(byte, 'y');
	content_release(stage_of(f), writer, O_WRONLY);
	content_release(stage_of(f), reader, O_RDONLY);
	scratch_store_drain(f->store);
	stage_counts(stage_of(f), &counts);
	assert_int_equal(counts.staged_files, 0);
	assert_int_equal(counts.staged_bytes, 0);
	bytes[5] = 'y';
	scratch_store_expect(f->store, ino, bytes, MIB);
	free(bytes);
}

static void shared_mapping_that_outlives_its_descriptor_is_waited_for(void **state)
{
	struct fixture *f = *state;
	uint8_t *bytes = calloc(1, MIB);
	char path[SCRATCH_PATH + 32];
	struct stage_counts counts;
	uint64_t ino = put_file(f, "file", bytes, 1);

	/* Sparse, so that the write through the mapping makes it take more than at its last close. */
	assert_int_equal(content_truncate(stage_of(f), ino, MIB), 0);
	/* What the kernel keeps of a passthrough open after the last close: a mapping of the staged file. */
	snprintf(path, sizeof path, "%s/staging/%016llx", f->dir, (unsigned long long)ino);
	int fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	uint8_t *map = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(map != MAP_FAILED);
	close(fd);
	stage_drain(stage_of(f), NULL, NULL);
	assert_int_equal(scratch_store_state(f->store, ino), CONTENT_STAGED);
	map[77] = 'z';
	map[MIB - 1] = 'z';
	munmap(map, MIB);
	SCRATCH_WAIT(scratch_store_state(f->store, ino) != CONTENT_STAGED);
	assert_int_equal(scratch_store_state(f->store, ino), CONTENT_ENCODED);
	scratch_store_drain(f->store); /* the staged copy goes when the log is durable */
	bytes[77] = 'z';
	bytes[MIB - 1] = 'z';
	scratch_store_expect(f->store, ino, bytes, MIB);
	stage_counts(stage_of(f), &counts);
	assert_int_equal(counts.staged_files, 0);
	assert_int_equal(counts.staged_bytes, 0);
	free(bytes);
}

/* The decoder's cache outlives a chunk's record; what is shared must be in the index. */
static void collected_chunk_is_not_shared_from_the_cache(void **state)
{
	struct fixture *f = *state;
	struct gc_result result;
	size_t len;
	uint8_t *bytes = checkpoint(0, 2, 200000, &len);
	uint64_t ino = put_file(f, "first", bytes, len);

	scratch_store_drain(f->store);
	scratch_store_expect(f->store, ino, bytes, len);
	assert_int_equal(names_unlink(f->store->parts.names, NAMES_ROOT, "first", NULL), 0);
	assert_int_equal(content_drop(stage_of(f), ino), 0);
	encoder_settle(f->store->parts.encoder);
	assert_int_equal(gc_run(&f->store->parts, 0, NULL, NULL, &result), 0);
	assert_true(result.chunks_removed > 0);
	ino = put_file(f, "second", bytes, len);
	scratch_store_drain(f->store);
	assert_true(new_bytes(f, ino) > len / 2);
	open_again(f, 2);
	scratch_store_expect(f->store, ino, bytes, len);
	free(bytes);
}

/* Likewise a chunk that was announced by a file whose encoding was then given up. */
static void retracted_chunk_is_not_shared_from_the_cache(void **state)
{
	struct fixture *f = *state;
	struct parts *parts = &f->store->parts;
	struct codec_workspace *ws = codec_workspace_new();
	uint8_t *bytes = malloc(MIB), payload[CODEC_BOUND(ENCODE_CHUNK)];
	struct codec_result coded;
	struct chunk_data *data;

	for (size_t i = 0; i < MIB; i++)
		bytes[i] = (uint8_t)((uint64_t)i * 0x9e3779b97f4a7c15u >> 56);
	size_t n = ENCODE_CHUNK;
	struct cdc cdc;
	cdc_init(&cdc, chunks_seed(parts->chunks));
	if (!cdc_incompressible(bytes + (MIB - 4096) / 2, 4096))
		n = cdc_next(&cdc, bytes, ENCODE_CHUNK);
	struct codec_input in = {.src = bytes, .len = n};
	assert_int_equal(codec_encode(ws, payload, sizeof payload, &in, CODEC_DEFAULT, -1, &coded), 0);
	struct frame frame = {.id = chunk_id_of(chunks_seed(parts->chunks), 0, bytes, n),
		.raw_len = (uint32_t)n,
		.payload_len = (uint32_t)coded.len,
		.codec = (uint8_t)coded.codec,
		.codec_version = CODEC_VERSION};
	struct chunk_record record = {.raw_len = frame.raw_len,
		.chain_bytes = frame.payload_len,
		.codec = frame.codec,
		.codec_version = frame.codec_version,
		.depth = 1};
	assert_int_equal(packs_append(parts->packs, &frame, payload, &record.place), 0);
	assert_int_equal(chunks_announce(parts->chunks, &frame.id, &record), 0);
	assert_int_equal(decode_chunk(parts->decoder, &frame.id, &data), 0);
	decode_release(parts->decoder, data);
	chunks_retract(parts->chunks, &frame.id);

	uint64_t ino = put_file(f, "file", bytes, MIB);
	scratch_store_drain(f->store);
	assert_int_equal(chunks_get(parts->chunks, &frame.id, &record), 0);
	open_again(f, 2);
	scratch_store_expect(f->store, ino, bytes, MIB);
	codec_workspace_free(ws);
	free(bytes);
}

static void note_published(void *ctx, uint64_t ino)
{
	*(uint64_t *)ctx = ino;
}

static void publication_is_told(void **state)
{
	struct fixture *f = *state;
	uint8_t *bytes = calloc(1, MIB);
	uint64_t told = 0;

	stage_watch(stage_of(f), note_published, &told);
	put_file(f, "inline", bytes, 10);
	scratch_store_drain(f->store);
	assert_int_equal(told, 0);
	uint64_t ino = put_file(f, "large", bytes, MIB);
	scratch_store_drain(f->store);
	assert_int_equal(told, ino);
	stage_watch(stage_of(f), NULL, NULL);
	free(bytes);
}

static void encoding_waits_for_calm(void **state)
{
	struct fixture *f = *state;
	uint8_t *bytes = calloc(1, MIB);
	uint64_t ino = put_file(f, "large", bytes, MIB);
	struct timespec last, now;

	clock_gettime(CLOCK_MONOTONIC, &last);
	for (int i = 0; i < 20; i++) {
		char name[16];
		snprintf(name, sizeof name, "small-%d", i);
		usleep(20000);
		enum content_state was = scratch_store_state(f->store, ino);
		clock_gettime(CLOCK_MONOTONIC, &now);
		/* On a machine so busy that this test itself pauses, the pause is the calm. */
		if ((now.tv_sec - last.tv_sec) * 1000 + (now.tv_nsec - last.tv_nsec) / 1000000 > 150)
			break;
		assert_int_equal(was, CONTENT_STAGED);
		clock_gettime(CLOCK_MONOTONIC, &last);
		put_file(f, name, "x", 1);
	}
	SCRATCH_WAIT(scratch_store_state(f->store, ino) != CONTENT_STAGED);
	assert_int_equal(scratch_store_state(f->store, ino), CONTENT_ENCODED);
	free(bytes);
}

static void holes_stay_holes(void **state)
{
	struct fixture *f = *state;
	struct content *content;
	struct inode inode;
	uint64_t ino;

	assert_int_equal(content_create(stage_of(f), NAMES_ROOT, "sparse", S_IFREG | 0600, &owner, O_WRONLY,
				 &content, &inode),
		0);
	ino = inode.ino;
	assert_int_equal(content_write(content, "begin", 5, 0, false), 5);
	assert_int_equal(content_write(content, "end", 3, 64 * MIB, false), 3);
	content_release(stage_of(f), content, O_WRONLY);
	scratch_store_drain(f->store);
	assert_int_equal(scratch_store_state(f->store, ino), CONTENT_ENCODED);
	assert_int_equal(content_open(stage_of(f), ino, O_RDONLY, &content), 0);
	int64_t hole = content_seek(content, 0, SEEK_HOLE);
	assert_true(hole > 0 && hole < MIB);
	int64_t data = content_seek(content, (uint64_t)hole, SEEK_DATA);
	assert_true(data > 63 * (int64_t)MIB && data <= 64 * (int64_t)MIB);
	assert_int_equal(content_seek(content, 64 * MIB + 3, SEEK_DATA), -ENXIO);
	content_release(stage_of(f), content, O_RDONLY);
	/* Staged again it takes no more room than its data. */
	assert_int_equal(content_open(stage_of(f), ino, O_RDWR, &content), 0);
	assert_int_equal(content_getattr(stage_of(f), ino, &inode), 0);
	assert_true(inode.blocks * 512 < 2 * MIB);
	content_release(stage_of(f), content, O_RDWR);
}

static void dropped_file_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct inode inode;
	struct stage_counts counts;
	uint8_t *bytes = calloc(1, MIB);
	uint64_t inos[3] = {put_file(f, "a", bytes, 10), put_file(f, "b", bytes, MIB), 0};

	scratch_store_drain(f->store);
	inos[2] = put_file(f, "c", bytes, MIB);
	for (int i = 0; i < 3; i++) {
		char name[2] = {(char)('a' + i), 0};
		assert_int_equal(names_unlink(f->store->parts.names, NAMES_ROOT, name, NULL), 0);
		assert_int_equal(content_drop(stage_of(f), inos[i]), 0);
		assert_int_equal(names_get(f->store->parts.names, inos[i], &inode), -ENOENT);
	}
	scratch_store_drain(f->store);
	stage_counts(stage_of(f), &counts);
	assert_int_equal(counts.staged_files, 0);
	assert_int_equal(counts.staged_bytes, 0);
	assert_int_equal(counts.queued_files, 0);
	free(bytes);
}

static void restart_sweeps_and_requeues(void **state)
{
	struct fixture *f = *state;
	uint8_t *bytes = calloc(1, MIB);
	char path[SCRATCH_PATH + 32];
	uint64_t ino = put_file(f, "kept", bytes, MIB);
	struct content *content;
	struct inode inode;

	/* An open file without a name, and a staged copy that nobody refers to, as a killed daemon leaves
	 * them. */
	assert_int_equal(content_create(stage_of(f), NAMES_ROOT, NULL, S_IFREG | 0600, &owner, O_RDWR,
				 &content, &inode),
		0);
	snprintf(path, sizeof path, "%s/staging/%016x", f->dir, 0xabcdef);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	open_again(f, 2);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(names_get(f->store->parts.names, inode.ino, &inode), -ENOENT);
	scratch_store_drain(f->store);
	assert_int_equal(scratch_store_state(f->store, ino), CONTENT_ENCODED);
	scratch_store_expect(f->store, ino, bytes, MIB);
	free(bytes);
}

static void second_opener_is_told_who_has_it(void **state)
{
	struct fixture *f = *state;
	struct store_options options = {0};
	struct store_error error;
	struct store *store;
	char pid[32];

	assert_int_equal(store_open(f->dir, &options, &store, &error), -EWOULDBLOCK);
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	assert_non_null(strstr(error.text, pid));
	assert_int_equal(store_init(f->dir, 0, 0, &error), -EEXIST);
}

/* Names, sizes and times of everything below the store. */
static char *listing_of(struct fixture *f)
{
	char command[SCRATCH_PATH + 64], *text = calloc(1, 65536);
	FILE *pipe;

	snprintf(command, sizeof command, "cd %s && ls -lR --time-style=full-iso", f->dir);
	pipe = popen(command, "r");
	assert_true(fread(text, 1, 65535, pipe) > 0);
	pclose(pipe);
	return text;
}

static void refuses_changes(struct fixture *f, uint64_t ino)
{
	struct content *content;
	struct inode inode = {.mode = 0600};

	assert_int_equal(content_open(stage_of(f), ino, O_RDWR, &content), -EROFS);
	assert_int_equal(content_open(stage_of(f), ino, O_RDONLY | O_TRUNC, &content), -EROFS);
	assert_int_equal(content_truncate(stage_of(f), ino, 1), -EROFS);
	assert_int_equal(content_setattr(stage_of(f), ino, &inode, NAMES_SET_MODE, &inode), -EROFS);
	assert_int_equal(content_create(stage_of(f), NAMES_ROOT, "new", S_IFREG | 0644, &owner, O_WRONLY,
				 &content, &inode),
		-EROFS);
	assert_int_equal(names_unlink(f->store->parts.names, NAMES_ROOT, "staged", NULL), -EROFS);
}

static void reading_only_gives_every_state_and_changes_nothing(void **state)
{
	const struct store_options writing = {.no_background = true},
				   reading = {.read_only = true, .hold = true};
	struct fixture *f = *state;
	struct store *second, *writer;
	struct store_error error;
	size_t len;
	uint8_t *bytes = checkpoint(0, 2, 200000, &len);
	uint64_t encoded = put_file(f, "encoded", bytes, len), small = put_file(f, "inline", bytes, 100);
	uint64_t staged, lost;
	char path[SCRATCH_PATH + 32], *before, *after;

	scratch_store_drain(f->store);
	scratch_store_open(f->dir, &writing, &f->store);
	staged = put_file(f, "staged", bytes, len - 1);
	lost = put_file(f, "lost", bytes, 1);
	store_close(f->store);
	f->store = NULL;
	snprintf(path, sizeof path, "%s/staging/%016llx", f->dir, (unsigned long long)lost);
	assert_int_equal(unlink(path), 0); /* as a power cut may, before any fsync */
	before = listing_of(f);
	scratch_store_open(f->dir, &reading, &f->store);
	scratch_store_expect(f->store, encoded, bytes, len);
	scratch_store_expect(f->store, small, bytes, 100);
	scratch_store_expect(f->store, staged, bytes, len - 1);
	scratch_store_expect(f->store, lost, bytes, 0);
	refuses_changes(f, staged);
	refuses_changes(f, encoded);
	assert_int_equal(store_open(f->dir, &reading, &second, &error), 0);
	assert_int_equal(store_open(f->dir, &writing, &writer, &error), -EWOULDBLOCK);
	assert_non_null(strstr(error.text, "a read-only mount"));
	store_close(second);
	store_close(f->store);
	f->store = NULL;
	after = listing_of(f);
	assert_string_equal(before, after);
	scratch_store_open(f->dir, &writing, &f->store);
	assert_int_equal(store_open(f->dir, &reading, &second, &error), -EWOULDBLOCK);
	assert_null(strstr(error.text, "a read-only mount"));
	free(before);
	free(after);
	free(bytes);
}

static void expect_refused(struct fixture *f, const char *why)
{
	struct store_options options = {.read_only = true};
	struct store_error error;
	struct store *store = NULL;

	assert_int_equal(store_open(f->dir, &options, &store, &error), -EPERM);
	assert_non_null(strstr(error.text, why));
	options.read_only = false;
	assert_int_equal(store_open(f->dir, &options, &store, &error), -EPERM);
}

static void what_others_may_write_is_not_opened(void **state)
{
	struct fixture *f = *state;
	struct store_error error;

	store_close(f->store);
	f->store = NULL;
	assert_int_equal(chmod(f->dir, 0770), 0);
	expect_refused(f, "chmod go-w");
	assert_int_equal(chmod(f->dir, 0755), 0);
	scratch_store_open(f->dir, &(struct store_options){.threads = 1}, &f->store);
	store_close(f->store);
	f->store = NULL;
	if (geteuid()) /* who is not root cannot give anything away */
		return;
	assert_int_equal(chown(f->dir, 4321, 4321), 0);
	expect_refused(f, "do this as user 4321, or take it over with: chown -R 0 ");
	scratch_remove(f->dir);
	assert_int_equal(mkdir(f->dir, 0755), 0);
	assert_int_equal(chown(f->dir, 4321, 4321), 0);
	assert_int_equal(store_init(f->dir, 0, 0, &error), -EPERM);
	assert_int_equal(chown(f->dir, 0, 0), 0);
	assert_int_equal(chmod(f->dir, 0777), 0);
	assert_int_equal(store_init(f->dir, 0, 0, &error), 0); /* which takes it from the others */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(small_file_goes_inline, setup, teardown),
		cmocka_unit_test_setup_teardown(empty_file_stays_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(checkpoints_become_deltas_and_shares, setup, teardown),
		cmocka_unit_test_setup_teardown(
			small_checkpoints_saved_together_become_deltas, setup, teardown),
		cmocka_unit_test(threads_do_not_change_what_is_stored),
		cmocka_unit_test_setup_teardown(rewritten_file_is_staged_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
			reader_keeps_its_descriptor_over_publication, setup, teardown),
		cmocka_unit_test_setup_teardown(
			shared_mapping_that_outlives_its_descriptor_is_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(
			collected_chunk_is_not_shared_from_the_cache, setup, teardown),
		cmocka_unit_test_setup_teardown(
			retracted_chunk_is_not_shared_from_the_cache, setup, teardown),
		cmocka_unit_test_setup_teardown(publication_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(encoding_waits_for_calm, setup, teardown),
		cmocka_unit_test_setup_teardown(holes_stay_holes, setup, teardown),
		cmocka_unit_test_setup_teardown(dropped_file_leaves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(restart_sweeps_and_requeues, setup, teardown),
		cmocka_unit_test_setup_teardown(second_opener_is_told_who_has_it, setup, teardown),
		cmocka_unit_test_setup_teardown(
			reading_only_gives_every_state_and_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(what_others_may_write_is_not_opened, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
