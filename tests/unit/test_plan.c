// links: m_encode
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/encode/private.h"

static void pieces_cover_file(void **state)
{
	(void)state;
	struct tensor tensors[] = {
		{.off = 100, .len = 2 * ENCODE_CHUNK + 10, .name = "a"},
		{.off = 100 + 2 * ENCODE_CHUNK + 10 + 64, .len = 16, .name = "tiny"},
		{.off = 100 + 2 * ENCODE_CHUNK + 10 + 64 + 16 + 30, .len = ENCODE_TENSOR_MIN, .name = "b"},
	};
	struct layout layout = {.tensors = tensors, .count = 3};
	uint64_t size = tensors[2].off + tensors[2].len + PLAN_GAP_MAX + 1;
	static const enum piece_kind expected[] = {PIECE_SKELETON, PIECE_TENSOR, PIECE_TENSOR, PIECE_TENSOR,
		PIECE_SKELETON, PIECE_TENSOR, PIECE_OPAQUE};
	struct plan plan;
	struct piece piece;
	uint64_t at = 0;
	size_t n = 0;

	plan_init(&plan, &layout, size);
	for (plan_next(&plan, &piece); piece.kind != PIECE_END; plan_next(&plan, &piece)) {
		assert_true(n < sizeof expected / sizeof *expected);
		assert_int_equal(piece.kind, expected[n++]);
		assert_int_equal(piece.off, at);
		assert_true(piece.len > 0);
		at += piece.len;
	}
	assert_int_equal(at, size);
	assert_int_equal(n, sizeof expected / sizeof *expected);
}

static void chunks_begin_where_tensors_begin(void **state)
{
	(void)state;
	struct tensor tensor = {.off = 12345, .len = 3 * ENCODE_CHUNK, .name = "t"};
	struct layout layout = {.tensors = &tensor, .count = 1};
	struct plan plan;
	struct piece piece;

	plan_init(&plan, &layout, tensor.off + tensor.len);
	plan_next(&plan, &piece);
	for (int i = 0; i < 3; i++) {
		plan_next(&plan, &piece);
		assert_int_equal(piece.kind, PIECE_TENSOR);
		assert_int_equal(piece.off, tensor.off + (uint64_t)i * ENCODE_CHUNK);
		assert_int_equal(piece.len, ENCODE_CHUNK);
		assert_int_equal(piece.first, i == 0);
	}
	plan_next(&plan, &piece);
	assert_int_equal(piece.kind, PIECE_END);
}

static void unlabelled_file_is_one_opaque_piece(void **state)
{
	(void)state;
	struct layout layout = {0};
	struct plan plan;
	struct piece piece;

	plan_init(&plan, &layout, 1000);
	plan_next(&plan, &piece);
	assert_int_equal(piece.kind, PIECE_OPAQUE);
	assert_int_equal(piece.len, 1000);
	plan_next(&plan, &piece);
	assert_int_equal(piece.kind, PIECE_END);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_cover_file),
		cmocka_unit_test(chunks_begin_where_tensors_begin),
		cmocka_unit_test(unlabelled_file_is_one_opaque_piece),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
