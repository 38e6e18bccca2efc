// links: m_codec
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zstd.h>

#include "store/codec/codec.h"
#include "store/codec/numbers_avx2.h"
#include "store/codec/payload.h"
#include "store/codec/rans_avx2.h"
#include "store/codec/rans_avx512.h"
#include "store/codec/transform.h"
#include "store/codec/transform_avx2.h"
#include "store/codec/workspace.h"
#include "store/util/bytes.h"

#define GUARD 64
#define GUARD_BYTE 0xa7

static struct codec_workspace *ws;

/* With one base, or none. */
static int decode_on(struct codec_workspace *with, void *dst, size_t raw_len, const void *payload,
	size_t payload_len, enum codec codec, unsigned version, enum dtype dtype, const void *base,
	size_t base_len)
{
	const struct codec_bases bases = {.count = base != NULL, .at = {{base, base_len}}};

	return codec_decode(with, dst, raw_len, payload, payload_len, codec, version, dtype, &bases);
}

static int setup(void **state)
{
	(void)state;
	ws = codec_workspace_new();
	return ws ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	codec_workspace_free(ws);
	return 0;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Contents a tensor may have. */
enum content {
	RANDOM,
	ZERO,
	SMALL_FLOATS,
	WEIGHTS,
	SPECIAL_FLOATS,
	SPARSE,
	RAMP,
	PERIODIC,
	TEXT,
	CONTENT_COUNT
};

static uint64_t special_float(uint64_t r, size_t width)
{
	uint64_t top = UINT64_C(1) << (8 * width - 1);
	uint64_t exponent = width == 8	 ? UINT64_C(0x7ff0000000000000)
			    : width == 4 ? 0x7f800000
			    : width == 2 ? 0x7f80
					 : 0x7c;
	switch (r % 9) {
	case 0:
		return 0;
	case 1:
		return top; /* -0 */
	case 2:
		return exponent; /* inf */
	case 3:
		return exponent | top;
	case 4:
		return exponent | (r >> 8 & (exponent ^ (top - 1))) | 1; /* NaN with a payload */
	case 5:
		return exponent | (r >> 8 & (exponent ^ (top - 1))) | 1 | top;
	case 6:
		return r >> 8 & (exponent ^ (top - 1)); /* denormal */
	case 7:
		return (r >> 8 & (exponent ^ (top - 1))) | top;
	default:
		return r >> 8 & (top | (top - 1));
	}
}

static void fill(uint8_t *dst, size_t len, enum content content, size_t width, uint64_t seed)
{
	uint64_t r = seed * 2 + 1;
	static const char words[] = "the chunk, the base, the frame and the pack. ";

	for (size_t i = 0; i < len; i += width) {
		uint64_t x = 0;
		next_random(&r);
		switch (content) {
		case RANDOM:
			x = r;
			break;
		case SMALL_FLOATS:
			/* exponents around a mean, noise below */
			x = (r & ((UINT64_C(1) << (8 * width - 3)) - 1)) | (UINT64_C(1) << (8 * width - 3));
			x ^= (uint64_t)(r >> 60 & 1) << (8 * width - 1);
			break;
		case WEIGHTS:
			/* each step of the exponent half as often as the one above */
			x = 1 + (uint64_t)__builtin_clzll(r << 20 | 1);
			x = (UINT64_C(1) << (8 * width - 3)) - (x << (width == 1     ? 2
									: width == 8 ? 52
										     : 8 * width - 9));
			x ^= r >> 8 & ((UINT64_C(1) << (width == 1   ? 2
							: width == 8 ? 52
								     : 8 * width - 9)) -
					      1);
			x ^= (uint64_t)(r >> 60 & 1) << (8 * width - 1);
			break;
		case SPECIAL_FLOATS:
			x = special_float(r >> 4, width);
			break;
		case SPARSE:
			x = r >> 20 & 63 ? 7 : r;
			break;
		case RAMP:
			x = i / width;
			break;
		case PERIODIC:
			x = (i / width % 100) * UINT64_C(0x9e3779b97f4a7c15);
			break;
		case TEXT:
			for (size_t k = 0; k < width; k++)
				x = x << 8 |
				    (uint8_t)words[(i + k + (r >> 61 ? 0 : r >> 5)) % (sizeof words - 1)];
			break;
		default:
			break;
		}
		x = htole64(x);
		memcpy(dst + i, &x, len - i < width ? len - i : width);
	}
}

/* A neighbour of src as training makes it: most elements moved a little, some not. */
static void perturb(uint8_t *dst, const uint8_t *src, size_t len, size_t width, unsigned keep, uint64_t seed)
{
	uint64_t r = seed * 2 + 1;

	memcpy(dst, src, len);
	for (size_t i = 0; i + width <= len; i += width) {
		next_random(&r);
		if (r >> 40 & keep)
			continue;
		dst[i] = (uint8_t)(dst[i] + (r >> 8 & 15));
		if (width > 1 && !(r >> 50 & 7))
			dst[i + 1]++;
	}
}

/* Encodes into a buffer of just the bound, between guards, and decodes into one of just the length. */
static struct codec_result round_trip(const struct codec_input *in, enum codec_level level, int hint)
{
	struct codec_result result = {CODEC_COUNT, 0};
	uint8_t *dst = malloc(CODEC_BOUND(in->len) + 2 * GUARD), *back = malloc(in->len + 2 * GUARD),
		*payload;

	assert_non_null(dst);
	assert_non_null(back);
	memset(dst, GUARD_BYTE, CODEC_BOUND(in->len) + 2 * GUARD);
	memset(back, GUARD_BYTE, in->len + 2 * GUARD);
	assert_int_equal(codec_encode(ws, dst + GUARD, CODEC_BOUND(in->len), in, level, hint, &result), 0);
	assert_in_range(result.codec, 0, CODEC_COUNT - 1);
	assert_in_range(result.len, 1, in->len);
	for (size_t i = 0; i < GUARD; i++) {
		assert_int_equal(dst[i], GUARD_BYTE);
		assert_int_equal(dst[GUARD + CODEC_BOUND(in->len) + i], GUARD_BYTE);
	}
	/* a payload of its own, so that a sanitizer sees reads past it */
	payload = malloc(result.len);
	assert_non_null(payload);
	memcpy(payload, dst + GUARD, result.len);
	assert_int_equal(decode_on(ws, back + GUARD, in->len, payload, result.len, result.codec,
				 CODEC_VERSION, in->dtype, in->base, in->base_len),
		0);
	assert_memory_equal(back + GUARD, in->src, in->len);
	for (size_t i = 0; i < GUARD; i++) {
		assert_int_equal(back[i], GUARD_BYTE);
		assert_int_equal(back[GUARD + in->len + i], GUARD_BYTE);
	}
	free(payload);
	free(dst);
	free(back);
	return result;
}

/* A bit for every codec that there is. */
static unsigned all_codecs(void)
{
	unsigned all = 0;

	for (unsigned c = 0; c < CODEC_COUNT; c++)
		all |= (unsigned)codec_known(c) << c;
	return all;
}

/* They take bases of another kind, and are tested apart. */
static const unsigned derived_codecs = 1u << CODEC_DERIVED | 1u << CODEC_WIDENED | 1u << CODEC_MOMENT |
				       1u << CODEC_STEP | 1u << CODEC_ZSTD_BASES;

static const size_t lengths[] = {1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 255, 256, 511,
	1000, 4095, 4096, 4097, 16384, 16391, 40003};

static void every_dtype_and_content_comes_back(void **state)
{
	static const enum codec_level levels[] = {CODEC_FAST, CODEC_DEFAULT, CODEC_SMALL};
	uint8_t *src = malloc(40003), *base = malloc(40003);
	unsigned seen = 0;

	(void)state;
	assert_non_null(src);
	assert_non_null(base);
	/* the first number that is no dtype too */
	for (int dtype = 0; dtype <= DTYPE_COUNT; dtype++) {
		for (int content = 0; content < CONTENT_COUNT; content++) {
			for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
				size_t width = dtype_width((enum dtype)dtype) > 8
						       ? 8
						       : dtype_width((enum dtype)dtype);
				enum codec_level level = levels[(dtype + content + (int)i) % 3];
				struct codec_input in = {
					.src = src, .len = lengths[i], .dtype = (enum dtype)dtype};

				fill(src, in.len, (enum content)content, width, i + 1);
				seen |= 1u << round_trip(&in, level, -1).codec;
				in.base = base;
				in.base_len = in.len;
				perturb(base, src, in.len, width, content & 1 ? 15 : 0, i + 77);
				seen |= 1u << round_trip(&in, level, (int)(i % (CODEC_COUNT + 2)) - 1).codec;
				in.base_len = in.len / 2;
				seen |= 1u << round_trip(&in, level, CODEC_DIFF).codec;
			}
		}
	}
	/* every codec was chosen at least once */
	assert_int_equal(seen, all_codecs() & ~derived_codecs);
	free(src);
	free(base);
}

static void largest_chunk_comes_back(void **state)
{
	uint8_t *src = malloc(CODEC_CHUNK_MAX), *base = malloc(CODEC_CHUNK_MAX);

	(void)state;
	assert_non_null(src);
	assert_non_null(base);
	for (int content = 0; content < CONTENT_COUNT; content++) {
		struct codec_input in = {.src = src, .len = CODEC_CHUNK_MAX, .dtype = DTYPE_F32};
		fill(src, in.len, (enum content)content, 4, 9);
		round_trip(&in, CODEC_DEFAULT, -1);
		perturb(base, src, in.len, 4, 0, 3);
		in.base = base;
		in.base_len = in.len;
		round_trip(&in, CODEC_DEFAULT, -1);
		in.dtype = DTYPE_OPAQUE;
		round_trip(&in, CODEC_DEFAULT, -1);
		in.base_len = in.len - 12345;
		round_trip(&in, CODEC_DEFAULT, -1);
	}
	free(src);
	free(base);
}

static void odd_lengths_around_a_large_chunk_come_back(void **state)
{
	size_t len = (256u << 10) + 7;
	uint8_t *src = malloc(len), *base = malloc(len);

	(void)state;
	assert_non_null(src);
	assert_non_null(base);
	for (size_t cut = 0; cut < 16; cut++) {
		for (int dtype = 0; dtype < DTYPE_COUNT; dtype++) {
			size_t width =
				dtype_width((enum dtype)dtype) > 8 ? 8 : dtype_width((enum dtype)dtype);
			struct codec_input in = {.src = src,
				.len = len - cut,
				.dtype = (enum dtype)dtype,
				.base = base,
				.base_len = len - cut};
			fill(src, len, SMALL_FLOATS, width, cut + 5);
			perturb(base, src, len, width, 3, cut + 6);
			round_trip(&in, CODEC_DEFAULT, -1);
		}
	}
	free(src);
	free(base);
}

static void bad_lengths_are_refused(void **state)
{
	uint8_t byte = 1;
	struct codec_result result;
	struct codec_input in = {.src = &byte, .len = 0};

	(void)state;
	assert_int_equal(codec_encode(ws, &byte, 1, &in, CODEC_DEFAULT, -1, &result), -EINVAL);
	in.len = CODEC_CHUNK_MAX + 1;
	assert_int_equal(codec_encode(ws, &byte, SIZE_MAX, &in, CODEC_DEFAULT, -1, &result), -EINVAL);
	in.len = 1;
	assert_int_equal(codec_encode(ws, &byte, 0, &in, CODEC_DEFAULT, -1, &result), -EINVAL);
	assert_int_equal(decode_on(ws, &byte, 0, &byte, 0, CODEC_STORED, 1, DTYPE_U8, NULL, 0), -EBADMSG);
	assert_int_equal(
		decode_on(ws, &byte, CODEC_CHUNK_MAX + 1, &byte, 1, CODEC_CONSTANT, 1, DTYPE_U8, NULL, 0),
		-EBADMSG);
	assert_int_equal(
		decode_on(ws, &byte, 1, &byte, 1, CODEC_STORED, 2, DTYPE_U8, NULL, 0), -EPROTONOSUPPORT);
	assert_int_equal(
		decode_on(ws, &byte, 1, &byte, 1, CODEC_COUNT, 1, DTYPE_U8, NULL, 0), -EPROTONOSUPPORT);
	assert_int_equal(decode_on(ws, &byte, 1, &byte, 1, CODEC_DIFF, 1, DTYPE_U8, NULL, 0), -EBADMSG);
	assert_int_equal(decode_on(ws, &byte, 1, &byte, 1, CODEC_DIFF, 1, DTYPE_U8, &byte, 2), -EBADMSG);
}

static void names_and_bases(void **state)
{
	(void)state;
	static const enum codec codecs[] = {CODEC_STORED, CODEC_CONSTANT, CODEC_ZSTD, CODEC_ZSTD_BASE,
		CODEC_PLANES, CODEC_XOR, CODEC_DIFF, CODEC_SYMBOLS, CODEC_SYMBOLS_DIFF, CODEC_CHANGES,
		CODEC_DERIVED, CODEC_WIDENED, CODEC_MOMENT, CODEC_STEP, CODEC_ZSTD_BASES};
	unsigned known = 0;

	for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
		assert_true(codec_known(codecs[i]));
		assert_string_not_equal(codec_name(codecs[i]), "?");
		known |= 1u << codecs[i];
	}
	assert_int_equal(known, all_codecs());
	assert_true(codec_needs_base(CODEC_DERIVED) && codec_needs_base(CODEC_WIDENED));
	assert_true(codec_is_derived(CODEC_DERIVED) && codec_is_derived(CODEC_WIDENED));
	assert_false(codec_is_derived(CODEC_DIFF) || codec_is_derived(CODEC_PLANES));
	assert_string_equal(codec_name(CODEC_COUNT), "?");
	assert_string_equal(codec_name((enum codec)(CODEC_ZSTD_BASES + 1)), "?");
	assert_true(codec_needs_base(CODEC_SYMBOLS_DIFF) && codec_needs_base(CODEC_CHANGES));
	assert_false(codec_needs_base(CODEC_SYMBOLS));
	assert_true(codec_needs_base(CODEC_XOR) && codec_needs_base(CODEC_DIFF) &&
		    codec_needs_base(CODEC_ZSTD_BASE) && codec_needs_base(CODEC_ZSTD_BASES));
	assert_false(codec_needs_base(CODEC_PLANES) || codec_needs_base(CODEC_STORED) ||
		     codec_needs_base(CODEC_ZSTD));
}

/* How much smaller typical chunks become: a wrong transform would still round-trip. */
static void typical_chunks_shrink(void **state)
{
	size_t len = 256u << 10;
	uint8_t *src = malloc(len), *base = malloc(len);
	struct codec_input in = {.src = src, .len = len, .dtype = DTYPE_F32};

	(void)state;
	assert_non_null(src);
	assert_non_null(base);
	fill(src, len, ZERO, 4, 1);
	assert_int_equal(round_trip(&in, CODEC_DEFAULT, -1).len, 4);
	fill(src, len, RANDOM, 4, 1);
	assert_int_equal(round_trip(&in, CODEC_DEFAULT, -1).codec, CODEC_STORED);
	fill(src, len, SMALL_FLOATS, 4, 1);
	assert_in_range(round_trip(&in, CODEC_DEFAULT, -1).len, 1, len * 95 / 100);
	fill(src, len, PERIODIC, 4, 1);
	assert_in_range(round_trip(&in, CODEC_DEFAULT, -1).len, 1, len / 100);
	/* rows of noise, again and again */
	fill(src, 12000, SMALL_FLOATS, 4, 1);
	for (size_t i = 12000; i < len; i++)
		src[i] = src[i - 12000];
	assert_in_range(round_trip(&in, CODEC_DEFAULT, -1).len, 1, 14000);
	in.dtype = DTYPE_BF16;
	assert_in_range(round_trip(&in, CODEC_DEFAULT, -1).len, 1, 14000);
	in.dtype = DTYPE_I64;
	fill(src, len, RAMP, 8, 1);
	assert_in_range(round_trip(&in, CODEC_DEFAULT, -1).len, 1, len / 50);
	in.dtype = DTYPE_OPAQUE;
	fill(src, len, TEXT, 1, 1);
	assert_in_range(round_trip(&in, CODEC_DEFAULT, -1).len, 1, len / 2);
	/* one bf16 in 64 moves */
	in.dtype = DTYPE_BF16;
	in.base = base;
	in.base_len = len;
	fill(base, len, SMALL_FLOATS, 2, 1);
	perturb(src, base, len, 2, 63, 2);
	assert_in_range(round_trip(&in, CODEC_DEFAULT, -1).len, 1, len / 60);
	assert_in_range(codec_estimate(ws, &in), 1, len / 40);
	assert_int_equal(round_trip(&in, CODEC_DEFAULT, -1).codec, CODEC_CHANGES);
	/* all of one row in 32 */
	memcpy(src, base, len);
	for (size_t i = 0; i < len; i += 32 * 1024)
		perturb(src + i, base + i, 1024, 2, 0, i + 3);
	assert_in_range(round_trip(&in, CODEC_DEFAULT, -1).len, 1, len / 64);
	assert_int_equal(round_trip(&in, CODEC_DEFAULT, -1).codec, CODEC_DIFF);
	/* all of one row in four */
	memcpy(src, base, len);
	for (size_t i = 0; i < len; i += 4 * 1024)
		perturb(src + i, base + i, 1024, 2, 0, i + 3);
	assert_in_range(round_trip(&in, CODEC_DEFAULT, -1).len, 1, len / 8);
	/* a shifted copy of untyped noise */
	in.dtype = DTYPE_OPAQUE;
	fill(base, len, RANDOM, 8, 3);
	memcpy(src, base + 1000, len - 1000);
	in.len = len - 1000;
	assert_int_equal(round_trip(&in, CODEC_DEFAULT, -1).codec, CODEC_ZSTD_BASE);
	free(src);
	free(base);
}

static void estimates_are_near(void **state)
{
	size_t len = 256u << 10;
	uint8_t *src = malloc(len), *base = malloc(len);

	(void)state;
	assert_non_null(src);
	assert_non_null(base);
	for (unsigned keep = 0; keep < 64; keep = keep * 2 + 1) {
		struct codec_input in = {
			.src = src, .len = len, .dtype = DTYPE_F32, .base = base, .base_len = len};
		fill(base, len, SMALL_FLOATS, 4, keep + 1);
		perturb(src, base, len, 4, keep, 2);
		size_t real = round_trip(&in, CODEC_DEFAULT, -1).len, guess = codec_estimate(ws, &in);
		assert_in_range(guess, real * 85 / 100, real * 115 / 100);
		in.base = NULL;
		real = round_trip(&in, CODEC_DEFAULT, -1).len;
		guess = codec_estimate(ws, &in);
		assert_in_range(guess, real * 97 / 100, real * 103 / 100);
	}
	free(src);
	free(base);
}

/* The same chunk gives the same payload, whatever the workspace saw before. */
static void encoding_does_not_depend_on_the_past(void **state)
{
	size_t len = 50000;
	uint8_t *src = malloc(len), *a = malloc(len), *b = malloc(len);

	(void)state;
	assert_non_null(src);
	assert_non_null(a);
	assert_non_null(b);
	for (int content = 0; content < CONTENT_COUNT; content++) {
		struct codec_input in = {
			.src = src, .len = len, .dtype = content & 1 ? DTYPE_BF16 : DTYPE_OPAQUE};
		struct codec_workspace *fresh = codec_workspace_new();
		struct codec_result ra, rb;
		assert_non_null(fresh);
		fill(src, len, (enum content)content, 2, 4);
		assert_int_equal(codec_encode(ws, a, len, &in, CODEC_DEFAULT, -1, &ra), 0);
		assert_int_equal(codec_encode(fresh, b, len, &in, CODEC_DEFAULT, -1, &rb), 0);
		assert_int_equal(ra.codec, rb.codec);
		assert_int_equal(ra.len, rb.len);
		assert_memory_equal(a, b, ra.len);
		codec_workspace_free(fresh);
	}
	free(src);
	free(a);
	free(b);
}

/* Both instruction sets, every transform, width and some lengths. */
static void transforms_agree_and_invert(void **state)
{
	static const size_t counts[] = {1, 3, 31, 32, 33, 64, 1000, 4096, 5001};
	const struct transform_ops *fast = transform_avx2();
	size_t most = 5001 * 8;
	uint8_t *src = malloc(most), *base = malloc(most), *a = malloc(most), *b = malloc(most),
		*back = malloc(most);

	(void)state;
	assert_true(src && base && a && b && back);
	fill(src, most, RANDOM, 8, 1);
	fill(base, most, RANDOM, 8, 2);
	for (unsigned lw = 0; lw < TRANSFORM_WIDTHS; lw++) {
		for (int t = 0; t < TRANSFORM_COUNT; t++) {
			for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
				size_t n = counts[i], len = n << lw;
				uint8_t *pa[8], *pb[8];
				for (unsigned p = 0; p < 8; p++) {
					pa[p] = a + p * n;
					pb[p] = b + p * n;
				}
				transform_split(&transform_portable, lw, (enum transform)t, pa, src, base, n);
				transform_merge(&transform_portable, lw, (enum transform)t, back,
					(const uint8_t *const *)pa, base, n);
				assert_memory_equal(back, src, len);
				if (!fast)
					continue;
				transform_split(fast, lw, (enum transform)t, pb, src, base, n);
				assert_memory_equal(a, b, len);
				memset(back, 0, len);
				transform_merge(fast, lw, (enum transform)t, back, (const uint8_t *const *)pb,
					base, n);
				assert_memory_equal(back, src, len);
			}
		}
	}
	free(src);
	free(base);
	free(a);
	free(b);
	free(back);
}

/* What the header says the transforms are, on values worked out by hand. */
static void transforms_are_those_of_the_format(void **state)
{
	const uint16_t x = 0xbf81, b = 0x3f80;
	uint16_t y;

	(void)state;
	transform_portable.forward[1][TRANSFORM_ROTATE](&y, &x, NULL, 1);
	assert_int_equal(y, 0x7f03);
	transform_portable.forward[1][TRANSFORM_XOR](&y, &x, &b, 1);
	assert_int_equal(y, 0x8001);
	transform_portable.forward[1][TRANSFORM_XOR_ROTATE](&y, &x, &b, 1);
	assert_int_equal(y, 0x0003);
	transform_portable.forward[1][TRANSFORM_DIFF](&y, &x, &b, 1);
	assert_int_equal(y, 0xfffd); /* 0x8001 is -32767 */
	/* order: 0xbf81 -> 0x407e, 0x3f80 -> 0xbf80; difference 0x80fe is -32514 */
	transform_portable.forward[1][TRANSFORM_DIFF_FLOAT](&y, &x, &b, 1);
	assert_int_equal(y, 0xfe03);
}

/* Tables of bytes by class whose differences lie near each other, and ones whose do not. */
static void numbers_agree(void **state)
{
	enum { N = 1000, ROWS = 4 };
	const struct number_ops *ops[] = {&numbers_portable, numbers_avx2()};
	static uint8_t classes[N], symbols[2][N], known[2][256];
	static uint32_t numbers[2][N], counts[2][ROWS << 8];
	static uint64_t flags[2][N / 64 + 1];
	uint64_t seed = 7;

	(void)state;
	if (!ops[1])
		skip();
	for (unsigned first = 0; first < 256; first += 5) {
		uint8_t bytes[256], wide[256];
		struct class_bytes table, spans;
		for (unsigned c = 0; c < 256; c++)
			bytes[c] = c < first ? 0 : c < first + 20 ? 1 : c < first + 31 ? 2 : 3;
		table = class_bytes_of(bytes);
		assert_true(table.window == RANS_NO_WINDOW || table.window <= 224);
		for (unsigned c = 0; c < 256; c++)
			wide[c] = (uint8_t)(bytes[c] * 60 + 2);
		spans = class_bytes_of(wide);
		for (unsigned scattered = 0; scattered < 2; scattered++) {
			memset(counts, 0, sizeof counts);
			for (unsigned i = 0; i < N; i++) {
				classes[i] = (uint8_t)next_random(&seed);
				numbers[0][i] = numbers[1][i] = next_random(&seed) & 0x3ff;
			}
			for (unsigned k = 0; k < 2; k++) {
				ops[k]->split(numbers[k], symbols[k], classes, &table, -128, 0xffff, N - 1);
				ops[k]->count(counts[k], classes, symbols[k], &table, N - 1);
				ops[k]->outside(flags[k], classes, symbols[k], &table, &spans, N - 1);
				/* many or few more than those that were seen already */
				for (unsigned b = 0; b < 256; b++)
					known[k][b] = first % 2 ? b % 64 != first % 64 : b < first;
				ops[k]->see(known[k], symbols[0], N - first);
			}
			assert_memory_equal(known[0], known[1], sizeof known[0]);
			assert_memory_equal(numbers[0], numbers[1], sizeof numbers[0]);
			assert_memory_equal(symbols[0], symbols[1], N - 1);
			assert_memory_equal(counts[0], counts[1], sizeof counts[0]);
			assert_memory_equal(flags[0], flags[1], sizeof flags[0]);
			bytes[(first + 128) % 256] ^= 1;
			table = class_bytes_of(bytes);
		}
	}
}

/* Of elements whose shifts lie near each other, and ones whose do not, escapes among them. */
static void cuts_agree(void **state)
{
	enum { N = 1237 };
	static uint8_t src[2 * N], base[2 * N], symbols[2][N], classes[2][N];
	static uint16_t values[2][N];
	const struct number_ops *ops[] = {&numbers_portable, numbers_avx2()};
	cut_pairs_fn *cuts[] = {cut_pairs, cut_pairs_avx512()};
	uint64_t seed = 3;

	(void)state;
	for (unsigned i = 0; i < 2 * N; i++) {
		src[i] = (uint8_t)next_random(&seed);
		base[i] = i % 8 ? src[i] : (uint8_t)next_random(&seed);
	}
	for (unsigned t = 0; t < 12; t++) {
		uint8_t bytes[256];
		for (unsigned c = 0; c < 256; c++)
			bytes[c] = (uint8_t)(t < 4 ? t : t < 8 ? c / 8 % 2 + c / 100 : c % 16);
		const struct class_bytes shifts = class_bytes_of(bytes);
		struct cut cut = {.src = src,
			.base = t % 2 ? base : NULL,
			.n = N - t,
			.class_shift = t % 4 < 2 ? 7 : 10,
			.shifts = &shifts,
			.origin = t % 3 ? -128 : 96};
		for (unsigned k = 0; k < 4; k++) {
			unsigned at = k != 0;
			if (!cuts[k / 2] || !ops[k % 2])
				continue;
			cut.values = values[at];
			cut.symbols = symbols[at];
			cut.classes = classes[at];
			memset(values[at], 0, sizeof values[at]);
			cuts[k / 2](ops[k % 2], &cut);
			assert_memory_equal(values[0], values[at], sizeof values[0]);
			assert_memory_equal(symbols[0], symbols[at], cut.n);
			assert_memory_equal(classes[0], classes[at], cut.n);
		}
		for (unsigned i = 0; !t && i < cut.n; i++)
			assert_int_equal(values[0][i],
				(uint16_t)((src[2 * i + 1] << 9 | src[2 * i] << 1 | src[2 * i + 1] >> 7) -
					   cut.origin));
	}
}

/* Weights, and what one step and many make of them: the payload of every instruction set, decoded by every
 * other. */
static void coders_agree(void **state)
{
	static const enum dtype dtypes[] = {DTYPE_BF16, DTYPE_F16, DTYPE_F32, DTYPE_F8_E4M3};
	static const size_t sizes[] = {1024, 5000, 16391, 262143};
	const struct rans_ops *coders[] = {&rans_portable, rans_avx2(), rans_avx512()};
	const struct flags_ops *flaggers[] = {&flags_portable, flags_avx2(), flags_avx512()};
	const struct number_ops *numbers[] = {&numbers_portable, numbers_avx2(), numbers_avx2()};
	const struct rans_ops *coder = ws->coder;
	const struct flags_ops *flagger = ws->flagger;
	const struct number_ops *best_numbers = ws->numbers;
	cut_pairs_fn *cuts[] = {cut_pairs, cut_pairs, cut_pairs_avx512()};
	size_t most = 262144 * 4 + 3;
	uint8_t *src = malloc(most), *base = malloc(most), *first = malloc(most), *again = malloc(most);
	unsigned seen = 0;

	(void)state;
	assert_true(src && base && first && again);
	for (unsigned t = 0; t < 4 * 4 * 3; t++) {
		enum dtype dtype = dtypes[t % 4];
		size_t width = dtype_width(dtype), len = sizes[t / 4 % 4] * width + t % width;
		static const unsigned keeps[] = {0, 0, 127};
		struct codec_input in = {.src = src, .len = len, .dtype = dtype};
		struct codec_result a = {CODEC_STORED, 0}, b;

		fill(base, len, WEIGHTS, width, t);
		memcpy(src, base, len);
		if (t / 16) {
			perturb(src, base, len, width, keeps[t / 16], t);
			in.base = base;
			in.base_len = len;
		}
		for (unsigned i = 0; i < 3; i++) {
			if (!coders[i] || !numbers[i] || !cuts[i])
				continue;
			ws->coder = coders[i];
			ws->flagger = flaggers[i];
			ws->numbers = numbers[i];
			ws->cut = cuts[i];
			assert_int_equal(codec_encode(ws, again, len, &in, CODEC_DEFAULT, -1, &b), 0);
			if (!i) {
				a = b;
				memcpy(first, again, b.len);
			}
			assert_int_equal(a.codec, b.codec);
			assert_int_equal(a.len, b.len);
			assert_memory_equal(first, again, a.len);
			memset(again, 0, len);
			assert_int_equal(decode_on(ws, again, len, first, a.len, a.codec, CODEC_VERSION,
						 dtype, in.base, in.base_len),
				0);
			assert_memory_equal(again, src, len);
		}
		seen |= 1u << a.codec;
	}
	assert_true(
		seen & 1u << CODEC_SYMBOLS && seen & 1u << CODEC_SYMBOLS_DIFF && seen & 1u << CODEC_CHANGES);
	ws->coder = coder;
	ws->flagger = flagger;
	ws->numbers = best_numbers;
	ws->cut = cut_pairs_best();
	free(src);
	free(base);
	free(first);
	free(again);
}

/* At level fast lone floats are planes, the uppermost by rANS, with infinities and what is no number among
 * them: the same of every instruction set, and hardly larger. */
static void fast_floats_are_planes(void **state)
{
	static const enum dtype dtypes[] = {DTYPE_BF16, DTYPE_F16, DTYPE_F32};
	const struct rans_ops *coders[] = {&rans_portable, rans_avx2(), rans_avx512()};
	const struct number_ops *numbers[] = {&numbers_portable, numbers_avx2(), numbers_avx2()};
	const struct transform_ops *ops[] = {&transform_portable, transform_avx2(), transform_avx2()};
	const struct rans_ops *coder = ws->coder;
	const struct number_ops *best_numbers = ws->numbers;
	const struct transform_ops *best_ops = ws->ops;
	size_t most = 100003;
	uint8_t *src = malloc(most), *first = malloc(most), *again = malloc(most);

	(void)state;
	assert_true(src && first && again);
	for (unsigned t = 0; t < 6; t++) {
		size_t width = dtype_width(dtypes[t % 3]), len = most - t;
		struct codec_input in = {.src = src, .len = len, .dtype = dtypes[t % 3]};
		struct codec_result fast, usual;
		fill(src, len, WEIGHTS, width, t);
		for (size_t i = 0; t > 2 && i + width < len; i += 5000 * width)
			memset(src + i, 0xff, width);
		assert_int_equal(codec_encode(ws, first, len, &in, CODEC_DEFAULT, -1, &usual), 0);
		for (unsigned i = 0; i < 3; i++) {
			if (!coders[i] || !numbers[i] || !ops[i])
				continue;
			ws->coder = coders[i];
			ws->numbers = numbers[i];
			ws->ops = ops[i];
			assert_int_equal(codec_encode(ws, again, len, &in, CODEC_FAST, -1, &fast), 0);
			assert_int_equal(fast.codec, CODEC_PLANES);
			assert_int_equal(again[0], BLOCK_RANS);
			assert_in_range(fast.len, 1, usual.len + usual.len / 50);
			if (!i)
				memcpy(first, again, fast.len);
			assert_memory_equal(first, again, fast.len);
			assert_int_equal(decode_on(ws, again, len, first, fast.len, fast.codec, CODEC_VERSION,
						 in.dtype, NULL, 0),
				0);
			assert_memory_equal(again, src, len);
		}
		ws->coder = coder;
		ws->numbers = best_numbers;
		ws->ops = best_ops;
	}
	free(src);
	free(first);
	free(again);
}

struct golden {
	enum codec codec;
	enum dtype dtype;
	const char *raw, *base, *payload;
	int exact; /* the encoder gives this payload with the zstd release it was made with */
};

/* On disk somewhere: these must decode for ever. */
static const struct golden goldens[] = {
#include "fixtures/codec/golden.h"
};

static size_t from_hex(uint8_t *dst, size_t capacity, const char *hex)
{
	size_t n = strlen(hex) / 2;

	assert_true(n <= capacity);
	for (size_t i = 0; i < n; i++) {
		unsigned byte;
		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		dst[i] = (uint8_t)byte;
	}
	return n;
}

static void golden_payloads(void **state)
{
	uint8_t raw[1024], base[1024], payload[1024], out[1024];
	unsigned seen = 0;

	(void)state;
	for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++) {
		const struct golden *g = &goldens[i];
		size_t raw_len = from_hex(raw, sizeof raw, g->raw);
		size_t base_len = from_hex(base, sizeof base, g->base);
		size_t len = from_hex(payload, sizeof payload, g->payload);
		struct codec_input in = {.src = raw,
			.len = raw_len,
			.dtype = g->dtype,
			.base = base_len ? base : NULL,
			.base_len = base_len};
		struct codec_result result;

		seen |= 1u << g->codec;
		assert_int_equal(
			decode_on(ws, out, raw_len, payload, len, g->codec, 1, g->dtype, in.base, base_len),
			0);
		assert_memory_equal(out, raw, raw_len);
		if (!g->exact || ZSTD_versionNumber() != 10504)
			continue;
		assert_int_equal(codec_encode(ws, out, sizeof out, &in, CODEC_DEFAULT, -1, &result), 0);
		assert_int_equal(result.codec, g->codec);
		assert_int_equal(result.len, len);
		assert_memory_equal(out, payload, len);
	}
	assert_int_equal(seen, all_codecs() & ~derived_codecs);
}

/* --- f16, bf16 and f32 of each other --- */

/* By the arithmetic of the machine, for what is no NaN. */
static uint16_t bf16_of(float f)
{
	uint32_t x;

	memcpy(&x, &f, 4);
	double down, up, value = (double)f;
	uint32_t lower = x & 0xffff0000, upper = lower + 0x10000;
	float l, u;
	memcpy(&l, &lower, 4);
	memcpy(&u, &upper, 4);
	if (lower == x || (lower & 0x7f800000) == 0x7f800000)
		return (uint16_t)(lower >> 16);
	down = fabs(value - (double)l);
	/* the infinity stands for the power of two that it is the next of */
	up = fabs(((upper & 0x7f800000) == 0x7f800000 ? copysign(ldexp(1, 128), value) : (double)u) - value);
	if (down != up)
		return (uint16_t)((down < up ? lower : upper) >> 16);
	return (uint16_t)((lower & 0x10000 ? upper : lower) >> 16);
}

static double value_of_f16(uint16_t h)
{
	unsigned exponent = h >> 10 & 31, fraction = h & 0x3ff;
	double magnitude = exponent ? ldexp(1024 + fraction, (int)exponent - 25) : ldexp(fraction, -24);

	return h & 0x8000 ? -magnitude : magnitude; /* the infinity: the power of two in its place */
}

static uint16_t f16_of(float f)
{
	uint16_t low = 0, high = 0x7c00, sign = signbit(f) ? 0x8000 : 0;
	double value = fabs((double)f), below, above;

	while (high - low > 1) {
		uint16_t middle = (uint16_t)((low + high) / 2);
		if (value_of_f16(middle) <= value)
			low = middle;
		else
			high = middle;
	}
	if (value >= value_of_f16(0x7c00))
		return sign | 0x7c00;
	below = value - value_of_f16(low);
	above = value_of_f16(high) - value;
	if (below != above)
		return sign | (below < above ? low : high);
	return sign | (low & 1 ? high : low);
}

#define WIDE 4096u

static void fill_wide(uint8_t *wide, uint64_t seed)
{
	for (size_t i = 0; i < WIDE; i++) {
		uint32_t x = (uint32_t)(next_random(&seed) >> 16);
		/* near what is half way, and near the smallest and the largest of f16 */
		if (i % 4 == 1)
			x = (x & 0xffff0000) | (0x7fff + (x & 3));
		if (i % 4 == 2)
			x = (x & 0xffffe000) | (0xfff + (x & 3));
		if (i % 4 == 3)
			x = (x & 0x807fffff) | (100 + (x >> 8) % 45) << 23;
		if ((x & 0x7fffffff) > 0x7f800000)
			x &= 0xbfffffff;
		put_le32(wide + 4 * i, x);
	}
}

static void expect_derived(const struct codec_input *in, const struct codec_bases *bases, size_t skip,
	enum dtype from, enum codec codec, size_t at_most)
{
	uint8_t *payload = malloc(in->len), *back = malloc(in->len);
	struct codec_result result;

	assert_int_equal(
		codec_derive(ws, payload, in->len, in, bases,
			&(struct codec_function){.from = from, .skip = skip}, CODEC_DEFAULT, &result),
		0);
	assert_int_equal(result.codec, codec);
	assert_in_range(result.len, 1, at_most);
	assert_int_equal(codec_decode(ws, back, in->len, payload, result.len, codec, 1, in->dtype, bases), 0);
	assert_memory_equal(back, in->src, in->len);
	/* bases that are too short, or not there */
	struct codec_bases less = *bases;
	less.at[less.count - 1].len -= 4;
	assert_int_equal(
		codec_decode(ws, back, in->len, payload, result.len, codec, 1, in->dtype, &less), -EBADMSG);
	less.count = 0;
	assert_int_equal(
		codec_decode(ws, back, in->len, payload, result.len, codec, 1, in->dtype, &less), -EBADMSG);
	free(payload);
	free(back);
}

static void roundings_are_those_of_ieee(void **state)
{
	uint8_t wide[4 * WIDE], narrow[2 * WIDE];
	const struct codec_bases bases = {.count = 1, .at = {{wide, sizeof wide}}};

	(void)state;
	for (uint64_t seed = 1; seed <= 50; seed++) {
		fill_wide(wide, seed * 7919);
		for (enum dtype dtype = DTYPE_F16; dtype <= DTYPE_BF16; dtype++) {
			struct codec_input in = {.src = narrow, .len = sizeof narrow, .dtype = dtype};
			for (size_t i = 0; i < WIDE; i++) {
				float f;
				memcpy(&f, wide + 4 * i, 4);
				put_le16(narrow + 2 * i, dtype == DTYPE_F16 ? f16_of(f) : bf16_of(f));
			}
			assert_int_equal(codec_derived_matches(dtype, narrow, wide, WIDE), WIDE);
			/* two constant planes: all are as expected */
			expect_derived(&in, &bases, 0, DTYPE_F32, CODEC_DERIVED, 9);
		}
	}
}

static void every_f16_is_widened(void **state)
{
	uint8_t *narrow = malloc(2 * 65536), *wide = malloc(4 * 65536);
	const struct codec_bases bases = {.count = 1, .at = {{narrow, 2 * 65536}}};
	struct codec_input in = {.src = wide, .len = 4 * 65536, .dtype = DTYPE_F32};

	(void)state;
	for (unsigned h = 0; h < 65536; h++) {
		float f = (float)value_of_f16((uint16_t)h);
		uint32_t x;
		memcpy(&x, &f, 4);
		if ((h & 0x7c00) == 0x7c00)
			x = (h & 0x8000) << 16 | 0x7f800000 | (h & 0x3ff) << 13;
		put_le16(narrow + 2 * h, (uint16_t)h);
		put_le32(wide + 4 * h, x);
	}
	expect_derived(&in, &bases, 0, DTYPE_F16, CODEC_WIDENED, 13);
	for (unsigned h = 0; h < 65536; h++)
		put_le32(wide + 4 * h, h << 16);
	expect_derived(&in, &bases, 0, DTYPE_BF16, CODEC_WIDENED, 13);
	free(narrow);
	free(wide);
}

/* NaN of any payload, truncation, wrong expectations, odd places, elements that lie in two bases. */
static void derivations_are_exact_whatever_comes(void **state)
{
	uint8_t wide[4 * WIDE + 3], narrow[2 * WIDE];
	uint64_t r = 99;

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		size_t skip = round % 4, cut = next_random(&r) % (4 * WIDE), second = next_random(&r) % 9;
		struct codec_bases bases = {
			.count = 3, .at = {{wide, cut}, {wide + cut, second}, {wide + cut + second, 0}}};
		struct codec_input in = {.src = narrow, .len = sizeof narrow, .dtype = DTYPE_BF16};
		if (cut + second > 4 * WIDE)
			second = bases.at[1].len = 4 * WIDE - cut;
		bases.at[2] = (struct codec_base){wide + cut + second, sizeof wide - cut - second};
		for (size_t i = 0; i < sizeof wide; i += 1)
			wide[i] = (uint8_t)(next_random(&r) >> 32);
		for (size_t i = 0; i < WIDE; i++) {
			uint32_t x = get_le32(wide + skip % 4 + 4 * (i < WIDE - 1 ? i : 0));
			put_le16(narrow + 2 * i, (uint16_t)(x >> 16));
			if (next_random(&r) % 50 == 0)
				put_le16(narrow + 2 * i, (uint16_t)next_random(&r));
		}
		bases.at[2].len = 4 * WIDE + skip - cut - second;
		if (cut + second > 4 * WIDE + skip)
			continue;
		expect_derived(&in, &bases, skip, DTYPE_F32, CODEC_DERIVED, sizeof narrow / 8);
	}
}

static void what_is_not_derived_is_refused(void **state)
{
	uint8_t wide[4 * WIDE], narrow[2 * WIDE], payload[4 * WIDE];
	const struct codec_bases bases = {.count = 1, .at = {{wide, sizeof wide}}};
	struct codec_input in = {.src = narrow, .len = sizeof narrow, .dtype = DTYPE_BF16};
	struct codec_result result;
	uint64_t r = 5;

	(void)state;
	fill_wide(wide, 3);
	for (size_t i = 0; i < sizeof narrow; i++)
		narrow[i] = (uint8_t)(next_random(&r) >> 32);
	/* other numbers; other dtypes; too few bytes */
	assert_int_equal(
		codec_derive(ws, payload, sizeof payload, &in, &bases,
			&(struct codec_function){.from = DTYPE_F32, .skip = 0}, CODEC_DEFAULT, &result),
		-ENOENT);
	memset(narrow, 0, sizeof narrow);
	memset(wide, 0, sizeof wide);
	assert_int_equal(
		codec_derive(ws, payload, sizeof payload, &in, &bases,
			&(struct codec_function){.from = DTYPE_F32, .skip = 1}, CODEC_DEFAULT, &result),
		-ENOENT);
	assert_int_equal(
		codec_derive(ws, payload, sizeof payload, &in, &bases,
			&(struct codec_function){.from = DTYPE_F16, .skip = 0}, CODEC_DEFAULT, &result),
		-ENOENT);
	in.dtype = DTYPE_U16;
	assert_int_equal(
		codec_derive(ws, payload, sizeof payload, &in, &bases,
			&(struct codec_function){.from = DTYPE_F32, .skip = 0}, CODEC_DEFAULT, &result),
		-ENOENT);
	in.len = 0;
	assert_int_equal(
		codec_derive(ws, payload, sizeof payload, &in, &bases,
			&(struct codec_function){.from = DTYPE_F32, .skip = 0}, CODEC_DEFAULT, &result),
		-EINVAL);
	assert_int_equal(codec_derived_matches(DTYPE_U16, narrow, wide, 8), 0);
}

/* --- behind several bases --- */

/* Text whose halves are those of two others. */
static void near_takes_from_all_bases(void **state)
{
	enum { LEN = 60000 };
	uint8_t *noise = malloc(2 * LEN), *src = malloc(LEN), *dst = malloc(LEN), *back = malloc(LEN);
	struct codec_bases bases = {.count = 2, .at = {{noise, LEN}, {noise + LEN, LEN}}};
	struct codec_input in = {.src = src, .len = LEN, .dtype = DTYPE_OPAQUE};
	struct codec_result result, one;

	(void)state;
	fill(noise, 2 * LEN, RANDOM, 1, 5);
	memcpy(src, noise + 777, LEN / 2);
	memcpy(src + LEN / 2, noise + LEN + 99, LEN / 2);
	for (enum codec_level level = CODEC_DEFAULT; level <= CODEC_SMALL; level++) {
		assert_int_equal(codec_near(ws, dst, LEN, &in, &bases, level, &result), 0);
		assert_int_equal(result.codec, CODEC_ZSTD_BASES);
		assert_true(result.len < 200);
		assert_int_equal(codec_decode(ws, back, LEN, dst, result.len, CODEC_ZSTD_BASES, 1,
					 DTYPE_OPAQUE, &bases),
			0);
		assert_memory_equal(back, src, LEN);
	}
	/* Another order is another prefix: other bytes, or none. */
	struct codec_bases turned = {.count = 2, .at = {bases.at[1], bases.at[0]}};
	if (!codec_decode(ws, back, LEN, dst, result.len, CODEC_ZSTD_BASES, 1, DTYPE_OPAQUE, &turned))
		assert_memory_not_equal(back, src, LEN);
	bases.count = 1;
	assert_int_equal(codec_near(ws, dst, LEN, &in, &bases, CODEC_DEFAULT, &one), 0);
	assert_true(one.len > LEN / 2 && one.len < LEN / 2 + 500);
	/* Noise alone is stored; with no bases at all text is zstd. */
	assert_int_equal(codec_near(ws, dst, LEN, &in, NULL, CODEC_DEFAULT, &one), 0);
	assert_int_equal(one.codec, CODEC_STORED);
	fill(src, LEN, TEXT, 1, 5);
	assert_int_equal(codec_near(ws, dst, LEN, &in, NULL, CODEC_DEFAULT, &one), 0);
	assert_int_equal(one.codec, CODEC_ZSTD);
	assert_int_equal(codec_near(ws, dst, LEN - 1, &in, NULL, CODEC_DEFAULT, &one), -EINVAL);
	free(noise);
	free(src);
	free(dst);
	free(back);
}

static void hostile_nearness(void **state)
{
	static uint8_t base[CODEC_CHUNK_MAX];
	static const uint8_t frame[] = {
		0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x00, 0x21, 0x00, 0x00, 'a', 'b', 'c', 'd'};
	static const uint8_t dictionary[] = {0x37, 0xa4, 0x30, 0xec, 1, 2, 3, 4, 5};
	struct codec_bases bases = {.count = 2, .at = {{base, CODEC_CHUNK_MAX - 1}, {base, 1}}};
	uint8_t out[8];

	(void)state;
	assert_int_equal(
		codec_decode(ws, out, 4, frame, sizeof frame, CODEC_ZSTD_BASES, 1, DTYPE_U8, &bases), 0);
	assert_memory_equal(out, "abcd", 4);
	bases.at[1].len = 2; /* one byte too many */
	assert_int_equal(codec_decode(ws, out, 4, frame, sizeof frame, CODEC_ZSTD_BASES, 1, DTYPE_U8, &bases),
		-EBADMSG);
	bases.at[0] = (struct codec_base){dictionary, sizeof dictionary};
	assert_int_equal(codec_decode(ws, out, 4, frame, sizeof frame, CODEC_ZSTD_BASES, 1, DTYPE_U8, &bases),
		-EBADMSG);
	bases.at[0].len = bases.at[1].len = 0;
	assert_int_equal(codec_decode(ws, out, 4, frame, sizeof frame, CODEC_ZSTD_BASES, 1, DTYPE_U8, &bases),
		-EBADMSG);
	assert_int_equal(
		codec_decode(ws, out, 4, frame, sizeof frame, CODEC_ZSTD_BASES, 1, DTYPE_U8, NULL), -EBADMSG);
}

static void golden_derivations(void **state)
{
	static const struct {
		enum codec codec;
		enum dtype dtype;
		const char *raw, *first, *second, *payload;
		int err;
	} cases[] = {
		/* 3f800000 3fc08000 c0000000 3effffff to nearest; the last is off by one */
		{CODEC_DERIVED, DTYPE_BF16, "803fc03f00c0013f", "0000803f0080", "c03f000000c0ffffff3e",
			"000000000001000000000002", 0},
		/* the same truncated, and a tail */
		{CODEC_DERIVED, DTYPE_BF16, "803fc03f00c0ff3e77", "ffff0000803f0080", "c03f000000c0ffffff3e",
			"01020000000100010077", 0},
		{CODEC_DERIVED, DTYPE_F16, "003c003e00c00038", "0000803f0000c03f000000c00000003f", "",
			"000000000001000100", 0},
		{CODEC_WIDENED, DTYPE_F32, "0100803fff7fc03f", "803f", "c03f",
			"0200000000010001000000ff0002fe", 0},
		{CODEC_WIDENED, DTYPE_F32, "0000803f0000c0bf", "003c00be", "", "03000000000100010001000100",
			0},
		/* a mode for another dtype; none; no planes; a byte more; bases too short */
		{CODEC_DERIVED, DTYPE_F16, "0000", "0000803f", "", "010000000001000100", -EBADMSG},
		{CODEC_DERIVED, DTYPE_BF16, "0000", "0000803f", "", "020000000001000100", -EBADMSG},
		{CODEC_DERIVED, DTYPE_BF16, "0000", "0000803f", "", "040000000001000100", -EBADMSG},
		{CODEC_DERIVED, DTYPE_BF16, "0000", "0000803f", "", "", -EBADMSG},
		{CODEC_DERIVED, DTYPE_BF16, "0000", "0000803f", "", "0000000000", -EBADMSG},
		{CODEC_DERIVED, DTYPE_BF16, "0000", "0000803f", "", "00000000000100010000", -EBADMSG},
		{CODEC_DERIVED, DTYPE_BF16, "0000", "0000803f", "", "000100000001000100", -EBADMSG},
		{CODEC_DERIVED, DTYPE_BF16, "0000", "0000803f", "", "00ffffffff01000100", -EBADMSG},
		{CODEC_DERIVED, DTYPE_F32, "00000000", "0000", "", "02000000000100010001000100", -EBADMSG},
		{CODEC_WIDENED, DTYPE_BF16, "0000", "00000000", "", "000000000001000100", -EBADMSG},
		{CODEC_WIDENED, DTYPE_U32, "00000000", "0000", "", "02000000000100010001000100", -EBADMSG},
	};
	uint8_t raw[64], first[64], second[64], payload[64], out[64];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t raw_len = from_hex(raw, sizeof raw, cases[i].raw);
		size_t len = from_hex(payload, sizeof payload, cases[i].payload);
		struct codec_bases bases = {.count = 2,
			.at = {{first, from_hex(first, sizeof first, cases[i].first)},
				{second, from_hex(second, sizeof second, cases[i].second)}}};
		int err = codec_decode(
			ws, out, raw_len, payload, len, cases[i].codec, 1, cases[i].dtype, &bases);
		if (err != cases[i].err)
			fail_msg("case %zu: %d", i, err);
		if (!err)
			assert_memory_equal(out, raw, raw_len);
	}
}

static enum codec any_codec(unsigned r)
{
	do
		r = (r + 1) % CODEC_COUNT;
	while (!codec_known(r));
	return (enum codec)r;
}

/* The bits of what is expected are pinned: they are the same everywhere. */
static void golden_moments(void **state)
{
	static const struct {
		const char *raw, *v, *m, *before, *payload;
		int err;
	} cases[] = {
		/* b1 0.9, b2 0.999 of v 1, 2^-20, NaN, infinity */
		{"9ad9883fbecfa1390000c07f0000807f", "0000803f000080350000c07f0000807f",
			"0000803d0000803dcdcccc3d0000803f", "0000803f0000003c0000003e0000803f",
			"cdccccccccccec3f2b8716d9cef7ef3f0100010001000100", 0},
		/* a coefficient that is none, infinite ones: all is NaN */
		{"0000c07f", "0000803f", "0000803f", "0000803f",
			"000000000000f07f000000000000f83f0100010001000100", 0},
		{"0000c07f", "0000803f", "0000803f", "0000803f",
			"010000000000f0ff000000000000f0ff0100010001000100", 0},
		/* no planes; too short; bases of other lengths */
		{"0000803f", "0000803f", "0000803f", "0000803f", "000000000000e03f000000000000e03f",
			-EBADMSG},
		{"0000803f", "0000803f", "0000803f", "0000803f", "000000000000e03f0000000000", -EBADMSG},
		{"0000803f", "0000803f", "0000803f", "0000803f00",
			"000000000000e03f000000000000e03f0100010001000100", -EBADMSG},
		{"0000803f", "0000803f", "0000803f", "", "000000000000e03f000000000000e03f0100010001000100",
			-EBADMSG},
	};
	uint8_t raw[64], base[3][64], payload[64], out[64];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t raw_len = from_hex(raw, sizeof raw, cases[i].raw);
		size_t len = from_hex(payload, sizeof payload, cases[i].payload);
		struct codec_bases bases = {.count = 3,
			.at = {{base[0], from_hex(base[0], 64, cases[i].v)},
				{base[1], from_hex(base[1], 64, cases[i].m)},
				{base[2], from_hex(base[2], 64, cases[i].before)}}};
		int err = codec_decode(ws, out, raw_len, payload, len, CODEC_MOMENT, 1, DTYPE_F32, &bases);
		if (err != cases[i].err)
			fail_msg("case %zu: %d", i, err);
		if (!err)
			assert_memory_equal(out, raw, raw_len);
		bases.count = 2;
		assert_int_equal(
			codec_decode(ws, out, raw_len, payload, len, CODEC_MOMENT, 1, DTYPE_F32, &bases),
			-EBADMSG);
		bases.count = 3;
		assert_int_equal(
			codec_decode(ws, out, raw_len, payload, len, CODEC_MOMENT, 1, DTYPE_I32, &bases),
			-EBADMSG);
	}
}

/* The same of steps, whose arithmetic is of floats. */
static void golden_steps(void **state)
{
	static const struct {
		const char *raw, *first, *second, *third, *payload;
		int err;
		const char *fourth;
	} cases[] = {
		/* a second moment: of 1, 2^-20, a NaN, infinity */
		{"9ad9883fbfcfa1390000c07f0000807f", "0000803f000080354523c1ff0000807f",
			"0000803d0000803dcdcccc3d0000803f", "0000803f0000003c0000003e0000803f",
			"000000204177be7f3f6f12833a0100010001000100", 0, NULL},
		/* of denormals, zeros of both signs; the first is off by one */
		{"fb2201000000000001000000", "452301000000008001000000", "0000001a0000008007000000",
			"0100001a0000000003000080", "000000204177be7f3f6f12833a01000100010000020000", 0,
			NULL},
		/* weights: of 0.02, -1, a denormal, infinity */
		{"2592a33cb2f77fbf1e4c81ba0000807f", "0ad7a33c000080bf230100800000807f",
			"acc5273752499db9bd3786350000803f", "5f70893095bfd633dc2434280000803f",
			"0109fe7f3fd5e8d5386fa569310100010001000100", 0, NULL},
		/* second moments that are none: negative, zero under zero, NaN, infinity */
		{"0000c07f0000c07f0000c07f0000803f", "0000803f0000803f0000803f0000803f",
			"0000803f000000000000803f0000803f", "000080bf000000004523817f0000807f",
			"010000803f0000803f000000000100010001000100", 0, NULL},
		/* coefficients that are none */
		{"0000c07f0000c07f", "0000803f00000040", "0000803f00000040", "0000803f00000040",
			"010100c07f0000807f000080ff0100010001000100", 0, NULL},
		/* first moments: of 1e-5, -1e-5, nothing moved, a NaN */
		{"6adc183714ae80b7000000000000c07f", "acc52737acc527b795bfd633acc52737",
			"5f7089305f7089305f7089305f708930", "0ad7a33c0ad7a3bc000000000100c0ff",
			"0209fe7f3fd5e8d5386fa569310000204177be7f3f6f12833a0100010001000100", 0,
			"f415a43ce63fa4bc000000000ad7a33c"},
		/* denormal and infinite ones; weights moved farther than a gradient can */
		{"633934a80000c07f7126233c", "230100000000807f0ad7a33c", "070000000ad7a33c00000000",
			"acc527370ad7a33c0ad7a33c",
			"0209fe7f3fd5e8d5386fa569310000204177be7f3f6f12833a0100010001000100", 0,
			"acc5273723d9a33ce71da73c"},
		/* coefficients that are none */
		{"0000c07f0000c07f", "0000803f0000803f", "0000803f0000803f", "0000803f00000040",
			"020000803f000000000000807f000080ff0000803f0000803f0100010001000100", 0,
			"0000803f0000803f"},
		/* twelve of each, for the order of operations */
		{"08f4c53037e6493253673633874f7d3307eb69330d47f53383f5dc32e256b7337c159434fb620b33cbc652347f0"
		 "30833",
			"93727f2a8de12e30061d962eafbe072d26173e2e2b31552f1678e12d2380872f32968b2dbe53732caeec"
			"7e2fa2ed1630",
			"f415bcb8caad6eb75150b1b8305bc5b7a2634839ee452ab9f99fcc384358a6b83bfb69b9d5b018b9c850"
			"b7b9b7e84d39",
			"fb5da8b89fb7cb372fae2db95d988938abccef38bdd63db80e8f34385c7fd2373b6725b802dcb4b8ea20"
			"55b9c4e41339",
			"000000a04148e17a3f0ad7a33c0100010001000100", 0, NULL},
		{"18241937bef2c33bfa63b3bb293592bcbf8a07bc6d86a1bccd53a63a4545dc3cdd0721bc7a424abcd0b6203c965"
		 "be93b",
			"af62ce372fc9c33bb3a8b3bb21ea91bc8dfc14bcac78a2bcb0a99d3ab494db3c474921bc35514bbcee82"
			"203cb4e3e93b",
			"3896f436d09c9ab6428680b8b4c774383c5e01b99a2f25b834e8a3b9c977feb8408c4ab887e13ab98427"
			"2bb854d62338",
			"fd59cf323025c2335f34d136d4ee98342db4283178755a322f56233693307034322c8f35544a60355cd8"
			"9a35afed2b35",
			"01e3fe7f3fda03ad39335ba5330100010001000100", 0, NULL},
		{"3896f436209b9ab62c8680b8d1c874383d5e01b9c02f25b837e8a3b95c77feb8838b4ab8c3e13ab98c282bb849d"
		 "62338",
			"13db30371f22c3b8404e44b6ced091387cf30cb91ef03fb88f5b47b9c43707b9b31e41b97035c5b7c2e6"
			"04b9948de337",
			"fd0fd3326e1416335489d4366acb9b34d5a6213132925c327e1f1d36631475346f8380357f9d2f351610"
			"9735d00c2f35",
			"18241937bef2c33bfa63b3bb293592bcbf8a07bc6d86a1bccd53a63a4545dc3cdd0721bc7a424abcd0b6"
			"203c965be93b",
			"02e3fe7f3fda03ad39335ba5330000a04148e17a3f0ad7a33c0100010001000100", 0,
			"af62ce372fc9c33bb3a8b3bb21ea91bc8dfc14bcac78a2bcb0a99d3ab494db3c474921bc35514bbcee82"
			"203cb4e3e93b"},
		/* no such form with three bases, or none at all; no planes; a byte more; too short; nothing;
		   bases of other lengths */
		{"0000803f", "0000803f", "0000803f", "0000803f", "020000803f0000803f0000803f0100010001000100",
			-EBADMSG, NULL},
		{"0000803f", "0000803f", "0000803f", "0000803f", "ff0000803f0000803f0000803f0100010001000100",
			-EBADMSG, NULL},
		{"0000803f", "0000803f", "0000803f", "0000803f", "030000803f0000803f0000803f0100010001000100",
			-EBADMSG, NULL},
		{"0000803f", "0000803f", "0000803f", "0000803f", "000000803f0000803f0000803f", -EBADMSG,
			NULL},
		{"0000803f", "0000803f", "0000803f", "0000803f",
			"000000803f0000803f0000803f010001000100010000", -EBADMSG, NULL},
		{"0000803f", "0000803f", "0000803f", "0000803f", "000000803f0000803f", -EBADMSG, NULL},
		{"0000803f", "0000803f", "0000803f", "0000803f", "", -EBADMSG, NULL},
		{"0000803f", "0000803f", "0000803f", "0000803f00",
			"000000803f0000803f0000803f0100010001000100", -EBADMSG, NULL},
		{"0000803f", "0000803f00", "0000803f", "0000803f",
			"010000803f0000803f0000803f0100010001000100", -EBADMSG, NULL},
		{"0000803f", "0000803f", "0000803f", "", "010000803f0000803f0000803f0100010001000100",
			-EBADMSG, NULL},
		/* a fourth base of another length, too few coefficients, a base too many */
		{"0000803f", "0000803f", "0000803f", "0000803f",
			"020000803f0000803f0000803f0000803f0000803f0000803f0100010001000100", -EBADMSG,
			"0000803f00"},
		{"0000803f", "0000803f", "0000803f", "0000803f", "020000803f0000803f0000803f0100010001000100",
			-EBADMSG, "0000803f"},
		{"0000803f", "0000803f", "0000803f", "0000803f", "010000803f0000803f0000803f0100010001000100",
			-EBADMSG, "0000803f"},
	};
	uint8_t raw[64], base[4][64], payload[64], out[64];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t raw_len = from_hex(raw, sizeof raw, cases[i].raw);
		size_t len = from_hex(payload, sizeof payload, cases[i].payload);
		struct codec_bases bases = {.count = 3,
			.at = {{base[0], from_hex(base[0], 64, cases[i].first)},
				{base[1], from_hex(base[1], 64, cases[i].second)},
				{base[2], from_hex(base[2], 64, cases[i].third)}}};
		if (cases[i].fourth)
			bases.at[bases.count++] =
				(struct codec_base){base[3], from_hex(base[3], 64, cases[i].fourth)};
		int err = codec_decode(ws, out, raw_len, payload, len, CODEC_STEP, 1, DTYPE_F32, &bases);
		if (err != cases[i].err)
			fail_msg("case %zu: %d", i, err);
		if (!err)
			assert_memory_equal(out, raw, raw_len);
		bases.count--;
		assert_int_equal(
			codec_decode(ws, out, raw_len, payload, len, CODEC_STEP, 1, DTYPE_F32, &bases),
			cases[i].fourth && cases[i].payload[1] == '1' ? 0 : -EBADMSG);
		bases.count++;
		assert_int_equal(
			codec_decode(ws, out, raw_len, payload, len, CODEC_STEP, 1, DTYPE_I32, &bases),
			-EBADMSG);
	}
}

/* One parameter's numbers through one step of AdamW, as PyTorch rounds them. */
struct adam {
	float w, m, v;
};

static void adam_step(struct adam *p, float g, double lr, double decay, double b1, double b2, unsigned t)
{
	float c2 = (float)sqrt(1 - pow(b2, t)), rate = (float)(lr / (1 - pow(b1, t)));

	p->w *= (float)(1 - lr * decay);
	p->m += (float)(1 - b1) * (g - p->m);
	p->v = p->v * (float)b2 + (float)(1 - b2) * g * g;
	p->w -= rate * p->m / (sqrtf(p->v) / c2 + 1e-8f);
}

static float noise(uint64_t *r)
{
	double sum = 0;

	for (unsigned i = 0; i < 12; i++)
		sum += (double)(next_random(r) >> 40) / (1u << 24);
	return (float)(sum - 6);
}

/* Arrays of w, m and v as they were and as they are, with a tail of 3 bytes each. */
struct adam_arrays {
	uint8_t was[3][4 * WIDE + 3], is[3][4 * WIDE + 3];
};

static void fill_adam(struct adam_arrays *arrays, uint64_t seed, double decay, double b1, double b2)
{
	for (size_t i = 0; i < WIDE; i++) {
		uint64_t r = seed * 7919 + i;
		struct adam p = {.w = 0.02f * noise(&r)};
		for (unsigned t = 1; t <= 30; t++) {
			if (t == 30) {
				memcpy(arrays->was[0] + 4 * i, &p.w, 4);
				memcpy(arrays->was[1] + 4 * i, &p.m, 4);
				memcpy(arrays->was[2] + 4 * i, &p.v, 4);
			}
			adam_step(&p, 1e-4f * noise(&r), 3e-4, decay, b1, b2, t);
		}
		memcpy(arrays->is[0] + 4 * i, &p.w, 4);
		memcpy(arrays->is[1] + 4 * i, &p.m, 4);
		memcpy(arrays->is[2] + 4 * i, &p.v, 4);
	}
}

/* Numbers that no optimizer leaves: NaN of both signs and any payload, infinities, denormals, zeros. */
static void spoil(uint8_t *array, uint64_t *r)
{
	static const uint32_t odd[] = {0x7f800001, 0xffc12345, 0x7f800000, 0xff800000, 1, 0x80000001,
		0x80000000, 0, 0x007fffff, 0x7f7fffff};

	for (unsigned i = 0; i < 40; i++)
		put_le32(array + 4 * (next_random(r) % WIDE),
			odd[next_random(r) % (sizeof odd / sizeof *odd)]);
}

static struct codec_bases bases_of(const void *const *bytes, unsigned count)
{
	struct codec_bases bases = {.count = count};

	for (unsigned i = 0; i < count; i++)
		bases.at[i] = (struct codec_base){bytes[i], 4 * WIDE + 3};
	return bases;
}

static size_t step_len(const struct codec_step *step, const uint8_t *now, const struct codec_bases *bases)
{
	size_t len = 4 * WIDE + 3;
	struct codec_input in = {.src = now, .len = len, .dtype = DTYPE_F32};
	uint8_t *payload = malloc(len), *back = malloc(len);
	struct codec_result result;
	struct codec_bases less = *bases;
	const struct codec_function function = {.step = step};

	assert_int_equal(codec_derive(ws, payload, len, &in, bases, &function, CODEC_DEFAULT, &result), 0);
	assert_int_equal(result.codec, CODEC_STEP);
	assert_int_equal(
		codec_decode(ws, back, len, payload, result.len, CODEC_STEP, 1, DTYPE_F32, bases), 0);
	assert_memory_equal(back, now, len);
	less.at[1].len--;
	assert_int_equal(
		codec_derive(ws, payload, len, &in, &less, &function, CODEC_DEFAULT, &result), -ENOENT);
	free(payload);
	free(back);
	return result.len;
}

static void steps_round_trip(void **state)
{
	struct adam_arrays *a = calloc(1, sizeof *a);
	size_t len = 4 * WIDE + 3;
	uint64_t r = 31;

	(void)state;
	for (unsigned round = 0; round < 12; round++) {
		double b1 = round % 2 ? 0.9 : 0.95, b2 = round % 3 ? 0.999 : 0.98,
		       decay = round % 4 ? 0.1 : 0;
		const void *v_from[3] = {a->was[2], a->is[1], a->was[1]};
		const void *w_from[3] = {a->was[0], a->is[1], a->is[2]};
		const void *m_from[4] = {a->was[1], a->was[2], a->is[0], a->was[0]};
		struct codec_bases v = bases_of(v_from, 3), w = bases_of(w_from, 3), m = bases_of(m_from, 4);
		struct codec_step moment, weights, first, again;
		fill_adam(a, round, decay, b1, b2);
		assert_in_range(
			codec_step_fit(&moment, CODEC_STEP_MOMENT, NULL, 0, a->is[2], v_from, WIDE), 0, 1);
		assert_in_range(
			codec_step_fit(&weights, CODEC_STEP_WEIGHTS, NULL, 0, a->is[0], w_from, WIDE), 0, 1);
		first = codec_step_first(&weights, &moment);
		assert_in_range(codec_step_bits(&first, a->is[1], m_from, WIDE), 0, 10);
		assert_in_range(step_len(&moment, a->is[2], &v), 1, len / 16);
		assert_in_range(step_len(&weights, a->is[0], &w), 1, len / 16);
		assert_in_range(step_len(&first, a->is[1], &m), 1, len / 2);
		/* of a few elements there is no fit; what is known from others serves */
		const struct codec_step known[2] = {moment, weights};
		assert_in_range(
			codec_step_fit(&again, CODEC_STEP_WEIGHTS, known, 2, a->is[0], w_from, 2), 0, 1);
		assert_memory_equal(&again, &weights, sizeof again);
		/* moments of others */
		w_from[1] = a->is[1] + 4;
		w_from[2] = a->is[2] + 4;
		v_from[1] = a->is[1] + 4;
		v_from[2] = a->was[1] + 4;
		assert_in_range(
			codec_step_fit(&again, CODEC_STEP_WEIGHTS, known, 2, a->is[0], w_from, WIDE - 1), 13,
			32);
		assert_in_range(
			codec_step_fit(&again, CODEC_STEP_MOMENT, known, 2, a->is[2], v_from, WIDE - 1), 13,
			32);
		for (unsigned i = 0; i < 3; i++) {
			spoil(a->was[i], &r);
			spoil(a->is[i], &r);
		}
		assert_in_range(step_len(&moment, a->is[2], &v), 1, len / 4);
		assert_in_range(step_len(&weights, a->is[0], &w), 1, len / 4);
		assert_in_range(step_len(&first, a->is[1], &m), 1, len / 2);
	}
	struct codec_step none;
	const void *from[3] = {a->was[0], a->is[1], a->is[2]};
	assert_int_equal(codec_step_fit(&none, CODEC_STEP_MOMENT, NULL, 0, a, from, 0), 32);
	memset(a, 0xff, sizeof *a);
	assert_in_range(codec_step_fit(&none, CODEC_STEP_WEIGHTS, NULL, 0, a->is[0], from, WIDE), 16, 32);
	free(a);
}

/* Decoding damaged payloads: any outcome but a fault, and no byte outside dst. */
static void decode_hostile(
	const struct codec_input *in, enum codec codec, const uint8_t *payload, size_t len, size_t raw_len)
{
	uint8_t *copy = malloc(len ? len : 1), *back = malloc(raw_len + GUARD);

	assert_non_null(copy);
	assert_non_null(back);
	memcpy(copy, payload, len);
	memset(back + raw_len, GUARD_BYTE, GUARD);
	int err = decode_on(
		ws, back, raw_len, copy, len, codec, CODEC_VERSION, in->dtype, in->base, in->base_len);
	assert_true(err == 0 || err == -EBADMSG);
	for (size_t i = 0; i < GUARD; i++)
		assert_int_equal(back[raw_len + i], GUARD_BYTE);
	free(copy);
	free(back);
}

static void damaged_payloads_are_survived(void **state)
{
	size_t len = 3001;
	uint8_t *src = malloc(len), *base = malloc(len), *payload = malloc(len);
	uint64_t r = 12345;

	(void)state;
	assert_true(src && base && payload);
	for (int dtype = 0; dtype < DTYPE_COUNT; dtype++) {
		for (int content = 0; content < 2 * CONTENT_COUNT; content++) {
			struct codec_input in = {.src = src, .len = len, .dtype = (enum dtype)dtype};
			enum codec_level level = content % 2 ? CODEC_FAST : CODEC_DEFAULT;
			struct codec_result result;
			fill(src, len, (enum content)(content / 2), 4, 3);
			perturb(base, src, len, 4, 31, 3);
			if (content / 2 % 2) {
				in.base = base;
				in.base_len = len;
			}
			assert_int_equal(codec_encode(ws, payload, len, &in, level, -1, &result), 0);
			for (int k = 0; k < 60; k++) {
				size_t at = next_random(&r) % result.len;
				uint8_t was = payload[at];
				payload[at] = (uint8_t)(k & 1 ? was ^ 1u << (r >> 32 & 7) : r >> 40);
				decode_hostile(&in, result.codec, payload, result.len, len);
				decode_hostile(&in, any_codec((unsigned)(r >> 20)), payload, result.len, len);
				payload[at] = was;
			}
			for (size_t cut = 0; cut < result.len; cut += 1 + cut / 8)
				decode_hostile(&in, result.codec, payload, cut, len);
			decode_hostile(&in, result.codec, payload, result.len, 1);
			decode_hostile(&in, result.codec, payload, result.len, len + 8);
		}
	}
	free(src);
	free(base);
	free(payload);
}

/* A lone f32 of symbol 0 and no raw bits: the number 0. */
#define MODEL "7a40"
#define LANES_1 "00800000"
#define LANES_8 LANES_1 LANES_1 LANES_1 LANES_1 LANES_1 LANES_1 LANES_1 LANES_1
#define LANES_32 LANES_8 LANES_8 LANES_8 LANES_8
#define LANES_ODD "01800000" LANES_8 LANES_8 LANES_8 LANES_1 LANES_1 LANES_1 LANES_1 LANES_1 LANES_1 LANES_1
#define ONE_SYMBOL "08000002" MODEL LANES_32

/* Hand-made wrong payloads, each wrong in one way. */
static void wrong_payloads_are_refused(void **state)
{
	static const struct {
		enum codec codec;
		enum dtype dtype;
		size_t raw_len;
		const char *payload;
	} wrong[] = {
		{CODEC_STORED, DTYPE_U8, 4, "010203"},
		{CODEC_STORED, DTYPE_U8, 4, "0102030405"},
		{CODEC_CONSTANT, DTYPE_F32, 8, "010203"},
		{CODEC_CONSTANT, DTYPE_F32, 4, "01020304"},
		{CODEC_ZSTD, DTYPE_U8, 4, "01020304"},
		{CODEC_ZSTD, DTYPE_U8, 4, ""},
		{CODEC_PLANES, DTYPE_U8, 4, ""},
		{CODEC_PLANES, DTYPE_F32, 3, "00000000010203"}, /* no element */
		{CODEC_PLANES, DTYPE_U8, 4, "0501"},		/* no such method */
		{CODEC_PLANES, DTYPE_U8, 4, "00010203"},	/* short */
		{CODEC_PLANES, DTYPE_U8, 4, "0001020304ff"},	/* a byte more */
		{CODEC_PLANES, DTYPE_U8, 4, "01"},
		{CODEC_PLANES, DTYPE_U16, 5, "01020103"},    /* no tail */
		{CODEC_PLANES, DTYPE_U8, 4, "02ffffffff0f"}, /* varint of five bytes */
		{CODEC_PLANES, DTYPE_U8, 4, "028000"},	     /* not the shortest */
		{CODEC_PLANES, DTYPE_U8, 4, "027f"},
		{CODEC_PLANES, DTYPE_U8, 4, "0300ffffff7fffffff7f01000109"},
		{CODEC_PLANES, DTYPE_U8, 4, "030081000101020109"}, /* not the shortest */
		{CODEC_PLANES, DTYPE_U8, 4, "0300050501000101"},   /* more values than bytes */
		{CODEC_PLANES, DTYPE_U8, 4, "0300010100040109"},   /* placed past the end */
		{CODEC_PLANES, DTYPE_U8, 4, "030001020002000109"}, /* more gaps than values */
		{CODEC_PLANES, DTYPE_U8, 4, "030001010300"},	   /* sparse in sparse */
		{CODEC_PLANES, DTYPE_U8, 4, "0300010100ff0109"},   /* a value without a place */
		{CODEC_PLANES, DTYPE_U8, 4, "04"},
		{CODEC_PLANES, DTYPE_U8, 4, "0400"},
		{CODEC_PLANES, DTYPE_U8, 4, "048301"},
		{CODEC_PLANES, DTYPE_U8, 4,
			"0404"
			"02" MODEL "00"}, /* hardly a state */
		{CODEC_PLANES, DTYPE_U8, 4,
			"048401"
			"02" MODEL LANES_32 "00"}, /* half a word too many */
		{CODEC_PLANES, DTYPE_U8, 4,
			"048501"
			"02" MODEL LANES_32 "0000"}, /* a word too many */
		{CODEC_PLANES, DTYPE_U8, 4,
			"048301"
			"02" MODEL LANES_32 "00"}, /* a byte behind it */
		{CODEC_PLANES, DTYPE_U8, 4,
			"048301"
			"04" MODEL LANES_32}, /* of the model too many */
		{CODEC_PLANES, DTYPE_U8, 4,
			"048301"
			"02"
			"afa4" LANES_32}, /* a shift */
		{CODEC_PLANES, DTYPE_U8, 4,
			"048301"
			"02" MODEL LANES_ODD}, /* not the first state */
		{CODEC_PLANES, DTYPE_U8, 4,
			"0300010104"
			"83010"
			"2" MODEL LANES_32},			    /* in sparse */
		{CODEC_SYMBOLS, DTYPE_U8, 4, ONE_SYMBOL "00"},	    /* no float */
		{CODEC_SYMBOLS, DTYPE_F32, 3, ONE_SYMBOL "000000"}, /* no element */
		{CODEC_SYMBOLS, DTYPE_F32, 5, ONE_SYMBOL},	    /* no tail */
		{CODEC_SYMBOLS, DTYPE_F32, 4, ""},
		{CODEC_SYMBOLS, DTYPE_F32, 4, "080000"},
		{CODEC_SYMBOLS, DTYPE_F32, 4, "0800000101"},
		{CODEC_SYMBOLS, DTYPE_F32, 4, "18000002" MODEL LANES_32},	 /* a bit without a meaning */
		{CODEC_SYMBOLS, DTYPE_F32, 4, "00000002" MODEL LANES_32},	 /* of 64 lanes */
		{CODEC_SYMBOLS, DTYPE_F32, 4, "08000002" MODEL LANES_32 "0000"}, /* a word too many */
		{CODEC_SYMBOLS, DTYPE_F32, 4, "08000002" MODEL LANES_32 "00"},
		{CODEC_SYMBOLS, DTYPE_F32, 4,
			"08000003" MODEL "00" LANES_32},		   /* a byte of the model too many */
		{CODEC_SYMBOLS, DTYPE_F32, 4, "08000002" MODEL LANES_ODD}, /* not the first state */
		{CODEC_SYMBOLS_DIFF, DTYPE_F32, 4, ONE_SYMBOL},		   /* no base */
		{CODEC_CHANGES, DTYPE_F32, 4, ""},
	};
	uint8_t out[16], payload[256];

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		size_t len = from_hex(payload, sizeof payload, wrong[i].payload);
		assert_int_equal(decode_on(ws, out, wrong[i].raw_len, payload, len, wrong[i].codec, 1,
					 wrong[i].dtype, NULL, 0),
			-EBADMSG);
	}
	/* and the right one that those stand beside */
	size_t len = from_hex(payload, sizeof payload, "0300010101020109");
	assert_int_equal(decode_on(ws, out, 4, payload, len, CODEC_PLANES, 1, DTYPE_U8, NULL, 0), 0);
	assert_memory_equal(out, "\0\0\x09\0", 4);
	len = from_hex(payload, sizeof payload, ONE_SYMBOL "07");
	assert_int_equal(decode_on(ws, out, 5, payload, len, CODEC_SYMBOLS, 1, DTYPE_F32, NULL, 0), 0);
	assert_memory_equal(out, "\0\0\0\0\x07", 5);
	len = from_hex(payload, sizeof payload,
		"048301"
		"02" MODEL LANES_32);
	assert_int_equal(decode_on(ws, out, 4, payload, len, CODEC_PLANES, 1, DTYPE_U8, NULL, 0), 0);
	assert_memory_equal(out, "\0\0\0\0", 4);
	/* a gap of 255 + 42 */
	uint8_t wide[300];
	len = from_hex(payload, sizeof payload, "0300010200ff2a0009");
	assert_int_equal(
		decode_on(ws, wide, sizeof wide, payload, len, CODEC_PLANES, 1, DTYPE_U8, NULL, 0), 0);
	for (size_t i = 0; i < sizeof wide; i++)
		assert_int_equal(wide[i], i == 297 ? 9 : 0);
}

/* The library takes several frames, skippable ones, and those of its older formats; the format does
 * not. */
static void only_one_zstd_frame_is_taken(void **state)
{
	static const char *const refused[] = {
		"28b52ffd00000900006128b52ffd000009000062", /* two */
		"502a4d180000000028b52ffd0000110000006162", /* a skippable one before it */
		"28b52ffd000011000061620000",		    /* bytes after it */
	};
	uint8_t payload[64], out[2];

	(void)state;
	size_t len = from_hex(payload, sizeof payload, "28b52ffd00001100006162");
	assert_int_equal(decode_on(ws, out, 2, payload, len, CODEC_ZSTD, 1, DTYPE_U8, NULL, 0), 0);
	assert_memory_equal(out, "ab", 2);
	assert_int_equal(decode_on(ws, out, 2, payload, len, CODEC_ZSTD_BASE, 1, DTYPE_U8, "base", 4), 0);
	assert_int_equal(decode_on(ws, out, 1, payload, len, CODEC_ZSTD, 1, DTYPE_U8, NULL, 0), -EBADMSG);
	assert_int_equal(
		decode_on(ws, out, 2, payload, len, CODEC_ZSTD_BASE, 1, DTYPE_U8, "base", 0), -EBADMSG);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		len = from_hex(payload, sizeof payload, refused[i]);
		assert_int_equal(
			decode_on(ws, out, 2, payload, len, CODEC_ZSTD, 1, DTYPE_U8, NULL, 0), -EBADMSG);
		assert_int_equal(decode_on(ws, out, 2, payload, len, CODEC_ZSTD_BASE, 1, DTYPE_U8, "base", 4),
			-EBADMSG);
	}
}

/* zstd would read it as a dictionary of its own, with tables. */
static void a_base_like_a_dictionary_is_no_prefix(void **state)
{
	size_t len = 50000;
	uint8_t *src = malloc(len), *base = malloc(len), payload[16], out[2];
	struct codec_input in = {
		.src = src, .len = len - 100, .dtype = DTYPE_OPAQUE, .base = base, .base_len = len};

	(void)state;
	assert_true(src && base);
	fill(base, len, RANDOM, 8, 3);
	memcpy(src, base + 50, len - 100);
	assert_int_equal(round_trip(&in, CODEC_DEFAULT, -1).codec, CODEC_ZSTD_BASE);
	memcpy(base, "\x37\xa4\x30\xec", 4);
	assert_int_equal(round_trip(&in, CODEC_DEFAULT, -1).codec, CODEC_STORED);
	assert_int_equal(round_trip(&in, CODEC_SMALL, CODEC_ZSTD_BASE).codec, CODEC_STORED);
	size_t n = from_hex(payload, sizeof payload, "28b52ffd00001100006162");
	assert_int_equal(
		decode_on(ws, out, 2, payload, n, CODEC_ZSTD_BASE, 1, DTYPE_U8, base, len), -EBADMSG);
	free(src);
	free(base);
}

static void a_base_past_the_limit_is_not_used(void **state)
{
	size_t len = CODEC_CHUNK_MAX + 1;
	uint8_t *base = malloc(len), *src = malloc(len);
	struct codec_input in = {
		.src = src, .len = CODEC_CHUNK_MAX - 3, .dtype = DTYPE_OPAQUE, .base = base, .base_len = len};

	(void)state;
	assert_true(base && src);
	fill(base, len, RANDOM, 8, 3);
	memcpy(src, base, len);
	assert_int_equal(round_trip(&in, CODEC_DEFAULT, -1).codec, CODEC_STORED);
	in.base_len = len - 1;
	assert_int_equal(round_trip(&in, CODEC_DEFAULT, -1).codec, CODEC_ZSTD_BASE);
	free(src);
	free(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_dtype_and_content_comes_back),
		cmocka_unit_test(largest_chunk_comes_back),
		cmocka_unit_test(odd_lengths_around_a_large_chunk_come_back),
		cmocka_unit_test(bad_lengths_are_refused),
		cmocka_unit_test(names_and_bases),
		cmocka_unit_test(typical_chunks_shrink),
		cmocka_unit_test(estimates_are_near),
		cmocka_unit_test(encoding_does_not_depend_on_the_past),
		cmocka_unit_test(transforms_agree_and_invert),
		cmocka_unit_test(transforms_are_those_of_the_format),
		cmocka_unit_test(numbers_agree),
		cmocka_unit_test(cuts_agree),
		cmocka_unit_test(coders_agree),
		cmocka_unit_test(fast_floats_are_planes),
		cmocka_unit_test(golden_payloads),
		cmocka_unit_test(roundings_are_those_of_ieee),
		cmocka_unit_test(every_f16_is_widened),
		cmocka_unit_test(derivations_are_exact_whatever_comes),
		cmocka_unit_test(what_is_not_derived_is_refused),
		cmocka_unit_test(near_takes_from_all_bases),
		cmocka_unit_test(hostile_nearness),
		cmocka_unit_test(golden_derivations),
		cmocka_unit_test(golden_moments),
		cmocka_unit_test(golden_steps),
		cmocka_unit_test(steps_round_trip),
		cmocka_unit_test(damaged_payloads_are_survived),
		cmocka_unit_test(wrong_payloads_are_refused),
		cmocka_unit_test(only_one_zstd_frame_is_taken),
		cmocka_unit_test(a_base_like_a_dictionary_is_no_prefix),
		cmocka_unit_test(a_base_past_the_limit_is_not_used),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
