// links: m_stage m_encode m_recipes m_chunks m_packs m_names m_codec m_kv m_util
/*
 * The hex examples of mithril-format(5) against the code. In the page an example is a comment line `.\"
 * example NAME` and the literal block after it: lines of an offset and bytes, as hexdump -C begins them; a
 * line of "*" repeats the line before it up to the offset of the next.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "store/chunks/chunks.h"
#include "store/codec/codec.h"
#include "store/kv/superblock.h"
#include "store/names/internal.h"
#include "store/names/names.h"
#include "store/packs/internal.h"
#include "store/packs/packs.h"
#include "store/recipes/pages.h"
#include "store/stage/kept_record.h"
#include "store/util/bytes.h"

#define PAGE SOURCE_DIR "/packaging/man/mithril-format.5"
#define EXAMPLE_MAX 8192u

struct example {
	uint8_t bytes[EXAMPLE_MAX];
	size_t len;
};

/* "00000010  00 01 ..." goes to its place; everything from the last byte on is repeated up to there after a
 * "*". */
static void add_line(struct example *example, const char *line, int *repeat)
{
	char *at;
	size_t offset;

	if (*line == '*') {
		*repeat = 1;
		return;
	}
	offset = strtoul(line, &at, 16);
	assert_true(offset <= EXAMPLE_MAX - 16);
	while (*repeat && example->len < offset) {
		assert_true(example->len >= 16);
		memcpy(example->bytes + example->len, example->bytes + example->len - 16, 16);
		example->len += 16;
	}
	*repeat = 0;
	assert_int_equal(example->len, offset);
	for (;;) {
		char *end;
		unsigned long byte = strtoul(at, &end, 16);

		if (end == at)
			break;
		assert_true(byte < 256 && example->len < EXAMPLE_MAX);
		example->bytes[example->len++] = (uint8_t)byte;
		at = end;
	}
}

static struct example *example_named(const char *name)
{
	struct example *example = test_calloc(1, sizeof *example);
	char line[512], wanted[64];
	FILE *page = fopen(PAGE, "re");
	int repeat = 0, inside = 0;

	assert_non_null(page);
	snprintf(wanted, sizeof wanted, ".\\\" example %s\n", name);
	while (fgets(line, sizeof line, page)) {
		if (!strcmp(line, wanted))
			inside = 1;
		else if (inside && !strncmp(line, ".Ed", 3))
			break;
		else if (inside && line[0] != '.')
			add_line(example, line, &repeat);
	}
	fclose(page);
	if (!inside)
		fail_msg("%s has no example of that name: %s", PAGE, name);
	return example;
}

static void print_expected(const char *name, const uint8_t *bytes, size_t len)
{
	fprintf(stderr, "the code's bytes for example %s:", name);
	for (size_t i = 0; i < len; i++) {
		if (i % 16 == 0)
			fprintf(stderr, "\n%08zx ", i);
		fprintf(stderr, " %02x", bytes[i]);
	}
	fputc('\n', stderr);
}

/* The example is exactly these bytes. */
static void assert_example(const char *name, const uint8_t *bytes, size_t len)
{
	struct example *example = example_named(name);
	int same = example->len == len && !memcmp(example->bytes, bytes, len);

	if (!same)
		print_expected(name, bytes, len);
	test_free(example);
	assert_true(same);
}

/* What all examples are about: a file of four f32 elements in the store of this identity. */
#define SEED 0x1122334455667788u
static const uint8_t uuid[16] = {0, 1, 2, 3, 4, 5, 0x46, 7, 0x88, 9, 10, 11, 12, 13, 14, 15};
static const uint8_t raw[16] = {0, 0, 0x80, 0x3f, 0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0, 0x3f};
static const uint8_t after[16] = {1, 0, 0x80, 0x3f, 0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0, 0xff, 0xff, 0xff, 0x3e};

static void test_superblock(void **state)
{
	const struct superblock sb = {
		.version = 1, .hash_seed = SEED, .created = 1760000000, .chunk_size = 1u << 20};
	struct superblock filled = sb, back;
	uint8_t bytes[SUPERBLOCK_SIZE];

	(void)state;
	memcpy(filled.uuid, uuid, 16);
	superblock_encode(&filled, bytes);
	assert_example("superblock", bytes, sizeof bytes);
	assert_int_equal(superblock_decode(&back, bytes, sizeof bytes), 0);
	assert_memory_equal(&back.uuid, uuid, 16);
}

static void test_pack_header(void **state)
{
	uint8_t bytes[PACK_HEADER_SIZE];

	(void)state;
	pack_header_encode(bytes, uuid, 1);
	assert_example("pack", bytes, sizeof bytes);
}

static void decode_payload(
	const char *name, enum codec codec, const void *base, size_t base_len, const uint8_t *want)
{
	struct codec_workspace *ws = codec_workspace_new();
	struct example *example = example_named(name);
	const struct codec_bases bases = {.count = base != NULL, .at = {{base, base_len}}};
	uint8_t back[16];

	assert_non_null(ws);
	assert_int_equal(codec_decode(ws, back, sizeof back, example->bytes, example->len, codec, 1,
				 DTYPE_F32, &bases),
		0);
	assert_memory_equal(back, want, sizeof back);
	test_free(example);
	codec_workspace_free(ws);
}

static void decode_derived(const char *name, enum codec codec, enum dtype dtype, const void *base,
	size_t base_len, const void *want, size_t len)
{
	struct codec_workspace *ws = codec_workspace_new();
	struct example *example = example_named(name);
	const struct codec_bases bases = {.count = 1, .at = {{base, base_len}}};
	uint8_t back[16];

	assert_non_null(ws);
	assert_int_equal(
		codec_decode(ws, back, len, example->bytes, example->len, codec, 1, dtype, &bases), 0);
	assert_memory_equal(back, want, len);
	test_free(example);
	codec_workspace_free(ws);
}

/* Of three bases that are all the same. */
static void decode_three(const char *name, enum codec codec)
{
	struct codec_workspace *ws = codec_workspace_new();
	struct example *example = example_named(name);
	const struct codec_bases bases = {
		.count = 3, .at = {{raw, sizeof raw}, {raw, sizeof raw}, {raw, sizeof raw}}};
	uint8_t back[16];

	assert_non_null(ws);
	assert_int_equal(codec_decode(ws, back, sizeof back, example->bytes, example->len, codec, 1,
				 DTYPE_F32, &bases),
		0);
	assert_memory_equal(back, after, sizeof back);
	test_free(example);
	codec_workspace_free(ws);
}

static void decode_bases(void)
{
	struct codec_workspace *ws = codec_workspace_new();
	struct example *example = example_named("zstd-bases");
	const struct codec_bases bases = {.count = 2, .at = {{raw, sizeof raw}, {after, sizeof after}}};
	uint8_t back[64];

	assert_non_null(ws);
	assert_int_equal(codec_decode(ws, back, sizeof back, example->bytes, example->len, CODEC_ZSTD_BASES,
				 1, DTYPE_OPAQUE, &bases),
		0);
	for (size_t i = 0; i < 4; i++)
		assert_memory_equal(back + 16 * i, i % 2 ? after : raw, 16);
	test_free(example);
	codec_workspace_free(ws);
}

static void test_payloads(void **state)
{
	static const uint8_t ones[16] = {
		0, 0, 0x80, 0x3f, 0, 0, 0x80, 0x3f, 0, 0, 0x80, 0x3f, 0, 0, 0x80, 0x3f};

	(void)state;
	decode_payload("constant", CODEC_CONSTANT, NULL, 0, ones);
	decode_payload("planes", CODEC_PLANES, NULL, 0, raw);
	decode_payload("xor", CODEC_XOR, raw, sizeof raw, after);
	decode_payload("diff", CODEC_DIFF, raw, sizeof raw, after);
	decode_payload("symbols", CODEC_SYMBOLS, NULL, 0, raw);
	decode_payload("symbols-diff", CODEC_SYMBOLS_DIFF, raw, sizeof raw, after);
	decode_payload("changes", CODEC_CHANGES, raw, sizeof raw, after);
	decode_derived("derived", CODEC_DERIVED, DTYPE_BF16, after, sizeof after,
		"\x80\x3f\xc0\x3f\0\xc0\x01\x3f", 8);
	decode_three("moment", CODEC_MOMENT);
	decode_three("step", CODEC_STEP);
	decode_bases();
	decode_derived("widened", CODEC_WIDENED, DTYPE_F32, "\0\x3c\0\x3e\0\xc0\0\x38", 8, raw, sizeof raw);
}

static struct frame frame_of(const struct example *payload)
{
	struct chunk_id base = chunk_id_of(SEED, 0, raw, sizeof raw);

	return (struct frame){.id = chunk_id_of(SEED, 0, after, sizeof after),
		.bases = chunk_bases_of(&base),
		.raw_len = sizeof after,
		.payload_len = (uint32_t)payload->len,
		.codec = CODEC_DIFF,
		.codec_version = 1,
		.dtype = DTYPE_F32};
}

static void test_frame(void **state)
{
	struct example *payload = example_named("diff");
	struct frame frame = frame_of(payload), back;
	uint8_t bytes[FRAME_HEADER_MAX + 64];
	uint32_t size = frame_encode(&frame, payload->bytes, bytes);
	uint64_t sum;

	(void)state;
	memcpy(bytes + size, payload->bytes, payload->len);
	assert_example("frame", bytes, size + payload->len);
	assert_int_equal(frame_decode(&back, &sum, bytes, size), 0);
	test_free(payload);
}

static void test_chunk_record(void **state)
{
	struct example *payload = example_named("diff");
	struct frame frame = frame_of(payload);
	const struct chunk_record record = {.place = {1, 64, frame.payload_len, 1},
		.bases = frame.bases,
		.raw_len = frame.raw_len,
		.chain_bytes = frame.payload_len + 16,
		.codec = frame.codec,
		.codec_version = 1,
		.dtype = DTYPE_F32,
		.depth = 2,
		.frames = 2};
	struct chunk_record back;
	uint8_t bytes[CHUNK_RECORD_MAX];
	size_t len = chunk_record_encode(&record, bytes);

	(void)state;
	assert_example("chunk", bytes, len);
	assert_int_equal(chunk_record_decode(&back, bytes, len), 0);
	test_free(payload);
}

static void test_inode(void **state)
{
	const struct timespec t = {1760000000, 5};
	const struct inode inode = {.ino = 2,
		.mode = S_IFREG | 0644,
		.uid = 1000,
		.gid = 1000,
		.nlink = 1,
		.size = 24,
		.blocks = 8,
		.atime = t,
		.mtime = t,
		.ctime = t,
		.btime = t,
		.content = CONTENT_ENCODED,
		.recipe = 1,
		.version = 3};
	struct inode back, cached = inode;
	uint8_t bytes[NAMES_RECORD_MAX];
	size_t len = inode_encode(&inode, bytes);

	(void)state;
	assert_example("inode", bytes, len);
	assert_int_equal(inode_decode(&back, 2, bytes, len), 0);
	cached.content = CONTENT_NONE;
	cached.recipe = 0;
	cached.flags = INODE_CACHE;
	cached.cache = 2;
	assert_example("cached", bytes, inode_encode(&cached, bytes));
	assert_int_equal(inode_decode(&back, 2, bytes, len), 0);
	assert_int_equal(back.cache, 2);
	assert_int_equal(back.rdev, 0);
}

static void test_kept(void **state)
{
	const struct kept_record record = {.version = 3,
		.recipe = 1,
		.size = 24,
		.copy_ino = 1310721,
		.mtime = {1760000000, 5},
		.ctime = {1760000002, 7}};
	uint8_t bytes[KEPT_RECORD_SIZE];

	(void)state;
	kept_record_encode(&record, bytes);
	assert_example("kept", bytes, sizeof bytes);
}

static void test_entry(void **state)
{
	const struct names names = {.seed = SEED, .hash_mask = UINT64_MAX};
	uint8_t key[16 + 4];

	(void)state;
	put_be64(key, NAMES_ROOT);
	put_be64(key + 8, name_hash(&names, "a.st", 4));
	memcpy(key + 16, "a.st", 4);
	assert_example("entry", key, sizeof key);
}

static void test_recipe_head(void **state)
{
	struct recipe_head head = {.recipe = 1,
				   .size = 24,
				   .new_bytes = 30,
				   .extents = 2,
				   .segments = 1,
				   .format = 1},
			   back;
	uint8_t bytes[RECIPE_HEAD_SIZE];

	(void)state;
	memset(head.family.b, 0xfa, sizeof head.family.b);
	recipe_head_encode(&head, bytes);
	assert_example("recipe", bytes, sizeof bytes);
	assert_int_equal(recipe_head_decode(&back, 1, bytes, sizeof bytes), 0);
}

static void test_pages(void **state)
{
	const struct extent hole = {.len = 8},
			    tensor = {
				    .off = 8, .len = 16, .chunk = chunk_id_of(SEED, 0, after, sizeof after)};
	const struct segment segment = {
		.off = 8, .len = 16, .dtype = DTYPE_F32, .ndims = 2, .dims = {2, 2}, .name = "w"};
	struct page *page = test_malloc(sizeof *page);
	uint8_t key[TENSOR_KEY_SIZE];

	(void)state;
	page_reset(page);
	page_add_extent(page, &hole);
	page_add_extent(page, &tensor);
	page_finish(page, 1, 0);
	assert_example("extents", page->bytes, page->len);
	page_reset(page);
	page_add_segment(page, &segment, 1);
	page_finish(page, 1, 0);
	assert_example("segments", page->bytes, page->len);
	tensor_key(key, &segment, 1);
	assert_example("tensor", key, sizeof key);
	elements_key(key, 4, segment_elements(&segment), 1);
	assert_example("elements", key, sizeof key);
	const XXH128_hash_t digest = XXH3_128bits_withSeed(after, sizeof after, SEED);
	const struct segment small = {
		.len = 16, .ndims = 3, .dims = {digest.low64, digest.high64, 16}, .name = SEGMENT_SMALL};
	assert_true(segment_is_small(&small));
	tensor_key(key, &small, 1);
	assert_example("small", key, sizeof key);
	test_free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_superblock),
		cmocka_unit_test(test_pack_header),
		cmocka_unit_test(test_payloads),
		cmocka_unit_test(test_frame),
		cmocka_unit_test(test_chunk_record),
		cmocka_unit_test(test_inode),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_entry),
		cmocka_unit_test(test_recipe_head),
		cmocka_unit_test(test_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
