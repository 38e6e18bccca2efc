// links: m_dedup_report
/* Differences of texts lead from one to the other and are as few as can be; texts are shown in their columns.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dedup/report/diff.h"

/* Words that differ, by the table of all prefixes. */
static size_t fewest(const struct dedup_word_list *a, const struct dedup_word_list *b)
{
	size_t *row = calloc(b->count + 1, sizeof *row), found;

	for (size_t j = 0; j <= b->count; j++)
		row[j] = j;
	for (size_t i = 1; i <= a->count; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b->count; j++) {
			size_t above = row[j];

			if (a->v[i - 1].len == b->v[j - 1].len &&
				!memcmp(a->v[i - 1].text, b->v[j - 1].text, a->v[i - 1].len))
				row[j] = corner;
			else
				row[j] = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);
			corner = above;
		}
	}
	found = row[b->count];
	free(row);
	return found;
}

/* Follows the edits, which must cover both lists in order; how many words differ. */
static size_t follow(
	const struct dedup_edits *edits, const struct dedup_word_list *a, const struct dedup_word_list *b)
{
	size_t x = 0, y = 0, differ = 0;

	for (size_t i = 0; i < edits->count; i++) {
		const struct dedup_edit *e = &edits->v[i];

		assert_true(e->count > 0);
		assert_int_equal(e->a, x);
		assert_int_equal(e->b, y);
		assert_true(!i || e->kind != edits->v[i - 1].kind);
		for (size_t j = 0; e->kind == DEDUP_EDIT_SAME && j < e->count; j++)
			assert_true(a->v[x + j].len == b->v[y + j].len &&
				    !memcmp(a->v[x + j].text, b->v[y + j].text, a->v[x + j].len));
		x += e->kind != DEDUP_EDIT_NEW ? e->count : 0;
		y += e->kind != DEDUP_EDIT_GONE ? e->count : 0;
		differ += e->kind != DEDUP_EDIT_SAME ? e->count : 0;
	}
	assert_int_equal(x, a->count);
	assert_int_equal(y, b->count);
	return differ;
}

static size_t compare(const char *one, const char *other, size_t *best)
{
	struct dedup_word_list a = {0}, b = {0};
	struct dedup_edits edits = {0};
	size_t differ;

	assert_int_equal(dedup_word_list_of(&a, one, strlen(one)), 0);
	assert_int_equal(dedup_word_list_of(&b, other, strlen(other)), 0);
	assert_int_equal(dedup_diff(&edits, &a, &b), 0);
	differ = follow(&edits, &a, &b);
	*best = a.count * b.count < 1000000 ? fewest(&a, &b) : 0;
	dedup_edits_release(&edits);
	dedup_word_list_release(&a);
	dedup_word_list_release(&b);
	return differ;
}

static void finds_the_fewest_edits(void **state)
{
	char one[400], other[400];
	size_t best, differ;

	(void)state;
	assert_int_equal(compare("", "", &best), 0);
	assert_int_equal(compare(" a\tb\n\nc ", "a b c", &best), 0);
	assert_int_equal(compare("a b c", "", &best), 3);
	assert_int_equal(compare("", "a b c", &best), 3);
	assert_int_equal(compare("a b c d", "a x c d", &best), 2);
	srand(1);
	for (int round = 0; round < 3000; round++) {
		char *texts[2] = {one, other};

		for (int t = 0; t < 2; t++) {
			int words = rand() % 40;

			*texts[t] = 0;
			for (int i = 0; i < words; i++)
				sprintf(texts[t] + strlen(texts[t]), "%c ", 'a' + rand() % (2 + round % 9));
		}
		differ = compare(one, other, &best);
		assert_int_equal(differ, best);
	}
}

/* Two texts that have nothing in common but their ends, and are too long for the shortest way. */
static void gives_up_in_time(void **state)
{
	size_t words = 20000, best;
	char *one = malloc(words * 8 + 32), *other = malloc(words * 8 + 32);
	char *texts[2] = {one, other};

	(void)state;
	for (int t = 0; t < 2; t++) {
		char *at = texts[t] + sprintf(texts[t], "first ");

		for (size_t i = 0; i < words; i++)
			at += sprintf(at, "%c%zu ", 'a' + t, i);
		strcpy(at, "last");
	}
	assert_int_equal(compare(one, other, &best), 2 * words);
	free(one);
	free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_fewest_edits),
		cmocka_unit_test(gives_up_in_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
