// links: m_fs
/* What the kernel holds: lookups, last names, and when its pages may stay. Passthrough itself is tried on a
 * real mount. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fs/nodes.h"

static int setup(void **state)
{
	struct nodes *nodes;

	if (nodes_new(&nodes))
		return -1;
	*state = nodes;
	return 0;
}

static int teardown(void **state)
{
	nodes_free(*state, NULL, NULL);
	return 0;
}

static void forgotten_when_unlinked(void **state)
{
	struct nodes *nodes = *state;

	assert_int_equal(nodes_add(nodes, 5), 0);
	assert_int_equal(nodes_add(nodes, 5), 0);
	assert_true(nodes_set_unlinked(nodes, 5, true));
	assert_false(nodes_forget(nodes, 5, 1));
	assert_true(nodes_forget(nodes, 5, 1));
	assert_false(nodes_set_unlinked(nodes, 5, true));
}

static void named_again(void **state)
{
	struct nodes *nodes = *state;

	assert_int_equal(nodes_add(nodes, 5), 0);
	nodes_set_unlinked(nodes, 5, true);
	nodes_set_unlinked(nodes, 5, false);
	assert_false(nodes_forget(nodes, 5, 1));
}

static void many(void **state)
{
	struct nodes *nodes = *state;
	const uint64_t count = 100000;

	for (uint64_t ino = 1; ino <= count; ino++) {
		assert_int_equal(nodes_add(nodes, ino), 0);
		assert_true(nodes_set_unlinked(nodes, ino, ino % 2));
	}
	for (uint64_t ino = 1; ino <= count; ino++)
		assert_int_equal(nodes_forget(nodes, ino, 1), ino % 2);
	assert_false(nodes_set_unlinked(nodes, 77, true));
}

static struct node_open open_cached(struct nodes *nodes, uint64_t version)
{
	const struct node_ask ask = {.reader = true, .dev_fd = -1, .content_fd = -1, .version = version};
	struct node_open open;
	bool denied;

	assert_int_equal(nodes_open(nodes, 9, &ask, &open, &denied), 0);
	assert_false(open.passthrough);
	assert_false(denied);
	return open;
}

static void pages_stay_while_the_version_does(void **state)
{
	struct nodes *nodes = *state;
	struct node_open a, b;

	assert_int_equal(nodes_add(nodes, 9), 0);
	a = open_cached(nodes, 3);
	assert_false(a.keep_cache);
	/* The kernel may not have dropped its older pages yet. */
	b = open_cached(nodes, 3);
	assert_false(b.keep_cache);
	nodes_close(nodes, 9, -1, &a);
	a = open_cached(nodes, 3);
	assert_true(a.keep_cache);
	nodes_close(nodes, 9, -1, &a);
	nodes_close(nodes, 9, -1, &b);
	a = open_cached(nodes, 4);
	assert_false(a.keep_cache);
	nodes_close(nodes, 9, -1, &a);
	/* Forgotten: the kernel's pages are gone, and what we knew of them. */
	nodes_forget(nodes, 9, 1);
	nodes_add(nodes, 9);
	a = open_cached(nodes, 4);
	assert_false(a.keep_cache);
	nodes_close(nodes, 9, -1, &a);
}

static struct node_open open_made(struct nodes *nodes, bool reader, bool writer, bool created)
{
	const struct node_ask ask = {.reader = reader,
		.writer = writer,
		.created = created,
		.may_direct = true,
		.dev_fd = -1,
		.content_fd = -1,
		.version = 1};
	struct node_open open;
	bool denied;

	assert_int_equal(nodes_open(nodes, 9, &ask, &open, &denied), 0);
	return open;
}

static struct node_open open_as(struct nodes *nodes, bool reader, bool writer)
{
	return open_made(nodes, reader, writer, false);
}

static void passthrough_refused(void **state)
{
	struct nodes *nodes = *state;
	const struct node_ask ask = {.writer = true, .reader = true, .dev_fd = 0x7fffffff, .version = 1};
	struct node_open open, late;
	bool denied;

	/* A device that takes no backing files: the open is relayed. */
	assert_int_equal(nodes_open(nodes, 9, &ask, &open, &denied), 0);
	assert_false(open.passthrough);
	assert_false(nodes_written_elsewhere(nodes, 9));
	/* and counts as such: nobody goes past its pages. */
	late = open_as(nodes, false, true);
	assert_false(late.direct);
	nodes_close(nodes, 9, -1, &late);
	nodes_close(nodes, 9, -1, &open);
}

static void writers_go_past_the_pages(void **state)
{
	struct nodes *nodes = *state;
	struct node_open reader, writer, late;

	assert_int_equal(nodes_add(nodes, 9), 0);
	reader = open_as(nodes, true, false);
	writer = open_as(nodes, false, true);
	assert_false(reader.direct);
	assert_false(writer.direct);
	nodes_close(nodes, 9, -1, &reader);
	nodes_close(nodes, 9, -1, &writer);

	writer = open_as(nodes, false, true);
	late = open_as(nodes, true, false);
	assert_true(writer.direct);
	assert_true(late.direct);
	nodes_close(nodes, 9, -1, &writer);
	reader = open_as(nodes, true, false);
	assert_true(reader.direct);
	nodes_close(nodes, 9, -1, &late);
	nodes_close(nodes, 9, -1, &reader);
	reader = open_as(nodes, true, false);
	assert_false(reader.direct);
	/* Pages read while a writer overtook them are not kept. */
	assert_false(reader.keep_cache);
	nodes_close(nodes, 9, -1, &reader);
	reader = open_as(nodes, true, true);
	assert_false(reader.direct);
	assert_true(reader.keep_cache);
	nodes_close(nodes, 9, -1, &reader);
}

static void makers_go_past_the_pages(void **state)
{
	struct nodes *nodes = *state;
	struct node_open maker;

	maker = open_made(nodes, true, true, true);
	assert_true(maker.direct);
	nodes_close(nodes, 9, -1, &maker);
	maker = open_made(nodes, true, true, false);
	assert_false(maker.direct);
	nodes_close(nodes, 9, -1, &maker);
	/* Who made it to read it gains nothing. */
	maker = open_made(nodes, true, false, true);
	assert_false(maker.direct);
	nodes_close(nodes, 9, -1, &maker);
}

static void count_one(void *ctx, uint64_t ino)
{
	*(uint64_t *)ctx += ino;
}

static void left_over(void **state)
{
	struct nodes *nodes;
	uint64_t sum = 0;

	(void)state;
	assert_int_equal(nodes_new(&nodes), 0);
	for (uint64_t ino = 1; ino <= 3; ino++)
		nodes_add(nodes, ino);
	nodes_set_unlinked(nodes, 1, true);
	nodes_set_unlinked(nodes, 3, true);
	nodes_free(nodes, count_one, &sum);
	assert_int_equal(sum, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(forgotten_when_unlinked, setup, teardown),
		cmocka_unit_test_setup_teardown(named_again, setup, teardown),
		cmocka_unit_test_setup_teardown(many, setup, teardown),
		cmocka_unit_test_setup_teardown(pages_stay_while_the_version_does, setup, teardown),
		cmocka_unit_test_setup_teardown(passthrough_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(writers_go_past_the_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(makers_go_past_the_pages, setup, teardown),
		cmocka_unit_test(left_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
