// links: m_kv
/* The superblock's bytes and the store's lock. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <xxhash.h>

#include "store/kv/superblock.h"
#include "store/util/bytes.h"

static int setup(void **state)
{
	char *dir = strdup("/tmp/mithril-sb-XXXXXX");

	*state = dir;
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf %s", (char *)*state);
	free(*state);
	return system(command) ? -1 : 0;
}

static void reseal(uint8_t *block)
{
	put_le64(block + SUPERBLOCK_SIZE - 8, XXH3_64bits(block, SUPERBLOCK_SIZE - 8));
}

/* The layout is the contract of mithril-format(5): these offsets may not move. */
static void test_layout(void **state)
{
	const struct superblock sb = {.version = 1,
		.uuid = "0123456789abcde",
		.hash_seed = 0x1122334455667788,
		.created = 1700000000,
		.chunk_size = 1 << 20};
	uint8_t block[SUPERBLOCK_SIZE];

	(void)state;
	superblock_encode(&sb, block);
	assert_memory_equal(block, "MITHRIL\n", 8);
	assert_int_equal(get_le32(block + 8), 1);
	assert_int_equal(get_le32(block + 12), 0);
	assert_memory_equal(block + 16, "0123456789abcde", 16);
	assert_int_equal(get_le64(block + 32), 0x1122334455667788);
	assert_int_equal(get_le64(block + 40), 1700000000);
	assert_int_equal(get_le32(block + 48), 1 << 20);
	for (size_t i = 52; i < SUPERBLOCK_SIZE - 8; i++)
		assert_int_equal(block[i], 0);
	assert_int_equal(get_le64(block + SUPERBLOCK_SIZE - 8), XXH3_64bits(block, SUPERBLOCK_SIZE - 8));
}

static void test_round_trip(void **state)
{
	struct superblock a, b, other;
	uint8_t block[SUPERBLOCK_SIZE];

	(void)state;
	assert_int_equal(superblock_generate(&a), 0);
	assert_int_equal(superblock_generate(&other), 0);
	assert_memory_not_equal(a.uuid, other.uuid, 16);
	assert_int_not_equal(a.hash_seed, other.hash_seed);
	superblock_encode(&a, block);
	assert_int_equal(superblock_decode(&b, block, sizeof block), 0);
	assert_memory_equal(&a, &b, sizeof a);
}

static void test_every_flipped_bit(void **state)
{
	struct superblock sb;
	uint8_t block[SUPERBLOCK_SIZE];

	(void)state;
	superblock_generate(&sb);
	superblock_encode(&sb, block);
	for (size_t bit = 0; bit < SUPERBLOCK_SIZE * 8; bit++) {
		block[bit / 8] ^= 1 << bit % 8;
		assert_int_equal(superblock_decode(&sb, block, sizeof block), bit < 64 ? -EINVAL : -EBADMSG);
		block[bit / 8] ^= 1 << bit % 8;
	}
}

static void test_refusals(void **state)
{
	struct superblock sb;
	uint8_t block[SUPERBLOCK_SIZE + 1] = {0};

	(void)state;
	assert_int_equal(superblock_decode(&sb, block, SUPERBLOCK_SIZE), -EINVAL);
	assert_int_equal(superblock_decode(&sb, block, 0), -EINVAL);
	superblock_generate(&sb);
	superblock_encode(&sb, block);
	assert_int_equal(superblock_decode(&sb, block, SUPERBLOCK_SIZE - 1), -EBADMSG);
	assert_int_equal(superblock_decode(&sb, block, SUPERBLOCK_SIZE + 1), -EBADMSG);
	put_le32(block + 8, 7);
	reseal(block);
	assert_int_equal(superblock_decode(&sb, block, SUPERBLOCK_SIZE), -EPROTONOSUPPORT);
	assert_int_equal(sb.version, 7);
	put_le32(block + 8, 1);
	put_le32(block + 12, 1);
	reseal(block);
	assert_int_equal(superblock_decode(&sb, block, SUPERBLOCK_SIZE), -EPROTONOSUPPORT);
	put_le32(block + 12, 0);
	put_le32(block + 48, 0);
	reseal(block);
	assert_int_equal(superblock_decode(&sb, block, SUPERBLOCK_SIZE), -EBADMSG);
}

static void test_file(void **state)
{
	const char *dir = *state;
	struct superblock a, b;
	struct stat st;
	char path[128];

	superblock_generate(&a);
	assert_int_equal(superblock_read(dir, &b), -ENOENT);
	assert_int_equal(superblock_write("/nonexistent", &a), -ENOENT);
	assert_int_equal(superblock_write(dir, &a), 0);
	assert_int_equal(superblock_read(dir, &b), 0);
	assert_memory_equal(&a, &b, sizeof a);
	superblock_generate(&a);
	assert_int_equal(superblock_write(dir, &a), 0);
	assert_int_equal(superblock_read(dir, &b), 0);
	assert_memory_equal(&a, &b, sizeof a);
	snprintf(path, sizeof path, "%s/superblock.new", dir);
	assert_int_equal(access(path, F_OK), -1);
	snprintf(path, sizeof path, "%s/superblock", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, SUPERBLOCK_SIZE);
	assert_int_equal(truncate(path, SUPERBLOCK_SIZE + 1), 0);
	assert_int_equal(superblock_read(dir, &b), -EBADMSG);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(superblock_read(dir, &b), -EINVAL);
}

/* In a process of its own, as a second mount would be. */
static int lock_elsewhere(const char *dir, const char *expected_holder)
{
	char holder[128];
	int status, rc;
	pid_t child = fork();

	if (child == 0) {
		rc = store_lock(dir, holder, sizeof holder);
		if (rc >= 0)
			_exit(0);
		_exit(rc == -EWOULDBLOCK && strcmp(holder, expected_holder) == 0 ? 1 : 2);
	}
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static void test_lock(void **state)
{
	const char *dir = *state;
	char host[65] = "", expected[128], holder[8];
	int fd;

	gethostname(host, sizeof host - 1);
	snprintf(expected, sizeof expected, "pid %ld host %s", (long)getpid(), host);
	fd = store_lock(dir, holder, sizeof holder);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(lock_elsewhere(dir, expected), 1);
	assert_int_equal(store_lock(dir, holder, sizeof holder), -EWOULDBLOCK);
	assert_int_equal(strlen(holder), sizeof holder - 1);
	close(fd);
	assert_int_equal(lock_elsewhere(dir, expected), 0);
	assert_int_equal(store_lock("/nonexistent", holder, sizeof holder), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_flipped_bit),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test_setup_teardown(test_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lock, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
