// links: m_util
/* Arrays that grow: what was put in stays, and room is made only when there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store/util/array.h"

static void keeps_what_was_put_in(void **state)
{
	size_t count = 0, capacity = 0, times = 0;
	uint64_t *items = NULL;

	(void)state;
	while (count < 100000) {
		size_t before = capacity;
		uint64_t *grown = array_grow(items, count, &capacity, sizeof *items);

		assert_non_null(grown);
		assert_true(capacity > count);
		if (before > count)
			assert_ptr_equal(grown, items);
		times += capacity != before;
		items = grown;
		items[count] = count * 7;
		count++;
	}
	for (size_t i = 0; i < count; i++)
		assert_int_equal(items[i], i * 7);
	assert_true(times < 20);
	free(items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_was_put_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
