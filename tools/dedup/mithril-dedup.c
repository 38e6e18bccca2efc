#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/dedup/clusters.h"
#include "tools/dedup/complain.h"
#include "tools/dedup/errors.h"
#include "tools/dedup/explain.h"
#include "tools/dedup/options.h"
#include "tools/dedup/progress.h"
#include "tools/dedup/report.h"
#include "tools/dedup/stage.h"
#include "tools/dedup/summary.h"
#include "tools/print.h"
#include "tools/tool.h"

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
	caught = number;
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of write(2) */
}

static int show_progress(void *ctx, const char *stage, uint64_t done, uint64_t of)
{
	dedup_progress_show(ctx, stage, done, of);
	return caught != 0;
}

static void show_fault(void *ctx, const char *file, uint64_t line, const char *why)
{
	struct dedup_progress *progress = ctx;

	print_progress_end(&progress->line);
	fprintf(stderr, "mithril-dedup: %s: line %llu: %s\n", file, (unsigned long long)line, why);
}

static void say_interrupted(const struct dedup_options *o)
{
	if (o->work)
		fprintf(stderr,
			"mithril-dedup: ended by a signal, and no output was written; the same command goes "
			"on "
			"from what is in %s\n",
			o->work);
	else
		fputs("mithril-dedup: ended by a signal, and no output was written; with --work DIR a run "
		      "can be "
		      "gone on with later\n",
			stderr);
}

static int run(struct dedup_command *command, struct dedup_progress *progress)
{
	struct dedup_result result;
	int rc = command->stage ? dedup_stage_run(command, &result)
				: dedup_run(&command->job.options, &result);

	print_progress_end(&progress->line);
	if (rc == -EINTR && caught) {
		say_interrupted(&command->job.options);
		signal(caught, SIG_DFL);
		raise(caught);
	}
	if (rc)
		return dedup_error_report_fault(&result.fault, result.path, rc);
	if (command->stage && strcmp(command->stage, "filter"))
		return TOOL_OK;
	(command->json ? dedup_summary_json : dedup_summary_print)(command, &result);
	if (fflush(stdout) || ferror(stdout))
		return dedup_complain(TOOL_SYSTEM, "standard output", NULL, "%s", strerror(errno));
	return TOOL_OK;
}

static int run_command(struct dedup_command *command, struct dedup_progress *progress)
{
	struct dedup_job *job = &command->job;
	int rc;

	if (command->explain)
		return dedup_explain_run(command);
	catch_signals();
	rc = dedup_job_files(job, (const char *const *)command->files, (size_t)command->count);
	rc = rc ? rc : dedup_job_against(job);
	return rc ? dedup_error_report_job(job, rc) : run(command, progress);
}

int main(int argc, char **argv)
{
	struct dedup_progress progress = {0};
	struct dedup_command command = {.progress = show_progress, .fault = show_fault, .ctx = &progress};
	int code;

	if (argc > 1 && !strcmp(argv[1], "report"))
		return dedup_report_run(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "clusters"))
		return dedup_clusters_run(argc - 1, argv + 1);
	code = dedup_options_parse(&command, argc, argv);
	if (code < 0)
		code = run_command(&command, &progress);
	dedup_job_release(&command.job);
	free(command.against);
	return code;
}
