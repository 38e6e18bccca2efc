// links: m_formats
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/formats/formats.h"
#include "store/util/bytes.h"

#define FIXTURES TEST_DIR "/unit/fixtures/formats/"

struct bytes {
	uint8_t *at;
	size_t len;
};

static struct bytes read_file(const char *name)
{
	char path[512];
	struct bytes b;

	snprintf(path, sizeof path, FIXTURES "%s", name);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	b.len = (size_t)ftell(f);
	rewind(f);
	b.at = malloc(b.len + 1);
	assert_non_null(b.at);
	assert_int_equal(fread(b.at, 1, b.len, f), b.len);
	b.at[b.len] = 0;
	fclose(f);
	return b;
}

/* A view that counts, checks and, when asked to, fails. */
struct watched {
	const uint8_t *bytes;
	size_t present; /* what lies behind reads as zeros */
	uint64_t size, total, calls, fail_at;
	int error;
};

static int watched_read(void *ctx, uint64_t off, void *dst, size_t len)
{
	struct watched *w = ctx;

	assert_true(off <= w->size && len <= w->size - off);
	w->calls++;
	w->total += len;
	if (w->error && w->calls > w->fail_at)
		return w->error;
	memset(dst, 0, len);
	if (off < w->present)
		memcpy(dst, w->bytes + off, len < w->present - off ? len : w->present - (size_t)off);
	return 0;
}

static struct layout label(const void *bytes, size_t len)
{
	struct watched w = {.bytes = bytes, .present = len, .size = len};
	struct view view = {watched_read, &w, len};
	struct layout layout;

	assert_int_equal(formats_label(&view, &layout), 0);
	return layout;
}

/* What holds for every layout, whatever the bytes. */
static void check_sound(const struct layout *layout, uint64_t size)
{
	uint64_t end = 0;

	if (layout->format == FORMAT_OPAQUE)
		assert_int_equal(layout->count, 0);
	for (size_t i = 0; i < layout->count; i++) {
		const struct tensor *t = &layout->tensors[i];
		assert_true(t->len > 0);
		assert_true(t->off >= end && t->off <= size && t->len <= size - t->off);
		assert_true((unsigned)t->dtype < DTYPE_COUNT);
		assert_true(t->len % dtype_width(t->dtype) == 0);
		assert_true(t->ndims <= FORMAT_DIMS_MAX);
		assert_true(strlen(t->name) <= FORMAT_NAME_MAX);
		end = t->off + t->len;
	}
}

static size_t render(const struct layout *layout, const char *file, char *dst, size_t size)
{
	size_t at = (size_t)snprintf(dst, size, "%s %s\n", file, format_name(layout->format));

	for (size_t i = 0; i < layout->count; i++) {
		const struct tensor *t = &layout->tensors[i];
		at += (size_t)snprintf(dst + at, size - at, "%" PRIu64 " %" PRIu64 " %s [", t->off, t->len,
			dtype_name(t->dtype));
		for (uint32_t d = 0; d < t->ndims; d++)
			at += (size_t)snprintf(dst + at, size - at, "%s%" PRIu64, d ? "," : "", t->dims[d]);
		at += (size_t)snprintf(dst + at, size - at, "] %s\n", t->name);
	}
	return at;
}

/* Calls `act` with each file of the fixtures; returns how many there were. */
static size_t each_fixture(void (*act)(const char *name, struct bytes bytes, void *ctx), void *ctx)
{
	DIR *d = opendir(FIXTURES);
	struct dirent *e;
	size_t n = 0;

	assert_non_null(d);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.' || !strcmp(e->d_name, "expected.txt"))
			continue;
		struct bytes b = read_file(e->d_name);
		act(e->d_name, b, ctx);
		free(b.at);
		n++;
	}
	closedir(d);
	return n;
}

static void match(const char *name, struct bytes b, void *ctx)
{
	static char got[32768];
	const char *expected = ctx;
	struct layout layout = label(b.at, b.len);
	size_t len = render(&layout, name, got, sizeof got);
	const char *found = strstr(expected, name);

	check_sound(&layout, b.len);
	while (found && found != expected && found[-1] != '\n')
		found = strstr(found + 1, name);
	assert_non_null(found);
	if (strncmp(found, got, len))
		fail_msg("expected:\n%.*s\ngot:\n%s", (int)len, found, got);
	/* and no tensor more is expected */
	found = strchr(found + len, ' ');
	assert_true(!found || !strchr("0123456789", found[1]));
	layout_release(&layout);
}

static void labels_what_the_writers_wrote(void **state)
{
	struct bytes expected = read_file("expected.txt");

	(void)state;
	assert_true(each_fixture(match, expected.at) >= 20);
	free(expected.at);
}

static void cut(const char *name, struct bytes b, void *ctx)
{
	size_t step = b.len > 8192 ? 7 : 1;

	(void)name;
	(void)ctx;
	for (size_t len = 0; len < b.len; len += step) {
		uint8_t *exact = malloc(len + !len);
		assert_non_null(exact);
		memcpy(exact, b.at, len);
		struct layout layout = label(exact, len);
		check_sound(&layout, len);
		layout_release(&layout);
		free(exact);
	}
}

static void any_truncation_is_sound(void **state)
{
	(void)state;
	each_fixture(cut, NULL);
}

static void flip(const char *name, struct bytes b, void *ctx)
{
	static const uint8_t masks[] = {0xff, 0x01, 0x80, 0x10};
	size_t step = b.len > 8192 ? 11 : 1;

	(void)name;
	(void)ctx;
	for (size_t i = 0; i < b.len; i += step)
		for (size_t m = 0; m < sizeof masks; m++) {
			b.at[i] ^= masks[m];
			struct layout layout = label(b.at, b.len);
			check_sound(&layout, b.len);
			layout_release(&layout);
			b.at[i] ^= masks[m];
		}
}

static void any_changed_byte_is_sound(void **state)
{
	(void)state;
	each_fixture(flip, NULL);
}

static void fail_reads(const char *name, struct bytes b, void *ctx)
{
	(void)ctx;
	for (uint64_t at = 0;; at++) {
		struct watched w = {b.at, b.len, b.len, 0, 0, at, at % 2 ? -EIO : -EBADMSG};
		struct view view = {watched_read, &w, b.len};
		struct layout layout;
		int rc = formats_label(&view, &layout);
		if (w.calls <= at) {
			assert_int_equal(rc, 0);
			layout_release(&layout);
			return;
		}
		if (rc != w.error)
			fail_msg("%s, read %d: %d", name, (int)at, rc);
		assert_int_equal(layout.count, 0);
		assert_null(layout.tensors);
	}
}

static void an_error_of_the_view_is_passed_on(void **state)
{
	(void)state;
	each_fixture(fail_reads, NULL);
}

static struct layout label_text(const char *header, size_t data)
{
	size_t len = strlen(header);
	uint8_t *file = calloc(1, 8 + len + data);
	struct layout layout;

	assert_non_null(file);
	put_le64(file, len);
	memcpy(file + 8, header, len);
	layout = label(file, 8 + len + data);
	check_sound(&layout, 8 + len + data);
	free(file);
	return layout;
}

static void expect_count(const char *header, size_t data, enum format format, size_t count)
{
	struct layout layout = label_text(header, data);

	if (layout.format != format || layout.count != count)
		fail_msg("%s: %s with %zu", header, format_name(layout.format), layout.count);
	layout_release(&layout);
}

#define F32(from, to) "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[" #from "," #to "]}"

static void safetensors_that_are_odd_are_opaque(void **state)
{
	(void)state;
	expect_count("{\"a\":" F32(0, 4) ",\"b\":" F32(4, 8) "}", 8, FORMAT_SAFETENSORS, 2);
	expect_count("{\"b\":" F32(4, 8) ",\"a\":" F32(0, 4) "}  ", 8, FORMAT_SAFETENSORS, 2);
	expect_count("{}", 0, FORMAT_SAFETENSORS, 0);
	expect_count("{}", 1, FORMAT_OPAQUE, 0);
	expect_count("{\"a\":" F32(0, 4) ",\"b\":" F32(0, 4) "}", 8, FORMAT_OPAQUE, 0);
	expect_count("{\"a\":" F32(0, 4) "}", 8, FORMAT_OPAQUE, 0);
	expect_count("{\"a\":" F32(0, 4) "}x", 4, FORMAT_OPAQUE, 0);
	expect_count("{\"a\":" F32(0, 4) ",}", 4, FORMAT_OPAQUE, 0);
	expect_count("{\"a\":" F32(0, 8) "}", 8, FORMAT_OPAQUE, 0);
	expect_count("{\"a\":" F32(4, 0) "}", 4, FORMAT_OPAQUE, 0);
	expect_count("{\"a\":" F32(-4, 0) "}", 4, FORMAT_OPAQUE, 0);
	expect_count("{\"a\":" F32(18446744073709551612, 18446744073709551616) "}", 4, FORMAT_OPAQUE, 0);
	expect_count("{\"a\":" F32(18446744073709551612, 18446744073709551615) "}", 4, FORMAT_OPAQUE, 0);
	expect_count("{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}",
		0, FORMAT_OPAQUE, 0);
	expect_count("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, FORMAT_OPAQUE, 0);
	expect_count("{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,1]}}", 1, FORMAT_OPAQUE, 0);
	expect_count("{\"\\ud83d\\ude00\\u0000\":" F32(0, 4) "}", 4, FORMAT_SAFETENSORS, 1);
	expect_count("{\"\\ud83d\\u0041\":" F32(0, 4) "}", 4, FORMAT_OPAQUE, 0);
}

static void deep_nesting_is_refused(void **state)
{
	size_t depth = 1 << 20;
	char *header = malloc(depth + 64);

	(void)state;
	assert_non_null(header);
	size_t at = (size_t)sprintf(header, "{\"__metadata__\":");
	memset(header + at, '[', depth);
	header[at + depth] = 0;
	expect_count(header, 0, FORMAT_OPAQUE, 0);
	free(header);
}

static void names_are_cut_and_clean(void **state)
{
	char header[4096], name[2048];
	struct layout layout;

	(void)state;
	memset(name, 'n', sizeof name);
	name[sizeof name - 1] = 0;
	snprintf(header, sizeof header, "{\"%s\":" F32(0, 4) "}", name);
	layout = label_text(header, 4);
	assert_int_equal(layout.count, 1);
	assert_int_equal(strlen(layout.tensors[0].name), FORMAT_NAME_MAX);
	layout_release(&layout);

	layout = label_text("{\"a\x01\xff\xe2\x82\xc0\xaf\xed\xa0\x80z\xe2\x82\xac\":" F32(0, 4) "}", 4);
	assert_int_equal(layout.count, 1);
	assert_string_equal(layout.tensors[0].name, "a?????????z\xe2\x82\xac");
	layout_release(&layout);
}

static void only_headers_are_read(void **state)
{
	static const char text[] = "{\"w\":{\"dtype\":\"BF16\",\"shape\":[512,1048576],\"data_offsets\":[0,"
				   "1073741824]}}";
	uint8_t header[8 + sizeof text - 1];
	struct watched w = {.bytes = header, .present = sizeof header, .size = sizeof header + (1u << 30)};
	struct view view = {watched_read, &w, w.size};
	struct layout layout;

	(void)state;
	put_le64(header, sizeof text - 1);
	memcpy(header + 8, text, sizeof text - 1);
	assert_int_equal(formats_label(&view, &layout), 0);
	assert_int_equal(layout.count, 1);
	assert_int_equal(layout.tensors[0].len, 1u << 30);
	assert_true(w.total < 4096);
	layout_release(&layout);
}

/* A few short reads an item. */
static void a_shard_is_hopped_through(void **state)
{
	struct bytes b = read_file("shard-1.distcp");
	struct watched w = {.bytes = b.at, .present = b.len, .size = b.len};
	struct view view = {watched_read, &w, b.len};
	struct layout layout;

	(void)state;
	assert_int_equal(formats_label(&view, &layout), 0);
	assert_int_equal(layout.format, FORMAT_DCP);
	assert_true(w.calls < 7 * 24);
	assert_true(w.total < b.len);
	layout_release(&layout);
	free(b.at);
}

static void shard_names_do_not_move_with_byte_items(void **state)
{
	struct bytes a = read_file("shard-1.distcp"), b = read_file("shard-2.distcp");
	struct layout x = label(a.at, a.len), y = label(b.at, b.len);

	(void)state;
	assert_true(a.len != b.len);
	assert_true(x.count > 8 && x.count == y.count);
	for (size_t i = 0; i < x.count; i++) {
		assert_string_equal(x.tensors[i].name, y.tensors[i].name);
		assert_true(x.tensors[i].off != y.tensors[i].off);
		assert_int_equal(x.tensors[i].len, y.tensors[i].len);
		assert_memory_equal(a.at + x.tensors[i].off, b.at + y.tensors[i].off, x.tensors[i].len);
	}
	layout_release(&x);
	layout_release(&y);
	free(a.at);
	free(b.at);
}

/* Byte items that are no archives: what stands behind them is labelled all the same. */
static void a_shard_may_begin_with_anything(void **state)
{
	struct bytes b = read_file("shard-1.distcp");
	struct layout plain = label(b.at, b.len), moved;
	size_t junk = 1000;
	uint8_t *file = malloc(junk + b.len);

	(void)state;
	assert_non_null(file);
	memset(file, 'j', junk);
	memcpy(file + junk, b.at, b.len);
	moved = label(file, junk + b.len);
	assert_int_equal(moved.format, FORMAT_DCP);
	assert_int_equal(moved.count, plain.count);
	for (size_t i = 0; i < plain.count; i++) {
		assert_int_equal(moved.tensors[i].off, plain.tensors[i].off + junk);
		assert_string_equal(moved.tensors[i].name, plain.tensors[i].name);
	}
	layout_release(&plain);
	layout_release(&moved);
	free(file);
	free(b.at);
}

/* --- legacy files made by hand, to reach the pickle scanner with any opcodes --- */

struct script {
	uint8_t bytes[1 << 16];
	size_t len;
};

static void emit(struct script *s, const void *bytes, size_t len)
{
	assert_true(s->len + len <= sizeof s->bytes);
	memcpy(s->bytes + s->len, bytes, len);
	s->len += len;
}

#define EMIT(s, text) emit(s, text, sizeof text - 1)

static void begin_legacy(struct script *s)
{
	s->len = 0;
	EMIT(s, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
		"\x80\x02M\xe9\x03."
		"\x80\x02}."
		"\x80\x02");
}

/* A tensor of two floats under the key "0". */
#define TENSOR                                                                                               \
	"ctorch._utils\n_rebuild_tensor_v2\n("                                                               \
	"(U\x07storagectorch\nFloatStorage\nU\x01"                                                           \
	"0U\x03"                                                                                             \
	"cpuK\x02NtQK\x00K\x02\x85K\x01\x85\x89}tR"

static void end_legacy(struct script *s)
{
	EMIT(s, ".\x80\x02]U\x01"
		"0a.");
	EMIT(s, "\x02\0\0\0\0\0\0\0"
		"abcdABCD");
}

static void expect_legacy(const struct script *s, const char *name)
{
	struct layout layout = label(s->bytes, s->len);

	check_sound(&layout, s->len);
	if (!name) {
		assert_int_equal(layout.format, FORMAT_OPAQUE);
	} else {
		assert_int_equal(layout.format, FORMAT_TORCH_LEGACY);
		assert_int_equal(layout.count, 1);
		assert_string_equal(layout.tensors[0].name, name);
		assert_int_equal(layout.tensors[0].dtype, DTYPE_F32);
		assert_int_equal(layout.tensors[0].ndims, 1);
		assert_int_equal(layout.tensors[0].dims[0], 2);
	}
	layout_release(&layout);
}

#define LEGACY(text, name)                                                                                   \
	do {                                                                                                 \
		begin_legacy(&s);                                                                            \
		EMIT(&s, text);                                                                              \
		end_legacy(&s);                                                                              \
		expect_legacy(&s, name);                                                                     \
	} while (0)

static void pickles_give_dotted_paths(void **state)
{
	static struct script s;

	(void)state;
	LEGACY(TENSOR, "tensor");
	LEGACY("}U\x01w" TENSOR "s", "w");
	LEGACY("}(U\x01"
	       "a}(U\x01"
	       "b](NNN" TENSOR "euu",
		"a.b.3");
	LEGACY("(U\x01"
	       "aN" TENSOR "NU\x01w0}0t",
		"2");
	LEGACY("(U\x01"
	       "a(N" TENSOR "ld",
		"a.1");
	/* an object of a class of the user's: its __dict__ is transparent, and so are Module's own */
	LEGACY("cmine\nModel\n)\x81}U\x08_modules}U\x03net" TENSOR "ssb", "net");
	/* whatever would be called is not */
	LEGACY("cos\nsystem\n(U\x04true" TENSOR "tR", "1");
	LEGACY("ctorch._utils\n_rebuild_parameter\n(" TENSOR "\x88}tR", "tensor");
	LEGACY("ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_tensor_v2\nctorch\nTensor\n("
	       "(U\x07storagectorch.cuda\nFloatStorage\nU\x01"
	       "0U\x03"
	       "cpuK\x02NtQK\x00K\x02\x85K\x01\x85\x89}t}tR",
		"tensor");
	/* the first place wins */
	LEGACY("}(U\x01"
	       "a" TENSOR "q\x00U\x01"
	       "bh\x00u",
		"a");
	/* a dict in itself */
	LEGACY("}q\x00(U\x01xh\x00U\x01y}q\x01(U\x01zh\x00U\x01w" TENSOR "uu", "y.w");
}

static void odd_pickles_are_opaque(void **state)
{
	static struct script s;

	(void)state;
	LEGACY("h\x07" TENSOR, NULL);		  /* no such memo */
	LEGACY(TENSOR "r\xff\xff\xff\xff", NULL); /* a memo of 64 GB */
	LEGACY(TENSOR "q\x01", NULL);
	LEGACY("\x86" TENSOR, NULL); /* too short a stack */
	LEGACY("t" TENSOR, NULL);
	LEGACY("u" TENSOR, NULL);
	LEGACY("(e" TENSOR, NULL);
	LEGACY("}(Nu" TENSOR, NULL);	 /* a key without a value */
	LEGACY("\x82\x01" TENSOR, NULL); /* EXT1 */
	LEGACY("I12\n" TENSOR, NULL);
	LEGACY("X\xff\xff\xff\x7f" TENSOR, NULL);
	LEGACY("\x8d\xff\xff\xff\xff\xff\xff\xff\xff" TENSOR, NULL);
	LEGACY("N", NULL); /* the key means nothing */
	/* what is popped, moved and unknown does no harm */
	LEGACY("0b" TENSOR, NULL);
	LEGACY("NN2000(NN1}" TENSOR "U\x01"
	       "aK\x01s",
		"tensor");
	/* a persistent id that is none */
	LEGACY("NQ0(U\x07storageNNNNtQ0)Q0" TENSOR, "tensor");
	LEGACY("cos\nsystem\nctorch\nFloatStorage\nR0ctorch._utils\n_rebuild_tensor_v2\n)R0" TENSOR,
		"tensor");
	/* a length that is not the pickle's */
	begin_legacy(&s);
	EMIT(&s, TENSOR ".\x80\x02]U\x01"
			"0a.\x01\0\0\0\0\0\0\0abcdABCD");
	expect_legacy(&s, NULL);
	begin_legacy(&s);
	EMIT(&s, TENSOR ".\x80\x02]U\x01"
			"0a.\xff\xff\xff\xff\xff\xff\xff\x7f"
			"abcdABCD");
	expect_legacy(&s, NULL);
	/* keys twice, keys unknown */
	begin_legacy(&s);
	EMIT(&s, TENSOR ".\x80\x02](U\x01"
			"0U\x01"
			"0e.\x02\0\0\0\0\0\0\0abcdABCD");
	expect_legacy(&s, NULL);
	/* the other byte order */
	s.len = 0;
	EMIT(&s, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03."
		 "\x80\x02}U\x0dlittle_endian\x89s.\x80\x02" TENSOR);
	end_legacy(&s);
	expect_legacy(&s, NULL);
}

/* t = (t, t), sixty times over: 2^60 leaves, each tuple is visited once. */
static void shared_tuples_cost_nothing(void **state)
{
	static struct script s;

	(void)state;
	begin_legacy(&s);
	EMIT(&s, "}U\x01t" TENSOR "q\x00\x85q\x01");
	for (int i = 1; i < 60; i++) {
		uint8_t op[] = {'h', (uint8_t)i, 0x86, 'q', (uint8_t)(i + 1)};
		emit(&s, op, sizeof op);
	}
	EMIT(&s, "sU\x01w"
		 "h\x00s");
	end_legacy(&s);
	struct layout layout = label(s.bytes, s.len);
	assert_int_equal(layout.count, 1);
	layout_release(&layout);
}

/* Directory entries that lay two storages over each other. */
static void overlapping_members_are_opaque(void **state)
{
	struct bytes b = read_file("state.pt");
	struct layout layout;
	uint8_t *first = NULL;

	(void)state;
	for (size_t i = 0; i + 46 < b.len; i++) {
		if (get_le32(b.at + i) != 0x02014b50 ||
			!memmem(b.at + i + 46, get_le16(b.at + i + 28), "/data/", 6))
			continue;
		if (!first)
			first = b.at + i;
		else
			memcpy(b.at + i + 42, first + 42, 4);
	}
	layout = label(b.at, b.len);
	assert_int_equal(layout.format, FORMAT_OPAQUE);
	layout_release(&layout);
	free(b.at);
}

/* A member that claims more elements than it has is left out, the others stay. */
static void an_odd_array_is_left_out(void **state)
{
	struct bytes b = read_file("arrays.npz");
	struct layout sound = label(b.at, b.len), odd;
	char *shape = memmem(b.at, b.len, "(10,)", 5);

	(void)state;
	assert_non_null(shape);
	memcpy(shape, "(19,)", 5);
	odd = label(b.at, b.len);
	assert_int_equal(odd.format, FORMAT_NPZ);
	assert_int_equal(odd.count, sound.count - 1);
	for (size_t i = 0; i < odd.count; i++)
		assert_string_not_equal(odd.tensors[i].name, "layer/b");
	layout_release(&sound);
	layout_release(&odd);
	free(b.at);
}

static void buffers_and_names(void **state)
{
	struct view_buffer buffer = {
		(const uint8_t *)"\x93NUMPY\x01\x00\x46\x00"
				 "{'descr': '<u2', 'fortran_order': False, 'shape': (2,), }"
				 "             ab12",
		84};
	struct view view = view_of_buffer(&buffer);
	struct layout layout, zero = {0};

	(void)state;
	assert_int_equal(formats_label(&view, &layout), 0);
	assert_int_equal(layout.format, FORMAT_NPY);
	assert_int_equal(layout.count, 1);
	assert_int_equal(layout.tensors[0].off, 80);
	assert_int_equal(layout.tensors[0].len, 4);
	layout_release(&layout);
	layout_release(&layout);
	layout_release(&zero);
	assert_string_equal(format_name(FORMAT_TORCH_LEGACY), "torch-legacy");
	assert_string_equal(format_name((enum format)99), "opaque");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_what_the_writers_wrote),
		cmocka_unit_test(any_truncation_is_sound),
		cmocka_unit_test(any_changed_byte_is_sound),
		cmocka_unit_test(an_error_of_the_view_is_passed_on),
		cmocka_unit_test(safetensors_that_are_odd_are_opaque),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(names_are_cut_and_clean),
		cmocka_unit_test(only_headers_are_read),
		cmocka_unit_test(a_shard_is_hopped_through),
		cmocka_unit_test(shard_names_do_not_move_with_byte_items),
		cmocka_unit_test(a_shard_may_begin_with_anything),
		cmocka_unit_test(pickles_give_dotted_paths),
		cmocka_unit_test(odd_pickles_are_opaque),
		cmocka_unit_test(shared_tuples_cost_nothing),
		cmocka_unit_test(overlapping_members_are_opaque),
		cmocka_unit_test(an_odd_array_is_left_out),
		cmocka_unit_test(buffers_and_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
