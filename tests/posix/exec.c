// links: dl
/* Programs, scripts and shared objects that lie in the directory. */
#include "suite.h"

#include <dlfcn.h>
#include <link.h>

static void copy(const char *from, const char *to, mode_t mode)
{
	char block[65536];
	ssize_t n;
	int in = OK(open(from, O_RDONLY)), out = OK(open(to, O_WRONLY | O_CREAT | O_TRUNC, mode));
	while ((n = OK(read(in, block, sizeof block))) > 0)
		CHECK_INT(write(out, block, (size_t)n), n);
	OK(close(in));
	OK(close(out));
}

static int status_of(const char *path)
{
	int status;
	fflush(stdout);
	pid_t pid = OK(fork());
	if (!pid) {
		execl(path, path, "7", (char *)NULL);
		_exit(errno == EACCES ? 100 : errno == ETXTBSY ? 101 : 102);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void program(void)
{
	copy("/bin/true", "true", 0755);
	copy("/bin/false", "false", 0755);
	CHECK_INT(status_of("./true"), 0);
	CHECK_INT(status_of("./false"), 1);
	settle();
	CHECK_INT(status_of("./true"), 0);
	CHECK_INT(status_of("./false"), 1);
	OK(chmod("true", 0644));
	CHECK_INT(status_of("./true"), 100);
	CHECK_INT(status_of("."), 100);
}

static void run_as(void *arg)
{
	(void)arg;
	CHECK_INT(status_of("./true"), 0);
	CHECK_INT(status_of("./unreadable"), 0);
	CHECK_INT(status_of("./closed"), 100);
}

static void program_as_user(void)
{
	need_root();
	copy("/bin/true", "true", 0755);
	copy("/bin/true", "unreadable", 0711);
	copy("/bin/true", "closed", 0744);
	settle();
	as_user(NOBODY, run_as, NULL);
}

static void script(void)
{
	static const char text[] = "#!/bin/sh\nexit $1\n";
	int fd = OK(open("script", O_WRONLY | O_CREAT, 0755));
	CHECK_INT(write(fd, text, sizeof text - 1), sizeof text - 1);
	OK(close(fd));
	CHECK_INT(status_of("./script"), 7);
	settle();
	CHECK_INT(status_of("./script"), 7);
}

static void replaced_program(void)
{
	for (int i = 0; i < 6; i++) {
		copy(i & 1 ? "/bin/true" : "/bin/false", "program", 0755);
		CHECK_INT(status_of("./program"), !(i & 1));
		if (i == 3)
			settle();
	}
}

static void busy(void)
{
	int status;
	copy("/bin/sleep", "sleep", 0755);
	settle();
	int fd = OK(open("sleep", O_RDWR));
	CHECK_INT(status_of("./sleep"), 101);
	OK(close(fd));
	int ends[2];
	OK(pipe2(ends, O_CLOEXEC));
	pid_t pid = OK(fork());
	if (!pid) {
		execl("./sleep", "sleep", "60", (char *)NULL);
		_exit(1);
	}
	close(ends[1]);
	CHECK_INT(read(ends[0], &status, 1), 0); /* closed by the exec */
	FAILS(open("sleep", O_WRONLY), ETXTBSY);
	OK(unlink("sleep"));
	OK(kill(pid, 0));
	CHECK_INT(waitpid(pid, &status, WNOHANG), 0);
	OK(kill(pid, SIGKILL));
	CHECK(waitpid(pid, &status, 0) == pid);
}

static void shared_object(void)
{
	struct link_map *map = NULL;
	char path[PATH_MAX];
	void *system_library = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
	if (!system_library)
		SKIP("no libm.so.6 to copy");
	CHECK(!dlinfo(system_library, RTLD_DI_LINKMAP, &map));
	snprintf(path, sizeof path, "%s", map->l_name);
	dlclose(system_library);
	copy(path, "libcopy.so", 0755);
	for (int state = 0; state < 2; state++) {
		double (*cosine)(double);
		void *library = dlopen("./libcopy.so", RTLD_NOW | RTLD_LOCAL);
		if (!library)
			printf("# %s\n", dlerror());
		CHECK(library);
		*(void **)&cosine = dlsym(library, "cos");
		CHECK(cosine && cosine(0.0) == 1.0);
		dlclose(library);
		settle();
	}
}

static const struct suite_case cases[] = {
	{"program", program, 0},
	{"program_as_user", program_as_user, 0},
	{"script", script, 0},
	{"replaced_program", replaced_program, 0},
	{"busy", busy, 0},
	{"shared_object", shared_object, 0},
};
SUITE(cases)
