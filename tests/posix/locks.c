/* flock(2), fcntl(2) record locks and open-file-description locks, within and between processes. */
#include "suite.h"

#include <sys/file.h>

struct hold {
	int fd;
	int ready; /* written when the lock is held */
	int go;	   /* read until it may be released */
};

static struct flock range(short type, off_t start, off_t len)
{
	return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
}

static void flock_elsewhere(void *arg)
{
	(void)arg;
	int fd = OK(open("file", O_RDWR));
	FAILS(flock(fd, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	FAILS(flock(fd, LOCK_SH | LOCK_NB), EWOULDBLOCK);
}

static void flock_shared_elsewhere(void *arg)
{
	(void)arg;
	int fd = OK(open("file", O_RDONLY));
	FAILS(flock(fd, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	OK(flock(fd, LOCK_SH | LOCK_NB));
}

static void flock_free_elsewhere(void *arg)
{
	(void)arg;
	OK(flock(OK(open("file", O_RDONLY)), LOCK_EX | LOCK_NB));
}

static void whole_file(void)
{
	put_file("file", 1, 300000);
	settle();
	int fd = OK(open("file", O_RDWR)), again = OK(open("file", O_RDWR));
	OK(flock(fd, LOCK_EX));
	reap(spawn(flock_elsewhere, NULL));
	FAILS(flock(again, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	OK(flock(fd, LOCK_SH));
	reap(spawn(flock_shared_elsewhere, NULL));
	OK(flock(again, LOCK_SH | LOCK_NB));
	OK(flock(again, LOCK_UN));
	OK(flock(fd, LOCK_UN));
	reap(spawn(flock_free_elsewhere, NULL));
	OK(flock(fd, LOCK_EX));
	OK(close(fd)); /* the last descriptor of its description */
	reap(spawn(flock_free_elsewhere, NULL));
	OK(close(again));
}

static void holder(void *arg)
{
	struct hold *hold = arg;
	char byte;
	int fd = OK(open("file", O_RDWR));
	OK(flock(fd, LOCK_EX));
	CHECK_INT(write(hold->ready, "r", 1), 1);
	CHECK_INT(read(hold->go, &byte, 1), 1);
	nanosleep(&(struct timespec){0, 150000000}, NULL);
	CHECK_INT(pwrite(fd, "done", 4, 0), 4);
	OK(close(fd));
}

static void record_holder(void *arg)
{
	struct hold *hold = arg;
	struct flock lock = range(F_WRLCK, 100, 50);
	char byte;
	int fd = OK(open("file", O_RDWR));
	OK(fcntl(fd, F_SETLK, &lock));
	CHECK_INT(write(hold->ready, "r", 1), 1);
	CHECK_INT(read(hold->go, &byte, 1), 1);
	nanosleep(&(struct timespec){0, 150000000}, NULL);
	CHECK_INT(pwrite(fd, "done", 4, 0), 4);
	OK(close(fd));
}

/* Starts `run`, which takes a lock; returns when it is held. */
static pid_t start_holder(void (*run)(void *), struct hold *hold, int *go)
{
	int ready[2], release[2];
	char byte;
	OK(pipe(ready));
	OK(pipe(release));
	hold->ready = ready[1];
	hold->go = release[0];
	pid_t pid = spawn(run, hold);
	CHECK_INT(read(ready[0], &byte, 1), 1);
	*go = release[1];
	return pid;
}

static void whole_file_waits(void)
{
	struct hold hold;
	char text[5] = "";
	int go;
	put_file("file", 1, 10);
	pid_t pid = start_holder(holder, &hold, &go);
	int fd = OK(open("file", O_RDWR));
	FAILS(flock(fd, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	CHECK_INT(write(go, "g", 1), 1);
	OK(flock(fd, LOCK_EX));
	CHECK_INT(pread(fd, text, 4, 0), 4);
	CHECK(!strcmp(text, "done"));
	reap(pid);
}

static void records_wait(void)
{
	struct hold hold;
	char text[5] = "";
	int go;
	put_file("file", 1, 10);
	pid_t pid = start_holder(record_holder, &hold, &go);
	int fd = OK(open("file", O_RDWR));
	struct flock lock = range(F_WRLCK, 0, 0), beside = range(F_WRLCK, 0, 100);
	errno = 0;
	CHECK(fcntl(fd, F_SETLK, &lock) == -1 && (errno == EAGAIN || errno == EACCES));
	OK(fcntl(fd, F_SETLK, &beside));
	OK(fcntl(fd, F_GETLK, &lock));
	CHECK_INT(lock.l_type, F_WRLCK);
	CHECK_INT(lock.l_start, 100);
	CHECK_INT(lock.l_len, 50);
	CHECK_INT(lock.l_pid, pid);
	CHECK_INT(write(go, "g", 1), 1);
	lock = range(F_WRLCK, 0, 0);
	OK(fcntl(fd, F_SETLKW, &lock));
	CHECK_INT(pread(fd, text, 4, 0), 4);
	CHECK(!strcmp(text, "done"));
	reap(pid);
}

static void record_free_elsewhere(void *arg)
{
	struct flock lock = *(struct flock *)arg;
	int fd = OK(open("file", O_RDWR));
	OK(fcntl(fd, F_SETLK, &lock));
}

static void record_taken_elsewhere(void *arg)
{
	struct flock lock = *(struct flock *)arg;
	int fd = OK(open("file", O_RDWR));
	errno = 0;
	CHECK(fcntl(fd, F_SETLK, &lock) == -1 && (errno == EAGAIN || errno == EACCES));
}

static void records(void)
{
	put_file("file", 1, 100);
	int fd = OK(open("file", O_RDWR));
	struct flock whole = range(F_WRLCK, 0, 0), hole = range(F_UNLCK, 10, 10),
		     inside = range(F_WRLCK, 12, 5), outside = range(F_RDLCK, 30, 5),
		     read_lock = range(F_RDLCK, 0, 0);
	OK(fcntl(fd, F_SETLK, &whole));
	OK(fcntl(fd, F_SETLK, &hole));
	reap(spawn(record_free_elsewhere, &inside));
	reap(spawn(record_taken_elsewhere, &outside));
	OK(fcntl(fd, F_SETLK, &read_lock));
	reap(spawn(record_free_elsewhere, &outside));
	outside.l_type = F_WRLCK;
	reap(spawn(record_taken_elsewhere, &outside));
	/* Any close of the file by its process gives its record locks up. */
	OK(close(OK(open("file", O_RDONLY))));
	reap(spawn(record_free_elsewhere, &outside));
	OK(close(fd));
	fd = OK(open("file", O_RDONLY));
	FAILS(fcntl(fd, F_SETLK, &whole), EBADF);
	OK(close(fd));
}

static void descriptions(void)
{
	put_file("file", 1, 100);
	int one = OK(open("file", O_RDWR)), two = OK(open("file", O_RDWR));
	struct flock lock = range(F_WRLCK, 0, 10), want = lock, read_lock = range(F_RDLCK, 20, 10);
	OK(fcntl(one, F_OFD_SETLK, &lock));
	errno = 0;
	CHECK(fcntl(two, F_OFD_SETLK, &want) == -1 && errno == EAGAIN);
	OK(fcntl(two, F_OFD_GETLK, &want));
	CHECK_INT(want.l_type, F_WRLCK);
	CHECK_INT(want.l_pid, -1);
	OK(fcntl(one, F_OFD_SETLK, &read_lock));
	OK(fcntl(two, F_OFD_SETLK, &read_lock));
	OK(close(OK(open("file", O_RDONLY)))); /* another description: the lock stays */
	want = range(F_WRLCK, 0, 10);
	errno = 0;
	CHECK(fcntl(two, F_OFD_SETLK, &want) == -1 && errno == EAGAIN);
	OK(close(one));
	OK(fcntl(two, F_OFD_SETLK, &want));
	OK(close(two));
}

static void dies_holding(void *arg)
{
	(void)arg;
	struct flock lock = range(F_WRLCK, 0, 0);
	int fd = OK(open("file", O_RDWR));
	OK(fcntl(fd, F_SETLK, &lock));
	OK(flock(fd, LOCK_EX));
	raise(SIGKILL);
}

static void released_by_death(void)
{
	int status;
	put_file("file", 1, 100);
	pid_t pid = spawn(dies_holding, NULL);
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	struct flock lock = range(F_WRLCK, 0, 0);
	int fd = OK(open("file", O_RDWR));
	OK(fcntl(fd, F_SETLK, &lock));
	OK(flock(fd, LOCK_EX | LOCK_NB));
	OK(close(fd));
}

static void counter(void *arg)
{
	(void)arg;
	int fd = OK(open("file", O_RDWR));
	for (int i = 0; i < 200; i++) {
		struct flock lock = range(F_WRLCK, 0, 0), unlock = range(F_UNLCK, 0, 0);
		uint64_t value = 0;
		OK(fcntl(fd, F_SETLKW, &lock));
		CHECK_INT(pread(fd, &value, sizeof value, 0), sizeof value);
		value++;
		CHECK_INT(pwrite(fd, &value, sizeof value, 0), sizeof value);
		OK(fcntl(fd, F_SETLK, &unlock));
	}
	OK(close(fd));
}

/* What a lock protects is not lost. */
static void protects_a_counter(void)
{
	uint64_t value = 0;
	pid_t pids[4];
	int fd = OK(open("file", O_RDWR | O_CREAT, 0600));
	CHECK_INT(write(fd, &value, sizeof value), sizeof value);
	for (int i = 0; i < 4; i++)
		pids[i] = spawn(counter, NULL);
	for (int i = 0; i < 4; i++)
		reap(pids[i]);
	CHECK_INT(pread(fd, &value, sizeof value, 0), sizeof value);
	CHECK_INT(value, 800);
	OK(close(fd));
}

static const struct suite_case cases[] = {
	{"whole_file", whole_file, 0},
	{"whole_file_waits", whole_file_waits, 0},
	{"records", records, 0},
	{"records_wait", records_wait, 0},
	{"descriptions", descriptions, 0},
	{"released_by_death", released_by_death, 0},
	{"protects_a_counter", protects_a_counter, 0},
};
SUITE(cases)
