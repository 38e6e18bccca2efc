#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "dedup/report/html.h"
#include "dedup/report/parts.h"
#include "store/util/show.h"

/* Plots are tables with a bar in each row, so that they fit any width and can be read aloud. Of Okabe and
 * Ito's colours, which also the colour-blind tell apart, those that stand out from the page. */
static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n<title>mithril-dedup "
	"report</title>\n<style>\n"
	":root{color-scheme:light dark;--ink:#222;--soft:#5a5a5a;--line:#ddd;--page:#fff;--stays:#0072b2;"
	"--goes:#d55e00}\n"
	"@media(prefers-color-scheme:dark){:root{--ink:#ddd;--soft:#aaa;--line:#3a3a3a;--page:#181818;"
	"--stays:#56b4e9;--goes:#e69f00}}\n"
	"body{font:15px/1.5 sans-serif;max-width:54rem;margin:1.5rem auto;padding:0 1rem;color:var(--ink);"
	"background:var(--page)}\n"
	"h1{font-size:1.6rem}h2{font-size:1.2rem;margin:2rem 0 .5rem}p{margin:.4rem 0}\n"
	"table{border-collapse:collapse}table.plot{width:100%}\n"
	"td,th{padding:.15rem .6rem;text-align:right;white-space:nowrap;border-bottom:1px solid "
	"var(--line)}\n"
	"th{font-weight:normal;color:var(--soft);vertical-align:bottom}"
	"td{font-variant-numeric:tabular-nums}\n"
	".t{text-align:left}.p{text-align:left;white-space:normal;overflow-wrap:anywhere}"
	".soft{color:var(--soft)}\n"
	".b{width:99%;min-width:4rem}i{display:block;height:.9em;min-width:1px;background:var(--stays)}"
	"i.g{background:var(--goes)}\n"
	"@media(max-width:36rem){body{font-size:13px;padding:0 .5rem}td,th{padding:.15rem .3rem}th{"
	"white-space:normal}}\n"
	"</style>\n</head>\n<body>\n";

/* With commas between thousands. */
static const char *grouped(char text[32], double number)
{
	char digits[32];
	int len = snprintf(digits, sizeof digits, "%.0f", number), n = 0;

	for (int i = 0; i < len && n < 30; i++) {
		if (i && (len - i) % 3 == 0)
			text[n++] = ',';
		text[n++] = digits[i];
	}
	text[n] = 0;
	return text;
}

static bool compares(const struct dedup_report *r)
{
	const char *method = dedup_report_text(r, "options", "method");

	return !strcmp(method, "near") || !strcmp(method, "simhash");
}

static void put_head(FILE *out, const struct dedup_report *r)
{
	const char *time = json_string_value(json_object_get(r->run, "time"));
	const char *output = json_string_value(json_object_get(r->run, "output"));
	char pairs[32], rejected[32], methods[DEDUP_METHODS];

	fputs(head, out);
	fputs("<h1>What mithril-dedup did</h1>\n<p>", out);
	print_xml(out, time ? time : "", 64);
	fputs(": method ", out);
	print_xml(out, dedup_report_methods(methods, r), sizeof methods);
	if (compares(r))
		fprintf(out, ", threshold %g, %.0f&#215;%.0f bands",
			dedup_report_number(r, "options", "threshold"),
			dedup_report_number(r, "options", "bands"),
			dedup_report_number(r, "options", "rows"));
	if (output) {
		fputs("; records are in ", out);
		print_xml(out, output, 1024);
	}
	fputs(".</p>\n", out);
	if (compares(r))
		fprintf(out,
			"<p>%s pairs of texts were compared; %s of them were not similar enough and stay "
			"apart.</p>\n",
			grouped(pairs, dedup_report_number(r, "summary", "candidates")),
			grouped(rejected, dedup_report_number(r, "summary", "rejected")));
}

static void put_bar(FILE *out, double value, double most, bool goes)
{
	fprintf(out, "<td class=\"b\">");
	if (value > 0 && most > 0)
		fprintf(out, "<i%s style=\"width:%.2f%%\"></i>", goes ? " class=\"g\"" : "",
			100 * fmin(value / most, 1));
	fputs("</td></tr>\n", out);
}

static void put_amount(FILE *out, const char *name, double documents, double bytes, double of, bool goes)
{
	char amount[PRINT_AMOUNT], number[32];

	fputs("<tr><td class=\"t\">", out);
	print_xml(out, name, 32);
	fprintf(out, "</td><td>%s</td><td>%.1f %%</td><td>%s</td>", grouped(number, documents),
		of > 0 ? 100 * documents / of : 0, print_bytes(amount, (uint64_t)bytes));
	put_bar(out, documents, of, goes);
}

static void put_amounts(FILE *out, const struct dedup_report *r)
{
	json_t *gone = json_object_get(json_object_get(r->run, "summary"), "gone"), *way;
	double of = dedup_report_number(r, "summary", "documents") + dedup_report_number(r, "summary", "bad");
	double cut = dedup_report_number(r, "summary", "cut");
	char amount[PRINT_AMOUNT], number[32];
	const char *name;

	fputs("<h2>What each method took</h2>\n<table class=\"plot\">\n<tr><th class=\"t\">method</th>"
	      "<th>documents</th><th>share</th><th>bytes</th><th class=\"t\">documents</th></tr>\n",
		out);
	put_amount(out, "read", of, dedup_report_number(r, "summary", "bytes"), of, false);
	json_object_foreach(gone, name, way)
	{
		double documents = json_number_value(json_object_get(way, "documents"));

		if (documents > 0)
			put_amount(out, name, documents, json_number_value(json_object_get(way, "bytes")), of,
				true);
	}
	put_amount(out, "kept", dedup_report_number(r, "summary", "kept"),
		dedup_report_number(r, "summary", "kept_bytes"), of, false);
	fputs("</table>\n", out);
	if (cut > 0)
		fprintf(out,
			"<p>Out of %s documents that stay, %s were cut that stand in earlier ones.</p>\n",
			grouped(number, cut),
			print_bytes(amount, (uint64_t)dedup_report_number(r, "summary", "cut_bytes")));
}

static void put_histogram(FILE *out, const struct dedup_report *r)
{
	struct dedup_bars bars = dedup_report_bars(r, 25);
	double left = 0, most = 0;
	char number[32], more[32];

	for (size_t i = 0; i < bars.count; i++) {
		left += (double)dedup_report_bar(r, bars, i);
		most = fmax(most, (double)dedup_report_bar(r, bars, i));
	}
	if (left <= 0)
		return;
	fputs("<h2>At which threshold near duplicates go</h2>\n<p class=\"soft\">Near duplicates by their "
	      "Jaccard similarity to the record that stays. So similar or more: how many a threshold there "
	      "would take.</p>\n<table class=\"plot\">\n<tr><th class=\"t\">similarity from</th>"
	      "<th>documents</th><th>so similar or more</th><th class=\"t\">documents</th></tr>\n",
		out);
	for (size_t i = 0; i < bars.count; i++) {
		double documents = (double)dedup_report_bar(r, bars, i);

		fprintf(out, "<tr><td class=\"t\">%.2f</td><td>%s</td><td>%s</td>",
			(double)(bars.first + i * bars.width) / DEDUP_REPORT_BINS, grouped(number, documents),
			grouped(more, left));
		put_bar(out, documents, most, true);
		left -= documents;
	}
	fputs("</table>\n", out);
}

static void put_sizes(FILE *out, const struct dedup_report *r)
{
	struct dedup_sizes sizes;
	char number[32], documents[32];
	double most = 0;

	dedup_report_sizes(&sizes, r);
	fprintf(out,
		"<h2>Clusters by size</h2>\n<p class=\"soft\">Clusters, a record that stays and those that "
		"go for it: %s. Records that go: %s.</p>\n",
		grouped(number, (double)r->cluster_count), grouped(documents, (double)r->count));
	if (!sizes.count)
		return;
	for (size_t i = 0; i < sizes.count; i++)
		most = fmax(most, (double)sizes.v[i].clusters);
	fputs("<table class=\"plot\">\n<tr><th class=\"t\">documents in it</th><th>clusters</th>"
	      "<th class=\"t\">clusters</th></tr>\n",
		out);
	for (size_t i = 0; i < sizes.count; i++) {
		fprintf(out, "<tr><td class=\"t\">%" PRIu64, sizes.v[i].from);
		if (sizes.v[i].from != sizes.v[i].to)
			fprintf(out, "&#8211;%" PRIu64, sizes.v[i].to);
		fprintf(out, "</td><td>%s</td>", grouped(number, (double)sizes.v[i].clusters));
		put_bar(out, (double)sizes.v[i].clusters, most, false);
	}
	fputs("</table>\n", out);
}

static void put_clusters(FILE *out, const struct dedup_report *r, size_t largest)
{
	if (!r->cluster_count || !largest)
		return;
	fputs("<h2>The largest clusters</h2>\n<table>\n<tr><th>documents</th><th>least similarity</th>"
	      "<th class=\"t\">record that stays</th></tr>\n",
		out);
	for (size_t i = 0; i < r->cluster_count && i < largest; i++) {
		const struct dedup_report_cluster *c = &r->clusters[i];
		char name[DEDUP_PLACE];

		fprintf(out, "<tr><td>%zu</td><td>%.4f</td><td class=\"p\">", c->count + 1,
			dedup_report_least(r, c));
		print_xml(out, dedup_report_name(name, r, r->members[c->first].keeper), 512);
		fputs("</td></tr>\n", out);
	}
	fputs("</table>\n", out);
}

static bool is_stage(const char *name, json_t *seconds)
{
	return strcmp(name, "wall") != 0 && strcmp(name, "cpu") != 0 && json_number_value(seconds) > 0;
}

static void put_times(FILE *out, const struct dedup_report *r)
{
	json_t *seconds = json_object_get(json_object_get(r->run, "summary"), "seconds"), *one;
	double wall = json_number_value(json_object_get(seconds, "wall")), most = 0;
	double bytes = dedup_report_number(r, "summary", "bytes");
	double threads = dedup_report_number(r, "summary", "threads");
	const char *name;

	json_object_foreach(seconds, name, one) most =
		is_stage(name, one) ? fmax(most, json_number_value(one)) : most;
	fprintf(out,
		"<h2>Where the time went</h2>\n<p class=\"soft\">%.2f s with %.0f thread%s, %.0f MB/s. By "
		"stage, the seconds of all threads together:</p>\n<table class=\"plot\">\n<tr><th "
		"class=\"t\">stage</th><th>seconds</th><th class=\"t\">seconds</th></tr>\n",
		wall, threads, threads > 1 ? "s" : "", wall > 0 ? bytes / 1e6 / wall : 0);
	json_object_foreach(seconds, name, one)
	{
		if (!is_stage(name, one))
			continue;
		fputs("<tr><td class=\"t\">", out);
		print_xml(out, name, 32);
		fprintf(out, "</td><td>%.2f</td>", json_number_value(one));
		put_bar(out, json_number_value(one), most, false);
	}
	fputs("</table>\n", out);
}

void dedup_report_html(FILE *out, const struct dedup_report *report, size_t largest)
{
	put_head(out, report);
	put_amounts(out, report);
	put_histogram(out, report);
	put_sizes(out, report);
	put_clusters(out, report, largest);
	put_times(out, report);
	fputs("</body>\n</html>\n", out);
}
