/* A directory of the test's own. */
#ifndef MITHRIL_TESTS_UNIT_SCRATCH_DIR_H
#define MITHRIL_TESTS_UNIT_SCRATCH_DIR_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define SCRATCH_PATH 128

/* Waits for what other threads bring about, which has no time limit that every machine keeps: until it holds,
 * a minute at most. The caller asserts it afterwards. */
#define SCRATCH_WAIT(holds)                                                                                  \
	do {                                                                                                 \
		for (int tries_ = 0; tries_ < 6000 && !(holds); tries_++)                                    \
			usleep(10000);                                                                       \
	} while (0)

static inline void scratch_make(char path[SCRATCH_PATH])
{
	const char *in = getenv("TMPDIR");

	assert_true(snprintf(path, SCRATCH_PATH, "%s/mithril-test-XXXXXX", in ? in : "/tmp") < SCRATCH_PATH);
	assert_non_null(mkdtemp(path));
}

static inline int scratch_remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void scratch_remove(const char *path)
{
	nftw(path, scratch_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* Writes DIR/NAME, with the directories that it needs. */
static inline void scratch_file(const char *dir, const char *name, const char *text)
{
	char path[512];
	FILE *file;

	assert_true(snprintf(path, sizeof path, "%s/%s", dir, name) < (int)sizeof path);
	for (char *slash = strchr(path + strlen(dir) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0777);
		*slash = '/';
	}
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

/* An hour older. */
static inline void scratch_file_age(const char *dir, const char *name)
{
	struct timespec times[2] = {{.tv_sec = time(NULL) - 3600}, {.tv_sec = time(NULL) - 3600}};
	char path[512];

	assert_true(snprintf(path, sizeof path, "%s/%s", dir, name) < (int)sizeof path);
	assert_int_equal(utimensat(-1, path, times, 0), 0);
}

#endif
