// links: m_dedup
/* Lines with one text lead to the one that stays by any order, and every line's fate is told in one step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dedup/outcome.h"

#define LINES 1000u
#define GROUPS 37u

/* A line leads to an earlier one with its text, not always the lowest; every tenth is none. */
static void make(struct dedup_outcome *outcome)
{
	assert_int_equal(dedup_outcome_init(outcome, 1), 0);
	assert_int_equal(dedup_lines_room(&outcome->lines, LINES - 1), 0);
	outcome->first_ids[1] = LINES;
	for (uint32_t id = 0; id < LINES; id++) {
		uint32_t step = id >= GROUPS ? id - GROUPS : id;

		while (step >= GROUPS && step % 10 == 9)
			step -= GROUPS;
		if (step < GROUPS)
			step = step % 10 == 9 ? id : step;
		*dedup_lines_at(&outcome->lines, id) = id % 10 == 9 ? DEDUP_LINE_BLANK : step;
	}
}

static bool later(const void *ctx, uint32_t a, uint32_t b)
{
	(void)ctx;
	return a > b;
}

static void settles(void **state)
{
	struct dedup_outcome outcome;

	(void)state;
	for (int last = 0; last < 2; last++) {
		uint32_t keeper[GROUPS];

		make(&outcome);
		for (uint32_t id = 0; id < GROUPS; id++)
			keeper[id] = UINT32_MAX;
		for (uint32_t id = 0; id < LINES; id++)
			if (id % 10 != 9 && (last || keeper[id % GROUPS] == UINT32_MAX))
				keeper[id % GROUPS] = id;
		dedup_outcome_settle(&outcome, last ? later : NULL, NULL);
		for (uint32_t id = 0; id < LINES; id++) {
			struct dedup_fate fate = dedup_outcome_of(&outcome, id);

			if (id % 10 == 9) {
				assert_int_equal(fate.how, DEDUP_HOW_BLANK);
				continue;
			}
			if (id % GROUPS % 10 == 9) /* groups whose lowest line is no record */
				continue;
			assert_int_equal(fate.keeper, keeper[id % GROUPS]);
			assert_int_equal(fate.how, fate.keeper == id ? DEDUP_HOW_STAYS : DEDUP_HOW_EXACT);
		}
		dedup_outcome_release(&outcome);
	}
}

static void ties(void **state)
{
	struct dedup_outcome outcome;
	struct dedup_fate fate;

	(void)state;
	make(&outcome);
	dedup_outcome_settle(&outcome, NULL, NULL);
	assert_int_equal(dedup_outcome_tie(&outcome, 5, 1, .875), 0);
	assert_int_equal(dedup_outcome_tie(&outcome, 2, 1, .75), 0);
	fate = dedup_outcome_of(&outcome, 2);
	assert_true(fate.how == DEDUP_HOW_NEAR && fate.keeper == 1 && fate.similarity == .75);
	fate = dedup_outcome_of(&outcome, 5 + GROUPS); /* the same text as 5 */
	assert_true(fate.how == DEDUP_HOW_NEAR && fate.keeper == 1 && fate.similarity == .875);
	fate = dedup_outcome_of(&outcome, 1);
	assert_true(fate.how == DEDUP_HOW_STAYS && fate.keeper == 1);
	fate = dedup_outcome_of(&outcome, 6 + GROUPS);
	assert_true(fate.how == DEDUP_HOW_EXACT && fate.keeper == 6 && fate.similarity == 1);
	dedup_outcome_release(&outcome);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settles),
		cmocka_unit_test(ties),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
