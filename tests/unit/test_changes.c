// links: m_codec
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/codec/codec.h"
#include "store/codec/flags.h"
#include "store/codec/rans_avx2.h"
#include "store/codec/rans_avx512.h"
#include "store/util/bytes.h"

#define FLAGS_MOST 5000u

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

struct flagged {
	uint8_t classes[FLAGS_MOST];
	uint64_t flags[FLAGS_MOST / 64 + 1], back[FLAGS_MOST / 64 + 1];
	uint8_t words[2 * FLAGS_MOST + FLAGS_SLACK];
};

/* Frequencies of the classes from `first` on, and flags that obey them; all else is as its neighbours. */
static void make_flags(
	struct flagged *f, struct flags_coder *c, size_t n, unsigned first, unsigned count, uint64_t seed)
{
	uint64_t r = seed * 0x9e3779b97f4a7c15u + 1;

	memset(f->flags, 0, sizeof f->flags);
	for (unsigned k = 0; k < 256; k++) {
		unsigned of = k < first ? 0 : k < first + count ? k - first : count - 1;
		c->set[k] = of == 0 ? 0 : of == 1 ? FLAGS_ONE - 1 : (of * of * 4) % FLAGS_ONE;
	}
	for (size_t i = 0; i < n; i++) {
		f->classes[i] = (uint8_t)(first + next_random(&r) % count);
		uint64_t set = (next_random(&r) >> 20) % FLAGS_ONE + c->set[f->classes[i]] >= FLAGS_ONE;
		f->flags[i / 64] |= set << i % 64;
	}
}

static void set_lanes(struct flags_coder *c, unsigned lanes)
{
	c->lane_count = lanes;
	for (unsigned i = 0; i < lanes; i++)
		c->lanes[i] = RANS_LOW | (i * 977 & 0x7fff);
}

/* Every instruction set writes the same words and states, and reads those of any. */
static void flags_agree(void **state)
{
	static const size_t counts[] = {0, 1, 63, 64, 65, 640, 1000, FLAGS_MOST};
	const struct flags_ops *ops[] = {&flags_portable, flags_avx2(), flags_avx512()};
	struct flagged *f = calloc(1, sizeof *f);
	struct flags_coder *c = calloc(1, sizeof *c);
	struct rans_shuffles shuffles;
	uint8_t first[sizeof f->words];
	uint32_t lanes[FLAGS_ROW];

	(void)state;
	assert_true(f && c);
	rans_shuffles_init(&shuffles);
	c->shuffles = &shuffles;
	for (unsigned t = 0; t < 7 * 8 * 2; t++) {
		size_t n = counts[t / 7 % 8], used = 0, len;
		unsigned window = t / 56 ? 30 : 200;
		make_flags(f, c, n, window == 30 ? 100 : 0, window, t);
		flags_prepare(c, 1);
		assert_int_equal(c->window != RANS_NO_WINDOW, window == 30);
		for (unsigned i = 0; i < 3; i++) {
			if (!ops[i])
				continue;
			set_lanes(c, 1u << t % 7);
			c->limit = f->words;
			c->at = f->words + 2 * FLAGS_MOST;
			assert_int_equal(ops[i]->encode(c, f->classes, f->flags, n), 0);
			len = (size_t)(f->words + 2 * FLAGS_MOST - c->at);
			if (!i) {
				used = len;
				memcpy(first, c->at, len);
				memcpy(lanes, c->lanes, sizeof lanes);
			}
			assert_int_equal(len, used);
			assert_memory_equal(first, c->at, len);
			assert_memory_equal(lanes, c->lanes, 4 * c->lane_count);
			memset(f->back, 0xff, sizeof f->back);
			c->limit = f->words + 2 * FLAGS_MOST;
			assert_int_equal(ops[i]->decode(c, f->classes, f->back, n), 0);
			assert_memory_equal(f->back, f->flags, (n + 63) / 64 * 8);
			assert_ptr_equal(c->at, c->limit);
			for (unsigned k = 0; k < c->lane_count; k++)
				assert_int_equal(c->lanes[k], RANS_LOW | (k * 977 & 0x7fff));
			/* no room, and no words */
			set_lanes(c, 1u << t % 7);
			c->limit = c->at = f->words + 2 * FLAGS_MOST;
			assert_int_equal(ops[i]->encode(c, f->classes, f->flags, n), used ? -ENOBUFS : 0);
			memcpy(c->lanes, lanes, sizeof lanes);
			c->limit = c->at = f->words + 2 * FLAGS_MOST;
			if (used)
				assert_int_equal(ops[i]->decode(c, f->classes, f->back, n), -EBADMSG);
		}
	}
	free(f);
	free(c);
}

/* The example of mithril-format(5), and what is wrong with others. */
static void wrong_changes_are_refused(void **state)
{
	static const uint8_t base[16] = {0, 0, 0x80, 0x3f, 0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0, 0x3f};
	static const struct {
		uint8_t len, bytes[24];
	} wrong[] = {
		{14, {0, 6, 0, 5, 0x7e, 0xba, 0x53, 0xfb, 0x18, 0x80, 0, 0, 0, 0xb0}}, /* right */
		{0, {0}}, {1, {0}},
		{14, {7, 6, 0, 5, 0x7e, 0xba, 0x53, 0xfb, 0x18, 0x80, 0, 0, 0, 0xb0}}, /* 128 lanes */
		{14, {1, 6, 0, 5, 0x7e, 0xba, 0x53, 0xfb, 0x18, 0x80, 0, 0, 0, 0xb0}},
		{13, {0, 6, 0, 5, 0x7e, 0xba, 0x53, 0xfb, 0x18, 0x80, 0, 0, 0}},
		{15, {0, 6, 0, 5, 0x7e, 0xba, 0x53, 0xfb, 0x18, 0x80, 0, 0, 0, 0xb0, 0}}, /* one more */
		{16, {0, 6, 0, 5, 0x7e, 0xba, 0x53, 0xfb, 0x18, 0x80, 0, 0, 0, 0xb0, 0, 0}},
		{14, {0, 20, 0, 5, 0x7e, 0xba, 0x53, 0xfb, 0x18, 0x80, 0, 0, 0, 0xb0}},
		{15, {0, 7, 0, 5, 0x7e, 0xba, 0x53, 0xfb, 0, 0x18, 0x80, 0, 0, 0, 0xb0}}, /* of the range */
		{8, {0, 6, 0, 5, 0x7e, 0xba, 0x53, 0xfb}},				  /* no states */
		{9, {0, 4, 0xff, 0xff, 0xff, 0xff, 0, 0, 0}},				  /* no levels */
	};
	struct codec_workspace *ws = codec_workspace_new();
	const struct codec_bases bases = {.count = 1, .at = {{base, sizeof base}}};
	uint8_t out[16];

	(void)state;
	assert_non_null(ws);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_int_equal(codec_decode(ws, out, sizeof out, wrong[i].bytes, wrong[i].len,
					 CODEC_CHANGES, CODEC_VERSION, DTYPE_F32, &bases),
			i ? -EBADMSG : 0);
	}
	codec_workspace_free(ws);
}

/* A state of the single lane, 2^15 and 15 signs, in 4 and 15 bits: no element changed, so no sign may be set,
 * nor a bit behind. */
static void signs_of_nothing_are_refused(void **state)
{
	uint8_t base[300] = {0}, out[300], payload[5] = {0};
	struct codec_workspace *ws = codec_workspace_new();
	const struct codec_bases bases = {.count = 1, .at = {{base, sizeof base}}};

	(void)state;
	assert_non_null(ws);
	for (unsigned bit = 16; bit < 40; bit++) {
		memset(payload, 0, sizeof payload);
		assert_int_equal(codec_decode(ws, out, sizeof out, payload, sizeof payload, CODEC_CHANGES,
					 CODEC_VERSION, DTYPE_BF16, &bases),
			0);
		assert_memory_equal(out, base, sizeof base);
		payload[bit / 8] = (uint8_t)(1 << bit % 8);
		assert_int_equal(codec_decode(ws, out, sizeof out, payload, sizeof payload, CODEC_CHANGES,
					 CODEC_VERSION, DTYPE_BF16, &bases),
			-EBADMSG);
	}
	codec_workspace_free(ws);
}

/* Few changes and many, of each width, amounts of all sizes: all come back. */
static void changes_come_back(void **state)
{
	static const enum dtype dtypes[] = {DTYPE_BF16, DTYPE_F32, DTYPE_F8_E5M2, DTYPE_F16};
	static const unsigned one_in[] = {20000, 3000, 500, 100, 30};
	struct codec_workspace *ws = codec_workspace_new();
	size_t most = 300000;
	uint8_t *src = malloc(most), *base = malloc(most), *payload = malloc(most), *back = malloc(most);
	uint64_t r = 3;
	unsigned seen = 0;

	(void)state;
	assert_true(ws && src && base && payload && back);
	for (unsigned t = 0; t < 4 * 5 * 2; t++) {
		size_t width = dtype_width(dtypes[t % 4]), len = (t / 20 ? 20001 : most - 7);
		struct codec_input in = {src, len, dtypes[t % 4], base, len};
		const struct codec_bases bases = {.count = 1, .at = {{base, len}}};
		struct codec_result result;
		for (size_t i = 0; i < len; i++)
			base[i] = (uint8_t)((next_random(&r) & next_random(&r)) >> 30);
		memcpy(src, base, len);
		for (size_t i = 0; i + width <= len; i += width) {
			uint64_t x = next_random(&r);
			if (x >> 20 & 1 && x >> 40 < (UINT64_C(1) << 24) / one_in[t / 4 % 5])
				src[i] = (uint8_t)(src[i] + (1 << (x & 3)));
		}
		assert_int_equal(codec_encode(ws, payload, len, &in, CODEC_DEFAULT, -1, &result), 0);
		seen += result.codec == CODEC_CHANGES;
		memset(back, 0, len);
		assert_int_equal(codec_decode(ws, back, len, payload, result.len, result.codec, CODEC_VERSION,
					 in.dtype, &bases),
			0);
		assert_memory_equal(back, src, len);
	}
	assert_in_range(seen, 20, 40);
	codec_workspace_free(ws);
	free(src);
	free(base);
	free(payload);
	free(back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_agree),
		cmocka_unit_test(wrong_changes_are_refused),
		cmocka_unit_test(signs_of_nothing_are_refused),
		cmocka_unit_test(changes_come_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
