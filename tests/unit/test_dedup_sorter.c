// links: m_dedup
/* What is put into a sorter comes out in order, in memory and from disk, and its files have no names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "dedup/cut_set.h"
#include "dedup/sorter.h"

#define COUNT 60000u /* over 8 runs of 1365 a thread: more than one round of merging */

static void make_work(struct dedup_work *work)
{
	const char *in = getenv("TMPDIR");

	*work = (struct dedup_work){.shards = 1};
	snprintf(work->dir, sizeof work->dir, "%s/sorter-XXXXXX", in && *in ? in : "/tmp");
	assert_non_null(mkdtemp(work->dir));
}

/* By two threads' numbers, in no order. */
static struct dedup_sorter *filled(const struct dedup_work *work, uint32_t count)
{
	struct dedup_sorter *sorter;

	assert_int_equal(dedup_sorter_new(work, "found", 2, 1, &sorter), 0);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t n = (uint32_t)((uint64_t)i * 7919 % count);

		assert_int_equal(
			dedup_sorter_add(sorter, i % 2, (struct dedup_triple){n / 10, n % 10, i}), 0);
	}
	assert_int_equal(dedup_sorter_finish(sorter), 0);
	return sorter;
}

static void all_come_in_order(void **state)
{
	struct dedup_work work;

	(void)state;
	make_work(&work);
	for (int i = 0; i < 6; i++) {
		uint32_t count = i / 2 == 0 ? 0 : i / 2 == 1 ? 100 : COUNT;
		struct dedup_sorter *sorter = filled(i % 2 ? &work : NULL, count);

		for (int again = 0; again < 2; again++) {
			struct dedup_sequence sequence;
			struct dedup_triple t;

			assert_int_equal(dedup_sequence_open(&sequence, sorter), 0);
			for (uint32_t n = 0; n < count; n++) {
				assert_int_equal(dedup_sequence_next(&sequence, &t), 1);
				assert_true(t.a == n / 10 && t.b == n % 10);
			}
			assert_int_equal(dedup_sequence_next(&sequence, &t), 0);
			dedup_sequence_close(&sequence);
		}
		assert_int_equal(dedup_sorter_count(sorter), count);
		dedup_sorter_free(sorter);
	}
	assert_int_equal(rmdir(work.dir), 0);
}

/* Twice over: the second cuts count bytes of what the first ones leave. */
static void fill(struct dedup_cut_set *set)
{
	for (uint32_t round = 0; round < 2; round++) {
		struct dedup_sorter *sorter;

		assert_int_equal(dedup_sorter_new(set->work, "found", 1, 1, &sorter), 0);
		for (uint32_t id = COUNT; id-- > 0;)
			if (id % (round + 2) == 0)
				assert_int_equal(
					dedup_sorter_add(sorter, 0, (struct dedup_triple){id, 10, 20}), 0);
		assert_int_equal(dedup_sorter_finish(sorter), 0);
		assert_int_equal(dedup_cut_set_add(set, sorter, dedup_cuts_settle), 0);
		dedup_sorter_free(sorter);
	}
}

static void cuts_of_lines(void **state)
{
	struct dedup_work work;

	(void)state;
	make_work(&work);
	for (int i = 0; i < 2; i++) {
		struct dedup_cut_set set;
		struct dedup_cut_reader reader = {.run = 0};
		struct dedup_cuts all = {0};

		dedup_cut_set_init(&set, i ? &work : NULL);
		fill(&set);
		for (uint32_t id = 0; id < COUNT; id++) {
			const struct dedup_cut *own;
			size_t count;
			uint32_t to = id % 2 == 0 && id % 3 == 0 ? 30 : 20;

			assert_int_equal(dedup_cut_set_of(&set, &reader, id, &own, &count), 0);
			assert_int_equal(count, id % 2 == 0 || id % 3 == 0);
			assert_true(!count || (own->id == id && own->from == 10 && own->to == to));
		}
		dedup_cut_reader_release(&reader);
		assert_int_equal(dedup_cut_set_take(&set, &all), 0);
		assert_int_equal(all.count, COUNT / 2 + COUNT / 3 - COUNT / 6);
		dedup_cuts_release(&all);
	}
	assert_int_equal(rmdir(work.dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_come_in_order),
		cmocka_unit_test(cuts_of_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
