/*
 * A small runner for tests of a file system, in the TAP form.
 *
 * A program is a table of cases and a main() that calls suite_main(). Each case runs in a process of its own,
 * in an empty directory of its own below the directory named on the command line, with umask 022 and a time
 * limit. It passes by returning, fails at the first CHECK that does not hold, and skips by SKIP with a
 * reason. All cases hold on ext4; where a check asks for more than POSIX does, it asks for what a local disk
 * gives.
 *
 * settle() stands between writing and checking. It runs $MITHRIL_SYNC, if that is set, so that the same case
 * is seen with files staged and with files encoded. remount() runs $MITHRIL_REMOUNT likewise.
 */
#ifndef MITHRIL_TESTS_POSIX_SUITE_H
#define MITHRIL_TESTS_POSIX_SUITE_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <grp.h>

#define SUITE_SKIPPED 77
#define SUITE_SECONDS 300
#define NOBODY 65534
#define SOMEBODY 65533 /* a second user without rights; needs no entry in passwd(5) */

struct suite_case {
	const char *name;
	void (*run)(void);
	unsigned seconds; /* time limit; 0: SUITE_SECONDS */
};

/* The directory that the running case has to itself, absolute. */
static char suite_dir[PATH_MAX];

/* Line of the last check that reads a file, which may fail within a function of this header. */
static int suite_line;

static inline void suite_fail(const char *file, int line, const char *what)
{
	const char *slash = strrchr(file, '/');
	fprintf(stdout, "# %s:%d: %s (errno %d: %s; last check of bytes in line %d)\n",
		slash ? slash + 1 : file, line, what, errno, strerror(errno), suite_line);
	fflush(stdout);
	_exit(1);
}

/* Fails the case unless the condition holds. */
#define CHECK(condition)                                                                                     \
	do {                                                                                                 \
		if (!(condition))                                                                            \
			suite_fail(__FILE__, __LINE__, #condition);                                          \
	} while (0)

/* Fails the case unless the two integers are the same; prints both. */
#define CHECK_INT(got, want)                                                                                 \
	do {                                                                                                 \
		long long got_ = (long long)(got), want_ = (long long)(want);                                \
		char text_[512];                                                                             \
		if (got_ != want_) {                                                                         \
			snprintf(text_, sizeof text_, "%s: got %lld, expected %lld", #got, got_, want_);     \
			errno = 0;                                                                           \
			suite_fail(__FILE__, __LINE__, text_);                                               \
		}                                                                                            \
	} while (0)

static inline long long suite_ok(long long answer, const char *file, int line, const char *what)
{
	if (answer == -1)
		suite_fail(file, line, what);
	return answer;
}

/* The value of a call that must not answer -1. */
#define OK(call) suite_ok((long long)(call), __FILE__, __LINE__, #call)

/* The call must answer -1 with this errno. */
#define FAILS(call, wanted)                                                                                  \
	do {                                                                                                 \
		char text_[512];                                                                             \
		errno = 0;                                                                                   \
		long long answer_ = (long long)(call);                                                       \
		if (answer_ != -1 || errno != (wanted)) {                                                    \
			snprintf(text_, sizeof text_, "%s: got %lld, expected -1 with %s", #call, answer_,   \
				#wanted);                                                                    \
			suite_fail(__FILE__, __LINE__, text_);                                               \
		}                                                                                            \
	} while (0)

/* Ends the case as skipped. */
#define SKIP(reason)                                                                                         \
	do {                                                                                                 \
		printf("# skip: %s\n", reason);                                                              \
		fflush(stdout);                                                                              \
		_exit(SUITE_SKIPPED);                                                                        \
	} while (0)

static inline void suite_command(const char *variable)
{
	const char *command = getenv(variable);
	if (!command || !*command)
		return;
	int status = system(command);
	if (status) {
		printf("# %s answered %d\n", command, status);
		suite_fail(__FILE__, __LINE__, variable);
	}
}

static inline void settle(void)
{
	suite_command("MITHRIL_SYNC");
}

/* Nothing may be open. The working directory is left and entered again. */
static inline void remount(void)
{
	OK(chdir("/"));
	suite_command("MITHRIL_REMOUNT");
	OK(chdir(suite_dir));
}

static inline void need_root(void)
{
	if (geteuid() != 0)
		SKIP("needs root");
}

/* Runs `run(arg)` in a child process, which exits 0 when that returns. */
static inline pid_t spawn(void (*run)(void *arg), void *arg)
{
	fflush(stdout);
	pid_t pid = OK(fork());
	if (pid == 0) {
		run(arg);
		fflush(stdout);
		_exit(0);
	}
	return pid;
}

static inline void reap(pid_t pid)
{
	int status = -1;
	CHECK(waitpid(pid, &status, 0) == pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == SUITE_SKIPPED)
		_exit(SUITE_SKIPPED);
	if (status)
		_exit(1);
}

static inline void become(uid_t uid)
{
	OK(setgroups(0, NULL));
	OK(setresgid(uid, uid, uid));
	OK(setresuid(uid, uid, uid));
}

struct suite_as {
	uid_t uid;
	void (*run)(void *arg);
	void *arg;
};

static inline void suite_as_run(void *arg)
{
	struct suite_as *as = arg;
	become(as->uid);
	as->run(as->arg);
}

/* Runs `run(arg)` as another user (group of the same number, no further groups) and waits. */
static inline void as_user(uid_t uid, void (*run)(void *arg), void *arg)
{
	struct suite_as as = {uid, run, arg};
	reap(spawn(suite_as_run, &as));
}

/* Bytes that do not compress and differ by seed and place. */
static inline void fill(void *dst, size_t len, uint64_t seed, uint64_t off)
{
	uint8_t *p = dst;
	for (size_t i = 0; i < len; i++) {
		uint64_t x = ((off + i) / 8 + 1) * 0x9e3779b97f4a7c15ull ^ seed * 0xbf58476d1ce4e5b9ull;
		x ^= x >> 29;
		x *= 0x94d049bb133111ebull;
		x ^= x >> 32;
		p[i] = (uint8_t)(x >> 8 * ((off + i) % 8));
	}
}

/* Writes fill() bytes at `off`, all of them. */
static inline void put_at(int fd, uint64_t seed, uint64_t off, size_t len)
{
	uint8_t *data = malloc(len ? len : 1);
	CHECK(data);
	fill(data, len, seed, off);
	for (size_t done = 0; done < len;)
		done += (size_t)OK(pwrite(fd, data + done, len - done, (off_t)(off + done)));
	free(data);
}

static inline bool seen_at(int fd, uint64_t seed, uint64_t off, size_t len)
{
	uint8_t *want = calloc(1, len + 1), *got = calloc(1, len + 1);
	CHECK(want && got);
	fill(want, len, seed, off);
	size_t done = 0;
	while (done < len) {
		ssize_t n = OK(pread(fd, got + done, len - done, (off_t)(off + done)));
		if (!n)
			break;
		done += (size_t)n;
	}
	bool same = done == len && !memcmp(want, got, len);
	for (size_t i = 0; done == len && !same && i < len; i++)
		if (want[i] != got[i]) {
			printf("# first difference at %llu of %llu+%zu\n", (unsigned long long)off + i,
				(unsigned long long)off, len);
			break;
		}
	if (done != len)
		printf("# file ends at %llu of %llu+%zu\n", (unsigned long long)off + done,
			(unsigned long long)off, len);
	free(want);
	free(got);
	return same;
}

/* The range reads as what put_at wrote. */
#define CHECK_AT(fd, seed, off, len)                                                                         \
	do {                                                                                                 \
		suite_line = __LINE__;                                                                       \
		CHECK(seen_at(fd, seed, off, len));                                                          \
	} while (0)

static inline bool zero_at(int fd, uint64_t off, size_t len)
{
	uint8_t block[65536];
	while (len) {
		size_t want = len < sizeof block ? len : sizeof block;
		ssize_t n = OK(pread(fd, block, want, (off_t)off));
		if (!n)
			return false;
		for (ssize_t i = 0; i < n; i++)
			if (block[i]) {
				printf("# not zero at %llu\n",
					(unsigned long long)off + (unsigned long long)i);
				return false;
			}
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return true;
}

#define CHECK_ZERO(fd, off, len)                                                                             \
	do {                                                                                                 \
		suite_line = __LINE__;                                                                       \
		CHECK(zero_at(fd, off, len));                                                                \
	} while (0)

/* Makes (or truncates) `path` with `len` bytes of fill(). */
static inline void put_file(const char *path, uint64_t seed, size_t len)
{
	int fd = OK(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
	put_at(fd, seed, 0, len);
	OK(close(fd));
}

/* `path` holds exactly `len` bytes of fill(). */
static inline bool file_holds(const char *path, uint64_t seed, size_t len)
{
	struct stat st;
	int fd = OK(open(path, O_RDONLY));
	OK(fstat(fd, &st));
	bool same = seen_at(fd, seed, 0, len);
	if ((size_t)st.st_size != len) {
		printf("# %s has %lld bytes, expected %zu\n", path, (long long)st.st_size, len);
		same = false;
	}
	OK(close(fd));
	return same;
}

#define CHECK_FILE(path, seed, len)                                                                          \
	do {                                                                                                 \
		suite_line = __LINE__;                                                                       \
		CHECK(file_holds(path, seed, len));                                                          \
	} while (0)

static inline struct stat stat_of(const char *path)
{
	struct stat st;
	OK(lstat(path, &st));
	return st;
}

#define SIZE_OF(path) ((long long)stat_of(path).st_size)
#define MODE_OF(path) ((int)(stat_of(path).st_mode & 07777))
#define NLINK_OF(path) ((long long)stat_of(path).st_nlink)

/* <0, 0, >0 as a is before, at or after b. */
static inline int time_order(struct timespec a, struct timespec b)
{
	if (a.tv_sec != b.tv_sec)
		return a.tv_sec < b.tv_sec ? -1 : 1;
	return a.tv_nsec < b.tv_nsec ? -1 : a.tv_nsec > b.tv_nsec;
}

/* Long enough for the coarse clock of file times to tick. */
static inline void tick(void)
{
	nanosleep(&(struct timespec){0, 25000000}, NULL);
}

/* Sizes on both sides of every border that a store may have: none, inline, one chunk, several. */
static const size_t suite_sizes[] = {0, 1, 100, 4096, 4097, 65536, 300001, 3u << 20 | 5};
#define SUITE_SIZES (sizeof suite_sizes / sizeof suite_sizes[0])

static inline int suite_case(const struct suite_case *c, const char *top, const char *program)
{
	char template[PATH_MAX - 64];
	int status = -1;

	CHECK(snprintf(template, sizeof template, "%s/%s.%s.XXXXXX", top, program, c->name) <
		(int)sizeof template);
	CHECK(mkdtemp(template));
	OK(chmod(template, 0755));
	memcpy(suite_dir, template, strlen(template) + 1);
	fflush(stdout);
	pid_t pid = OK(fork());
	if (pid == 0) {
		setpgid(0, 0);
		umask(022);
		alarm(c->seconds ? c->seconds : SUITE_SECONDS);
		OK(chdir(suite_dir));
		c->run();
		fflush(stdout);
		_exit(0);
	}
	setpgid(pid, pid);
	CHECK(waitpid(pid, &status, 0) == pid);
	kill(-pid, SIGKILL);
	if (WIFSIGNALED(status))
		printf("# ended by signal %d%s\n", WTERMSIG(status),
			WTERMSIG(status) == SIGALRM ? " (took too long)" : "");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* suite_main(PROGRAM DIR [CASE...]): 0 when no case failed. */
static inline int suite_main(int argc, char **argv, const struct suite_case *cases, size_t count)
{
	const char *slash = strrchr(argv[0], '/'), *program = slash ? slash + 1 : argv[0];
	char top[PATH_MAX], command[2 * PATH_MAX + 64];
	int failed = 0;

	if (!strncmp(program, "posix_", 6))
		program += 6;
	if (argc < 2 || !realpath(argv[1], top)) {
		fprintf(stderr, "usage: %s DIR [CASE...]\n", argv[0]);
		return 2;
	}
	for (size_t i = 0; i < count; i++) {
		bool wanted = argc == 2;
		for (int k = 2; k < argc; k++)
			wanted |= !strcmp(argv[k], cases[i].name);
		if (!wanted)
			continue;
		int result = suite_case(&cases[i], top, program);
		failed += result && result != SUITE_SKIPPED;
		printf("%s %s.%s%s\n", result && result != SUITE_SKIPPED ? "not ok" : "ok", program,
			cases[i].name, result == SUITE_SKIPPED ? " # SKIP" : "");
		fflush(stdout);
		if (result && result != SUITE_SKIPPED && getenv("POSIX_KEEP"))
			continue;
		snprintf(command, sizeof command, "chmod -R u+rwx '%s' 2>/dev/null; rm -rf '%s'", suite_dir,
			suite_dir);
		if (system(command))
			printf("# %s could not be removed\n", suite_dir);
	}
	return failed ? 1 : 0;
}

#define SUITE(cases)                                                                                         \
	int main(int argc, char **argv)                                                                      \
	{                                                                                                    \
		return suite_main(argc, argv, cases, sizeof(cases) / sizeof((cases)[0]));                    \
	}

#endif
