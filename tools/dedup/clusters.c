#include "tools/dedup/clusters.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "dedup/report/view.h"
#include "tools/dedup/complain.h"
#include "tools/dedup/errors.h"
#include "tools/dedup/report.h"
#include "tools/dedup/values.h"
#include "tools/tool.h"

static const char help[] =
	"Usage: mithril-dedup clusters [OPTIONS] PLACE [FILE:LINE...]\n"
	"\n"
	"Shows records that go beside those that stay for them, what they differ in marked.\n"
	"PLACE is the output directory or file of a run, or its record; the files it read must\n"
	"be as they were. With FILE:LINE, the clusters of these records; otherwise the largest.\n"
	"\n"
	"      --largest N    clusters (default: 10)\n"
	"      --members N    of each, the least similar first, copies last (default: 3)\n"
	"      --whole        all words, not only those around differences\n"
	"  -j, --json         one JSON object\n"
	"  -h, --help\n";

/* The width of the terminal, or what is good to read elsewhere. */
static struct side_style style_of(bool whole)
{
	const char *none = getenv("NO_COLOR");
	bool terminal = isatty(STDOUT_FILENO);
	struct winsize size;
	struct side_style style = {.width = DEDUP_VIEW_WIDTH,
		.colour = terminal && !(none && *none),
		.context = whole ? DEDUP_VIEW_WHOLE : DEDUP_VIEW_CONTEXT};

	if (terminal && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col >= 20)
		style.width = size.ws_col;
	return style;
}

static int show(const struct dedup_view_options *o, struct dedup_report *report)
{
	const char *unknown = NULL;
	int rc = dedup_view(stdout, report, o, &unknown);
	struct dedup_fault fault = {.line = report->line, .why = report->why};

	if (rc == -ESRCH)
		return dedup_complain(TOOL_USAGE, unknown, "mithril-dedup report names some that are",
			"the record is in no cluster");
	if (rc)
		return *report->path ? dedup_error_report_fault(&fault, report->path, rc)
				     : dedup_error_report("clusters", rc);
	return fflush(stdout) || ferror(stdout) ? dedup_error_report("standard output", -errno) : TOOL_OK;
}

int dedup_clusters_run(int argc, char **argv)
{
	static const struct option options[] = {{"largest", required_argument, NULL, 'l'},
		{"members", required_argument, NULL, 'm'}, {"whole", no_argument, NULL, 'w'},
		{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
	struct dedup_report report = {.run = NULL};
	unsigned largest = DEDUP_VIEW_CLUSTERS, members = DEDUP_VIEW_MEMBERS;
	bool whole = false, json = false;
	struct dedup_view_options o;
	int val, code;

	opterr = 0;
	while ((val = getopt_long(argc, argv, ":jh", options, NULL)) != -1) {
		if (val == 'h')
			return fputs(help, stdout) < 0 ? TOOL_SYSTEM : TOOL_OK;
		if (val == '?' || val == ':')
			return dedup_wrong_option("clusters", val, argv);
		if ((val == 'l' || val == 'm') &&
			!dedup_number_of(optarg, 1, UINT32_MAX, val == 'l' ? &largest : &members))
			return dedup_complain(TOOL_USAGE, optarg, NULL, "not a number above 0");
		whole |= val == 'w';
		json |= val == 'j';
	}
	if (optind == argc)
		return dedup_complain(
			TOOL_USAGE, "clusters", "clusters --help tells more", "name the output of a run");
	o = (struct dedup_view_options){.largest = largest,
		.members = members,
		.names = (const char *const *)argv + optind + 1,
		.name_count = (size_t)(argc - optind - 1),
		.style = style_of(whole),
		.json = json};
	code = dedup_report_open(&report, argv[optind]);
	code = code == TOOL_OK ? show(&o, &report) : code;
	dedup_report_release(&report);
	return code;
}
