// links: m_util
/* Processors are counted as this process may use them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>

#include "store/util/processors.h"

static void quotas_are_rounded_up(void **state)
{
	(void)state;
	assert_int_equal(processors_of_quota("200000 100000\n"), 2);
	assert_int_equal(processors_of_quota("250000 100000\n"), 3);
	assert_int_equal(processors_of_quota("1000 100000"), 1);
	assert_int_equal(processors_of_quota("18446744073709551615 1000000"), 0);
}

static void no_quota_is_no_bound(void **state)
{
	static const char *const texts[] = {"max 100000\n", "", "\n", "5", "0 100000", "100000 0", "x y"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_int_equal(processors_of_quota(texts[i]), 0);
}

static void affinity_bounds(void **state)
{
	cpu_set_t all, one;
	int first = 0;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
	assert_in_range(processors_count(), 1, (unsigned)CPU_COUNT(&all));
	while (!CPU_ISSET(first, &all))
		first++;
	CPU_ZERO(&one);
	CPU_SET(first, &one);
	assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
	assert_int_equal(processors_count(), 1);
	assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quotas_are_rounded_up),
		cmocka_unit_test(no_quota_is_no_bound),
		cmocka_unit_test(affinity_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
