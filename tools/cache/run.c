#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/cache/job.h"
#include "tools/cache/summary.h"
#include "tools/compilers/runs.h"
#include "tools/compilers/supervise.h"
#include "tools/print.h"

struct run {
	struct job job;
	bool summary, quiet;
	const char *json; /* a file */
};

static bool option(void *ctx, int val, const char *value)
{
	struct run *run = ctx;

	if (val == 'S')
		run->summary = true;
	else if (val == 'q')
		run->quiet = true;
	else if (val == 'j')
		run->json = value;
	else
		return job_option(&run->job, val, value);
	return true;
}

static void set(void *ctx, const char *name, const char *value)
{
	(void)ctx;
	setenv(name, value, 1);
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int cannot(const char *command, int error)
{
	tool_fail(TOOL_USAGE, command, NULL, "%s", error == ENOENT ? "command not found" : strerror(error));
	return error == ENOENT ? SUPERVISE_NOT_FOUND : SUPERVISE_CANNOT;
}

static int become(char **argv)
{
	fflush(NULL);
	execvp(argv[0], argv);
	return cannot(argv[0], errno);
}

static void write_json(const char *path, const json_t *summary)
{
	if (json_dump_file(summary, path, JSON_INDENT(2)))
		job_warn("%s cannot be written: %s", path, strerror(errno));
}

static int watch(struct run *run, char **argv, int64_t started_ns)
{
	struct summary *summary = summary_begin(&run->job, started_ns);
	json_t *told;
	int status, ret;

	fflush(NULL);
	ret = supervise_run(argv, &status);
	if (ret) {
		summary_end(summary);
		return cannot(argv[0], -ret);
	}
	told = summary_end(summary);
	if (told && run->json)
		write_json(run->json, told);
	if (told && (run->summary || !run->json))
		summary_print(told);
	json_decref(told);
	free(run);
	supervise_exit_like(status);
}

static int run(const struct tool *tool, int argc, char **argv)
{
	static const struct option options[] = {JOB_OPTIONS, {"summary", no_argument, NULL, 'S'},
		{"quiet", no_argument, NULL, 'q'}, {"json", required_argument, NULL, 'j'}, {0}};
	struct run *run = calloc(1, sizeof *run);
	struct tool_arguments arguments;
	int64_t started_ns = now_ns();
	int code;

	if (!run)
		return TOOL_SYSTEM;
	arguments = tool_parse(tool, argc, argv, options, option, run, 1, 1 << 30);
	code = arguments.code;
	if (code < 0 && job_prepare(&run->job, arguments.v[0])) {
		job_settings(&run->job, set, NULL);
		runs_add(run->job.root, arguments.v, &run->job.machine, run->job.use, started_ns);
		if (run->json || run->summary || (!run->quiet && isatty(STDERR_FILENO)))
			code = watch(run, arguments.v, started_ns);
		else
			code = become(arguments.v);
	} else if (code < 0) {
		code = become(arguments.v);
	}
	free(run);
	return code;
}

const struct tool tool_cache_run = {
	.name = "cache run",
	.arguments = "[OPTIONS] -- CMD ...",
	.summary = "Run a job with the caches of its compilers on the mount",
	.help = "  --mount MNT       the mount whose directory cache/ takes them; by itself: the one there "
		"is\n"
		"  --dir DIR         another directory for them, on any file system\n"
		"  --without NAME,.. caches to leave alone\n"
		"  --only NAME,..    the only ones to place\n"
		"  --python PYTHON   the interpreter to read versions from; by itself: the one that CMD "
		"would run\n"
		"  --max-size SIZE   from now on, the bound of each cache's directory\n"
		"  --summary         say at the end what the cache did, not only on a terminal\n"
		"  --quiet           say nothing at the end\n"
		"  --json FILE       write it there, as JSON\n\n"
		"What the environment sets already stays as it is. The job always runs: where there is no "
		"store, or it\n"
		"cannot be written, one line says so and the job runs without. Exit code and signals are "
		"CMD's.\n",
	.in_order = true,
	.run = run,
};
