// links: m_stage
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store/stage/private.h"

static void pops_in_order_of_time(void **state)
{
	(void)state;
	struct queue q = {0};
	uint64_t ino, wait, last = 0;

	srand(1);
	for (uint64_t i = 1; i <= 5000; i++)
		assert_int_equal(queue_put(&q, i, (uint64_t)rand() % 1000 + 1, 0, false), 0);
	assert_int_equal(q.used, 5000);
	for (int i = 0; i < 5000; i++) {
		/* The entry's time is the smallest now at which anything pops. */
		uint64_t now = last;
		while (!queue_pop(&q, now, false, &ino, &wait))
			now += wait ? wait : 1;
		assert_true(now >= last);
		last = now;
	}
	assert_int_equal(q.used, 0);
	assert_false(queue_pop(&q, UINT64_MAX, true, &ino, &wait));
	queue_release(&q);
}

static void later_put_supersedes(void **state)
{
	(void)state;
	struct queue q = {0};
	uint64_t ino, wait;

	queue_put(&q, 7, 10, 0, false);
	queue_put(&q, 7, 50, 0, false);
	assert_int_equal(q.used, 1);
	assert_false(queue_pop(&q, 20, false, &ino, &wait));
	assert_true(queue_pop(&q, 50, false, &ino, &wait));
	assert_int_equal(ino, 7);
	assert_false(queue_pop(&q, 100, false, &ino, &wait));
	queue_release(&q);
}

static void removed_does_not_pop(void **state)
{
	(void)state;
	struct queue q = {0};
	uint64_t ino, wait;

	for (uint64_t i = 1; i <= 3000; i++)
		queue_put(&q, i, i, 0, i % 3 == 0);
	assert_int_equal(q.deferred, 1000);
	for (uint64_t i = 2; i <= 3000; i += 2)
		queue_remove(&q, i);
	assert_int_equal(q.used, 1500);
	assert_int_equal(q.deferred, 500);
	for (uint64_t i = 1; i <= 3000; i += 2) {
		assert_true(queue_pop(&q, 5000, false, &ino, &wait));
		assert_int_equal(ino, i);
	}
	assert_false(queue_pop(&q, 5000, false, &ino, &wait));
	assert_int_equal(q.deferred, 0);
	queue_release(&q);
}

static void urgent_ignores_soft_times_only(void **state)
{
	(void)state;
	struct queue q = {0};
	uint64_t ino, wait;

	queue_put(&q, 1, 1000, 500, true);
	queue_put(&q, 2, 2000, 0, false);
	assert_false(queue_pop(&q, 100, false, &ino, &wait));
	assert_true(queue_pop(&q, 100, true, &ino, &wait));
	assert_int_equal(ino, 2);
	assert_false(queue_pop(&q, 100, true, &ino, &wait));
	assert_int_equal(wait, 400);
	assert_true(queue_pop(&q, 500, true, &ino, &wait));
	assert_int_equal(ino, 1);
	queue_release(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pops_in_order_of_time),
		cmocka_unit_test(later_put_supersedes),
		cmocka_unit_test(removed_does_not_pop),
		cmocka_unit_test(urgent_ignores_soft_times_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
