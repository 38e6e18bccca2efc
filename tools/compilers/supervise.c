#include "tools/compilers/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the terminal sends goes to the whole foreground group, so the child has it already. */
static const int ignored[] = {SIGINT, SIGQUIT};
static const int forwarded[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGCONT};
#define COUNT(array) (sizeof(array) / sizeof *(array))

static volatile sig_atomic_t child;

static void forward(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (child > 0 && info->si_code <= 0)
		kill((pid_t)child, number);
}

struct dispositions {
	struct sigaction ignored[COUNT(ignored)], forwarded[COUNT(forwarded)];
};

static void take_signals(struct dispositions *before)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, pass = {.sa_sigaction = forward};

	pass.sa_flags = SA_SIGINFO | SA_RESTART;
	for (size_t i = 0; i < COUNT(ignored); i++)
		sigaction(ignored[i], &ignore, &before->ignored[i]);
	for (size_t i = 0; i < COUNT(forwarded); i++)
		sigaction(forwarded[i], &pass, &before->forwarded[i]);
}

static void restore_signals(const struct dispositions *before)
{
	for (size_t i = 0; i < COUNT(ignored); i++)
		sigaction(ignored[i], &before->ignored[i], NULL);
	for (size_t i = 0; i < COUNT(forwarded); i++)
		sigaction(forwarded[i], &before->forwarded[i], NULL);
}

static void become(char *const argv[], int report)
{
	int error;

	execvp(argv[0], argv);
	error = errno;
	if (write(report, &error, sizeof error) < 0)
		_exit(SUPERVISE_CANNOT);
	_exit(SUPERVISE_NOT_FOUND);
}

int supervise_run(char *const argv[], int *status)
{
	sigset_t all, before;
	struct dispositions saved;
	int ends[2], error = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	take_signals(&saved);
	pid = fork();
	error = pid < 0 ? errno : 0;
	if (!pid) {
		restore_signals(&saved);
		sigprocmask(SIG_SETMASK, &before, NULL);
		become(argv, ends[1]);
	}
	child = pid;
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(ends[1]);
	if (pid > 0) {
		while (read(ends[0], &error, sizeof error) < 0 && errno == EINTR)
			;
		while (waitpid(pid, status, 0) < 0 && errno == EINTR)
			;
	}
	child = 0;
	close(ends[0]);
	restore_signals(&saved);
	return -error;
}

void supervise_exit_like(int status)
{
	sigset_t one;

	if (WIFEXITED(status))
		exit(WEXITSTATUS(status));
	prctl(PR_SET_DUMPABLE, 0); /* the core is the job's */
	signal(WTERMSIG(status), SIG_DFL);
	sigemptyset(&one);
	sigaddset(&one, WTERMSIG(status));
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	raise(WTERMSIG(status));
	exit(128 + WTERMSIG(status));
}
