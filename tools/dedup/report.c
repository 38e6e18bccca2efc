#include "tools/dedup/report.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/report/html.h"
#include "tools/dedup/complain.h"
#include "tools/dedup/errors.h"
#include "tools/dedup/values.h"
#include "tools/print.h"
#include "tools/tool.h"

static const char help[] =
	"Usage: mithril-dedup report [OPTIONS] PLACE\n"
	"\n"
	"Tells what a run did: how much went and for which method, how similar it was, and the\n"
	"largest clusters. PLACE is the output directory or file of the run, or its record.\n"
	"\n"
	"      --html FILE    a page with plots, which needs nothing else; - is standard output\n"
	"      --largest N    clusters that are listed (default: 10)\n"
	"  -j, --json         one JSON object\n"
	"  -h, --help\n";

int dedup_report_open(struct dedup_report *report, const char *place)
{
	int rc = dedup_report_load(report, place);
	struct dedup_fault fault = {.line = report->line, .why = report->why};

	if (!rc)
		return TOOL_OK;
	if (rc == -EBADMSG)
		return fault.line ? dedup_complain(TOOL_DATA, report->path, "run mithril-dedup again",
					    "line %llu: %s", (unsigned long long)fault.line, fault.why)
				  : dedup_complain(TOOL_DATA, report->path, "run mithril-dedup again", "%s",
					    fault.why);
	return dedup_error_report_fault(&fault, report->path, rc);
}

static void print_amount(
	struct print_table *table, const char *name, double documents, double bytes, double of)
{
	char number[32], amount[PRINT_AMOUNT], share[16];

	snprintf(number, sizeof number, "%.0f", documents);
	snprintf(share, sizeof share, "%.1f %%", of > 0 ? 100 * documents / of : 0);
	print_table_row(
		table, (const char *const[]){name, number, share, print_bytes(amount, (uint64_t)bytes)});
}

static void print_amounts(const struct dedup_report *report)
{
	static const char *const headings[] = {"", "documents>", ">", "bytes>"};
	const json_t *gone = json_object_get(json_object_get(report->run, "summary"), "gone"), *way;
	struct print_table *table = print_table_new(4, headings);
	double documents = dedup_report_number(report, "summary", "documents");
	char cut[PRINT_AMOUNT];
	const char *name;

	documents += dedup_report_number(report, "summary", "bad");
	print_amount(table, "read", documents, dedup_report_number(report, "summary", "bytes"), documents);
	json_object_foreach((json_t *)(uintptr_t)gone, name, way)
	{
		double count = json_number_value(json_object_get(way, "documents"));

		if (count > 0)
			print_amount(table, name, count, json_number_value(json_object_get(way, "bytes")),
				documents);
	}
	print_amount(table, "kept", dedup_report_number(report, "summary", "kept"),
		dedup_report_number(report, "summary", "kept_bytes"), documents);
	print_table_end(table);
	if (dedup_report_number(report, "summary", "cut") > 0)
		printf("\n%s that stand earlier were cut out of %.0f documents that stay\n",
			print_bytes(cut, (uint64_t)dedup_report_number(report, "summary", "cut_bytes")),
			dedup_report_number(report, "summary", "cut"));
}

static void print_histogram(const struct dedup_report *report)
{
	static const char *const headings[] = {"similarity", "", "documents>", "so similar or more>"};
	struct dedup_bars bars = dedup_report_bars(report, 25);
	struct print_table *table;
	uint64_t most = 1, left = 0;

	for (size_t i = 0; i < bars.count; i++) {
		uint64_t bar = dedup_report_bar(report, bars, i);

		most = bar > most ? bar : most;
		left += bar;
	}
	if (!left)
		return;
	printf("\n");
	table = print_table_new(4, headings);
	for (size_t i = 0; i < bars.count; i++) {
		char from[16], bar[41] = "", number[24], more[24];
		uint64_t documents = dedup_report_bar(report, bars, i);

		snprintf(
			from, sizeof from, "%.2f", (double)(bars.first + i * bars.width) / DEDUP_REPORT_BINS);
		memset(bar, '#', (size_t)((documents * 40 + most - 1) / most));
		snprintf(number, sizeof number, "%llu", (unsigned long long)documents);
		snprintf(more, sizeof more, "%llu", (unsigned long long)left);
		print_table_row(table, (const char *const[]){from, bar, number, more});
		left -= documents;
	}
	print_table_end(table);
}

static void print_clusters(const struct dedup_report *report, size_t largest)
{
	static const char *const headings[] = {"size>", "least similar>", "keeper"};
	size_t count = report->cluster_count < largest ? report->cluster_count : largest;
	struct print_table *table;

	printf("\nclusters: %zu; documents in them that go for another: %zu\n", report->cluster_count,
		report->count);
	if (!count)
		return;
	table = print_table_new(3, headings);
	for (size_t i = 0; i < count; i++) {
		const struct dedup_report_cluster *c = &report->clusters[i];
		char size[24], least[16], name[DEDUP_PLACE];

		snprintf(size, sizeof size, "%zu", c->count + 1);
		snprintf(least, sizeof least, "%.4f", dedup_report_least(report, c));
		dedup_report_name(name, report, report->members[c->first].keeper);
		print_table_row(table, (const char *const[]){size, least, name});
	}
	print_table_end(table);
}

static void print_text(const struct dedup_report *report, size_t largest)
{
	char methods[DEDUP_METHODS];

	printf("%s, method %s", json_string_value(json_object_get(report->run, "time")),
		dedup_report_methods(methods, report));
	if (dedup_report_number(report, "summary", "candidates") > 0)
		printf(", threshold %g; %.0f pairs compared, %.0f of them rejected",
			dedup_report_number(report, "options", "threshold"),
			dedup_report_number(report, "summary", "candidates"),
			dedup_report_number(report, "summary", "rejected"));
	printf("\n\n");
	print_amounts(report);
	print_histogram(report);
	print_clusters(report, largest);
}

static void print_object(const struct dedup_report *report, size_t largest)
{
	json_t *all = dedup_report_object(report, largest);

	print_json(all);
	json_decref(all);
}

static int write_page(const struct dedup_report *report, size_t largest, const char *path)
{
	FILE *out = strcmp(path, "-") ? fopen(path, "wx") : stdout;
	bool failed;

	if (!out)
		return dedup_error_report(path, -errno);
	dedup_report_html(out, report, largest);
	failed = fflush(out) || ferror(out);
	if (out != stdout && fclose(out))
		failed = true;
	if (!failed)
		return TOOL_OK;
	if (out != stdout)
		remove(path);
	return dedup_error_report(path, errno ? -errno : -EIO);
}

int dedup_report_run(int argc, char **argv)
{
	static const struct option options[] = {{"html", required_argument, NULL, 'H'},
		{"largest", required_argument, NULL, 'l'}, {"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'}, {0}};
	struct dedup_report report;
	const char *html = NULL;
	unsigned largest = 10;
	bool json = false;
	int val, code;

	opterr = 0;
	while ((val = getopt_long(argc, argv, ":jh", options, NULL)) != -1) {
		if (val == 'h')
			return fputs(help, stdout) < 0 ? TOOL_SYSTEM : TOOL_OK;
		if (val == '?' || val == ':')
			return dedup_wrong_option("report", val, argv);
		if (val == 'l' && !dedup_number_of(optarg, 0, UINT32_MAX, &largest))
			return dedup_complain(TOOL_USAGE, optarg, NULL, "not a number of clusters");
		json |= val == 'j';
		html = val == 'H' ? optarg : html;
	}
	if (argc - optind != 1 || (json && html))
		return dedup_complain(TOOL_USAGE, "report", "report --help tells more",
			json && html ? "--json or --html" : "name the output of one run");
	code = dedup_report_open(&report, argv[optind]);
	if (code == TOOL_OK && html)
		code = write_page(&report, largest, html);
	else if (code == TOOL_OK)
		(json ? print_object : print_text)(&report, largest);
	if (code == TOOL_OK && (fflush(stdout) || ferror(stdout)))
		code = dedup_error_report("standard output", -errno);
	dedup_report_release(&report);
	return code;
}
