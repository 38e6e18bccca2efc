// links: m_codec
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zstd.h>

#include "store/codec/cdc.h"

#define LEN (8u << 20)

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static uint8_t *noise(size_t len, uint64_t seed)
{
	uint8_t *p = malloc(len);

	assert_non_null(p);
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(next_random(&seed) >> 24);
	return p;
}

/* Cut offsets of all of src; returns how many. */
static size_t cut_all(const struct cdc *cdc, const uint8_t *src, size_t len, size_t *cuts, size_t capacity)
{
	size_t at = 0, n = 0;

	while (at < len) {
		size_t part = cdc_next(cdc, src + at, len - at);
		assert_in_range(part, 1, CDC_MAX);
		if (at + part < len)
			assert_in_range(part, CDC_MIN, CDC_MAX);
		at += part;
		assert_true(n < capacity);
		cuts[n++] = at;
	}
	assert_int_equal(at, len);
	return n;
}

static void sizes_are_in_bounds_and_near_the_average(void **state)
{
	uint8_t *src = noise(LEN, 1);
	size_t cuts[1024], n;
	struct cdc cdc;

	(void)state;
	cdc_init(&cdc, 5);
	n = cut_all(&cdc, src, LEN, cuts, 1024);
	assert_in_range(LEN / n, CDC_AVERAGE * 3 / 4, CDC_AVERAGE * 3 / 2);
	memset(src, 0, LEN);
	n = cut_all(&cdc, src, LEN, cuts, 1024);
	assert_int_equal(cuts[0], cuts[1] - cuts[0]); /* no matter where: the same everywhere */
	free(src);
}

static void short_data_is_one_chunk(void **state)
{
	uint8_t *src = noise(CDC_MIN + 1, 2);
	struct cdc cdc;

	(void)state;
	cdc_init(&cdc, 5);
	assert_int_equal(cdc_next(&cdc, src, 0), 0);
	assert_int_equal(cdc_next(&cdc, src, 1), 1);
	assert_int_equal(cdc_next(&cdc, src, CDC_MIN), CDC_MIN);
	assert_in_range(cdc_next(&cdc, src, CDC_MIN + 1), CDC_MIN, CDC_MIN + 1);
	free(src);
}

/* More bytes behind the longest chunk change nothing. */
static void a_cut_looks_at_no_more_than_the_longest_chunk(void **state)
{
	uint8_t *src = noise(2 * CDC_MAX, 3);
	struct cdc cdc;

	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		cdc_init(&cdc, seed);
		assert_int_equal(cdc_next(&cdc, src, 2 * CDC_MAX), cdc_next(&cdc, src, CDC_MAX));
	}
	free(src);
}

static void an_insertion_moves_few_cuts(void **state)
{
	const size_t at = 3000000, more = 137;
	uint8_t *src = noise(LEN, 4), *edited = malloc(LEN + more);
	size_t before[1024], after[1024], nb, na, shared = 0;
	struct cdc cdc;

	(void)state;
	assert_non_null(edited);
	memcpy(edited, src, at);
	memset(edited + at, 'x', more);
	memcpy(edited + at + more, src + at, LEN - at);
	cdc_init(&cdc, 6);
	nb = cut_all(&cdc, src, LEN, before, 1024);
	na = cut_all(&cdc, edited, LEN + more, after, 1024);
	for (size_t i = 0; i < nb; i++) {
		size_t moved = before[i] <= at ? before[i] : before[i] + more;
		for (size_t k = 0; k < na; k++)
			shared += after[k] == moved;
	}
	assert_in_range(nb - shared, 0, 6);
	free(src);
	free(edited);
}

static void the_seed_moves_the_cuts(void **state)
{
	uint8_t *src = noise(LEN, 7);
	size_t a[1024], b[1024], na, nb, shared = 0;
	struct cdc cdc;

	(void)state;
	cdc_init(&cdc, 1);
	na = cut_all(&cdc, src, LEN, a, 1024);
	cdc_init(&cdc, 2);
	nb = cut_all(&cdc, src, LEN, b, 1024);
	for (size_t i = 0; i < na; i++)
		for (size_t k = 0; k < nb; k++)
			shared += a[i] == b[k];
	assert_in_range(shared, 1, 5); /* the end is one */
	free(src);
}

/* Stores hold chunks cut like this; another rule would only cost duplicates, but silently. */
static void cuts_stay_where_they_were(void **state)
{
	static const size_t expected[] = {66682, 147565, 242368, 315869};
	uint8_t *src = noise(1u << 20, 8);
	size_t cuts[64];
	struct cdc cdc;

	(void)state;
	cdc_init(&cdc, UINT64_C(0x0123456789abcdef));
	cut_all(&cdc, src, 1u << 20, cuts, 64);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(cuts[i], expected[i]);
	free(src);
}

static void compressed_data_is_recognised(void **state)
{
	size_t len = 1u << 20, packed;
	uint8_t *src = noise(len, 9), *text = malloc(len), *dst = malloc(ZSTD_compressBound(len));
	uint64_t r = 77;

	(void)state;
	assert_true(text && dst);
	assert_true(cdc_incompressible(src, len));
	assert_true(cdc_incompressible(src, 4096));
	for (size_t i = 0; i < len; i++)
		text[i] = "etaoin shrdlu\n"[next_random(&r) % 14];
	assert_false(cdc_incompressible(text, len));
	packed = ZSTD_compress(dst, ZSTD_compressBound(len), text, len, 3);
	assert_false(ZSTD_isError(packed));
	assert_true(cdc_incompressible(dst, packed));
	/* without its signature too, by its bytes alone */
	assert_true(cdc_incompressible(dst + 100, packed - 100));
	/* a signature alone convinces nobody */
	memcpy(text, "\x28\xb5\x2f\xfd", 4);
	assert_false(cdc_incompressible(text, len));
	memset(text, 0, len);
	assert_false(cdc_incompressible(text, len));
	assert_false(cdc_incompressible(text, 0));
	/* a float tensor: one byte in four is regular */
	for (size_t i = 3; i < len; i += 4)
		src[i] = (uint8_t)(0x3c + (src[i] & 3));
	assert_false(cdc_incompressible(src, len));
	free(src);
	free(text);
	free(dst);
}

static void png_and_zip_count_by_their_bytes(void **state)
{
	uint8_t *src = noise(8192, 10);

	(void)state;
	/* bytes that are not quite flat, as headers among compressed data leave them */
	for (size_t i = 0; i < 8192; i += 24)
		src[i] = 0;
	assert_false(cdc_incompressible(src, 8192));
	memcpy(src, "\x89PNG\r\n\x1a\n", 8);
	assert_true(cdc_incompressible(src, 8192));
	memcpy(src, "PK\x03\x04\x14\0\0\0\x08\0", 10);
	assert_true(cdc_incompressible(src, 8192));
	memcpy(src, "PK\x03\x04\x14\0\0\0\0\0", 10); /* stored, as torch.save does */
	assert_false(cdc_incompressible(src, 8192));
	free(src);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_in_bounds_and_near_the_average),
		cmocka_unit_test(short_data_is_one_chunk),
		cmocka_unit_test(a_cut_looks_at_no_more_than_the_longest_chunk),
		cmocka_unit_test(an_insertion_moves_few_cuts),
		cmocka_unit_test(the_seed_moves_the_cuts),
		cmocka_unit_test(cuts_stay_where_they_were),
		cmocka_unit_test(compressed_data_is_recognised),
		cmocka_unit_test(png_and_zip_count_by_their_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
