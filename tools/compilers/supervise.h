/*
 * A job run as a child, so that something can be said when it ends, and otherwise as if exec(3) had been
 * called: it has the terminal, Ctrl-C and Ctrl-Z reach it, signals sent to us are passed on, and its exit is
 * ours.
 */
#ifndef MITHRIL_COMPILERS_SUPERVISE_H
#define MITHRIL_COMPILERS_SUPERVISE_H

/* The exit codes of shells for a command that cannot be run. */
#define SUPERVISE_CANNOT 126
#define SUPERVISE_NOT_FOUND 127

/* Runs argv and waits. 0 with its status as of wait(2); -errno of execvp(3), fork(2). For the main thread. */
int supervise_run(char *const argv[], int *status);

/* Ends this process as that status says: with that code, or by that signal. */
void supervise_exit_like(int status) __attribute__((noreturn));

#endif
