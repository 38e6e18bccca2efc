#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/dedup/against.h"
#include "tools/dedup/clusters.h"
#include "tools/dedup/errors.h"
#include "tools/dedup/explain.h"
#include "tools/dedup/options.h"
#include "tools/dedup/outputs.h"
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

static void show_fault(void *ctx, const struct dedup_fault *fault)
{
	struct dedup_progress *progress = ctx;

	print_progress_end(&progress->line);
	fprintf(stderr, "mithril-dedup: %s: line %llu: %s\n", fault->input->path,
		(unsigned long long)fault->line, fault->why);
}

static int add_inputs(struct dedup_inputs *inputs, const struct dedup_command *command)
{
	int rc;

	for (int i = 0; i < command->count; i++) {
		rc = dedup_inputs_add(inputs, command->files[i], command->format);
		if (rc == -EEXIST)
			return dedup_complain(TOOL_USAGE, command->files[i], NULL, "it is named twice");
		if (rc)
			return dedup_error_report(command->files[i], rc);
	}
	rc = dedup_inputs_name(inputs);
	if (rc == -EEXIST)
		return dedup_complain(
			TOOL_USAGE, "FILE", NULL, "two inputs would have the same name in the output");
	return rc ? dedup_error_report("FILE", rc) : TOOL_OK;
}

static int run(struct dedup_command *command, struct dedup_progress *progress)
{
	struct dedup_result result;
	int rc;

	command->dedup.progress = show_progress;
	command->dedup.fault = show_fault;
	command->dedup.ctx = progress;
	rc = command->stage ? dedup_stage_run(command, &result) : dedup_run(&command->dedup, &result);
	print_progress_end(&progress->line);
	if (rc == -EINTR && caught) {
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

int main(int argc, char **argv)
{
	struct dedup_command command;
	struct dedup_inputs inputs = {0}, against = {0};
	struct dedup_progress progress = {0};
	int code;

	if (argc > 1 && !strcmp(argv[1], "report"))
		return dedup_report_run(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "clusters"))
		return dedup_clusters_run(argc - 1, argv + 1);
	code = dedup_options_parse(&command, argc, argv);

	if (code >= 0) {
		free(command.against);
		return code;
	}
	if (command.explain)
		return dedup_explain_run(&command);
	catch_signals();
	code = add_inputs(&inputs, &command);
	command.dedup.inputs = &inputs;
	if (code == TOOL_OK)
		code = dedup_check_single(&command, &inputs);
	if (code == TOOL_OK)
		dedup_stage_choose(&command.dedup);
	if (code == TOOL_OK)
		code = dedup_against_open(&command, &against);
	if (code == TOOL_OK)
		code = run(&command, &progress);
	dedup_against_free((struct dedup_against *)(uintptr_t)command.dedup.against);
	free(command.against);
	dedup_inputs_release(&against);
	dedup_inputs_release(&inputs);
	return code;
}
