/* Making files: open flags, modes and umask, special files, files without a name, races for one name. */
#include "suite.h"

#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

static void open_flags(void)
{
	FAILS(open("absent", O_RDONLY), ENOENT);
	int fd = OK(open("file", O_RDWR | O_CREAT | O_EXCL, 0640));
	CHECK_INT(MODE_OF("file"), 0640);
	CHECK_INT(SIZE_OF("file"), 0);
	FAILS(open("file", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	OK(symlink("nowhere", "dangling"));
	FAILS(open("dangling", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	FAILS(open("dangling", O_RDONLY | O_NOFOLLOW), ELOOP);
	FAILS(open("file", O_RDONLY | O_DIRECTORY), ENOTDIR);
	FAILS(open("file/below", O_RDONLY), ENOTDIR);
	FAILS(open(".", O_RDWR), EISDIR);
	FAILS(open(".", O_WRONLY | O_CREAT, 0600), EISDIR);
	OK(close(fd));
	/* A descriptor opened for writing works although the mode forbids writing. */
	fd = OK(open("locked", O_WRONLY | O_CREAT, 0400));
	CHECK_INT(write(fd, "x", 1), 1);
	OK(close(fd));
	settle();
	CHECK_INT(SIZE_OF("locked"), 1);
}

static void open_modes(void)
{
	char byte;
	put_file("file", 1, 10);
	int fd = OK(open("file", O_RDONLY));
	FAILS(write(fd, "x", 1), EBADF);
	FAILS(ftruncate(fd, 0), EINVAL);
	OK(close(fd));
	fd = OK(open("file", O_WRONLY));
	FAILS(read(fd, &byte, 1), EBADF);
	OK(close(fd));
	fd = OK(open("file", O_PATH));
	FAILS(read(fd, &byte, 1), EBADF);
	OK(close(fd));
}

static void creates_through_symlink(void)
{
	OK(symlink("target", "link"));
	int fd = OK(open("link", O_WRONLY | O_CREAT, 0600));
	put_at(fd, 2, 0, 10);
	OK(close(fd));
	CHECK_FILE("target", 2, 10);
}

static void truncates(void)
{
	for (size_t i = 0; i < SUITE_SIZES; i++) {
		put_file("file", 1, suite_sizes[i]);
		settle();
		CHECK_FILE("file", 1, suite_sizes[i]);
		OK(close(OK(open("file", O_WRONLY | O_TRUNC))));
		CHECK_INT(SIZE_OF("file"), 0);
		put_file("file", 2, 7);
		settle();
		CHECK_FILE("file", 2, 7);
	}
}

static void umask_holds(void)
{
	umask(027);
	OK(close(OK(open("file", O_WRONLY | O_CREAT, 0666))));
	OK(mkdir("dir", 0777));
	OK(mknod("fifo", S_IFIFO | 0666, 0));
	CHECK_INT(MODE_OF("file"), 0640);
	CHECK_INT(MODE_OF("dir"), 0750);
	CHECK_INT(MODE_OF("fifo"), 0640);
	umask(0);
	OK(close(OK(open("open", O_WRONLY | O_CREAT, 0666))));
	CHECK_INT(MODE_OF("open"), 0666);
}

static void owner_as(void *arg)
{
	(void)arg;
	OK(close(OK(open("file", O_WRONLY | O_CREAT, 0600))));
	OK(mkdir("dir", 0700));
	OK(symlink("x", "link"));
}

static void owner_is_the_caller(void)
{
	need_root();
	OK(chmod(".", 0777));
	as_user(NOBODY, owner_as, NULL);
	CHECK_INT(stat_of("file").st_uid, NOBODY);
	CHECK_INT(stat_of("file").st_gid, NOBODY);
	CHECK_INT(stat_of("dir").st_uid, NOBODY);
	CHECK_INT(stat_of("link").st_uid, NOBODY);
}

static void fifo_writer(void *arg)
{
	(void)arg;
	int fd = OK(open("fifo", O_WRONLY));
	CHECK_INT(write(fd, "through", 7), 7);
	OK(close(fd));
}

static void fifo(void)
{
	char text[8] = "";
	OK(mkfifo("fifo", 0600));
	CHECK(S_ISFIFO(stat_of("fifo").st_mode));
	pid_t pid = spawn(fifo_writer, NULL);
	int fd = OK(open("fifo", O_RDONLY));
	CHECK_INT(read(fd, text, 7), 7);
	CHECK(!strcmp(text, "through"));
	OK(close(fd));
	reap(pid);
}

static void socket_node(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "socket"};
	int server = OK(socket(AF_UNIX, SOCK_STREAM, 0)), client = OK(socket(AF_UNIX, SOCK_STREAM, 0));
	OK(bind(server, (struct sockaddr *)&at, sizeof at));
	CHECK(S_ISSOCK(stat_of("socket").st_mode));
	OK(listen(server, 1));
	OK(connect(client, (struct sockaddr *)&at, sizeof at));
	FAILS(open("socket", O_RDWR), ENXIO);
	FAILS(bind(OK(socket(AF_UNIX, SOCK_STREAM, 0)), (struct sockaddr *)&at, sizeof at), EADDRINUSE);
	OK(mknod("made", S_IFSOCK | 0600, 0));
	CHECK(S_ISSOCK(stat_of("made").st_mode));
}

static void nodes(void)
{
	OK(mknod("file", S_IFREG | 0600, 0));
	CHECK(S_ISREG(stat_of("file").st_mode));
	put_file("file", 1, 5000);
	settle();
	CHECK_FILE("file", 1, 5000);
	FAILS(mknod("file", S_IFREG | 0600, 0), EEXIST);
	need_root();
	OK(mknod("null", S_IFCHR | 0600, makedev(1, 3)));
	CHECK(S_ISCHR(stat_of("null").st_mode));
	CHECK_INT(stat_of("null").st_rdev, makedev(1, 3));
}

static int open_tmpfile(int flags)
{
	int fd = open(".", O_TMPFILE | flags, 0600);
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOSYS))
		SKIP("the kernel gives no O_TMPFILE here");
	return OK(fd);
}

static void tmpfile_links(void)
{
	char path[64];
	struct stat st;
	int fd = open_tmpfile(O_RDWR);
	OK(fstat(fd, &st));
	CHECK_INT(st.st_nlink, 0);
	put_at(fd, 3, 0, 300000);
	settle();
	CHECK_AT(fd, 3, 0, 300000);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	OK(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	OK(close(fd));
	settle();
	CHECK_INT(NLINK_OF("named"), 1);
	CHECK_FILE("named", 3, 300000);
}

static void tmpfile_excl(void)
{
	char path[64];
	int fd = open_tmpfile(O_RDWR | O_EXCL);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	FAILS(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW), ENOENT);
	OK(close(fd));
}

#define RACERS 4
#define RACES 60

struct race {
	int won; /* a pipe: each winner writes its round */
	int (*try)(const char *name);
};

static int try_open(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	return fd < 0 ? -1 : close(fd);
}

static int try_mkdir(const char *name)
{
	return mkdir(name, 0700);
}

static int try_link(const char *name)
{
	return link("source", name);
}

static int try_symlink(const char *name)
{
	return symlink("source", name);
}

static void racer(void *arg)
{
	struct race *race = arg;
	for (unsigned char round = 0; round < RACES; round++) {
		char name[32];
		snprintf(name, sizeof name, "round%d", round);
		if (!race->try(name))
			CHECK_INT(write(race->won, &round, 1), 1);
		else
			CHECK_INT(errno, EEXIST);
	}
}

static void race_for(int (*try)(const char *name))
{
	int ends[2], wins[RACES] = {0};
	pid_t pids[RACERS];
	unsigned char round;

	OK(pipe(ends));
	struct race race = {ends[1], try};
	put_file("source", 1, 1);
	for (int i = 0; i < RACERS; i++)
		pids[i] = spawn(racer, &race);
	OK(close(ends[1]));
	while (read(ends[0], &round, 1) == 1)
		wins[round]++;
	for (int i = 0; i < RACERS; i++)
		reap(pids[i]);
	for (int i = 0; i < RACES; i++)
		CHECK_INT(wins[i], 1);
}

static void race_excl(void)
{
	race_for(try_open);
}

static void race_mkdir(void)
{
	race_for(try_mkdir);
}

static void race_link(void)
{
	race_for(try_link);
}

static void race_symlink(void)
{
	race_for(try_symlink);
}

static const struct suite_case cases[] = {
	{"open_flags", open_flags, 0},
	{"open_modes", open_modes, 0},
	{"creates_through_symlink", creates_through_symlink, 0},
	{"truncates", truncates, 0},
	{"umask_holds", umask_holds, 0},
	{"owner_is_the_caller", owner_is_the_caller, 0},
	{"fifo", fifo, 0},
	{"socket_node", socket_node, 0},
	{"nodes", nodes, 0},
	{"tmpfile_links", tmpfile_links, 0},
	{"tmpfile_excl", tmpfile_excl, 0},
	{"race_excl", race_excl, 0},
	{"race_mkdir", race_mkdir, 0},
	{"race_link", race_link, 0},
	{"race_symlink", race_symlink, 0},
};
SUITE(cases)
