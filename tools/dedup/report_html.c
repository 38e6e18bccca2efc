#include <math.h>
#include <string.h>

#include "tools/dedup/report.h"
#include "tools/print.h"

#define LEFT 110.0
#define WIDTH 620.0
#define ROW 22.0
#define HEIGHT 220.0 /* of upright plots */

/* Okabe and Ito's colours, which also the colour-blind tell apart. */
#define BLUE "#0072b2"
#define ORANGE "#e69f00"

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n<title>mithril-dedup "
	"report</title>\n<style>\n"
	":root{color-scheme:light dark;--ink:#222;--soft:#666;--line:#ccc;--page:#fff}\n"
	"@media(prefers-color-scheme:dark){:root{--ink:#ddd;--soft:#999;--line:#444;--page:#181818}}\n"
	"body{font:15px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:var(--ink);"
	"background:var(--page)}\n"
	"table{border-collapse:collapse}td,th{padding:.15rem .8rem;text-align:right;"
	"border-bottom:1px solid var(--line)}\n"
	"td.t,th.t{text-align:left;overflow-wrap:anywhere}svg{width:100%;height:auto;max-width:820px}\n"
	"svg "
	"text{font-size:12px;fill:var(--ink)}.n{fill:var(--soft)}.a{stroke:var(--line)}.soft{color:var(--"
	"soft)}\n"
	"</style>\n</head>\n<body>\n";

static void put_svg(FILE *out, double height, const char *what)
{
	fprintf(out, "<svg viewBox=\"0 0 820 %.0f\" role=\"img\" aria-label=\"%s\">\n", height, what);
}

static void put_head(FILE *out, const struct dedup_report *r)
{
	const char *time = json_string_value(json_object_get(r->run, "time"));
	const char *output = json_string_value(json_object_get(r->run, "output"));

	fputs(head, out);
	fputs("<h1>mithril-dedup</h1>\n<p>", out);
	print_xml(out, time ? time : "", 64);
	fputs(": method ", out);
	print_xml(out, dedup_report_text(r, "options", "method"), 64);
	fprintf(out, ", threshold %g, %.0f&times;%.0f bands", dedup_report_number(r, "options", "threshold"),
		dedup_report_number(r, "options", "bands"), dedup_report_number(r, "options", "rows"));
	if (output) {
		fputs("; records are in ", out);
		print_xml(out, output, 1024);
	}
	fprintf(out, ".<br>%.0f pairs were compared, %.0f of them rejected.</p>\n",
		dedup_report_number(r, "summary", "candidates"),
		dedup_report_number(r, "summary", "rejected"));
}

static void put_bar(FILE *out, double y, const char *name, double share, const char *colour, const char *text)
{
	fprintf(out, "<text x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">", LEFT - 8, y + 15);
	print_xml(out, name, 32);
	fprintf(out,
		"</text><rect x=\"%.0f\" y=\"%.1f\" width=\"%.2f\" height=\"16\" fill=\"%s\"/>"
		"<text x=\"%.2f\" y=\"%.1f\" class=\"n\">%s</text>\n",
		LEFT, y + 3, share * WIDTH * .75, colour, LEFT + share * WIDTH * .75 + 6, y + 15, text);
}

static void put_amount(
	FILE *out, double y, const char *name, double documents, double bytes, double of, const char *colour)
{
	char amount[PRINT_AMOUNT], text[96];

	snprintf(text, sizeof text, "%.0f documents (%.1f %%), %s", documents,
		of > 0 ? 100 * documents / of : 0, print_bytes(amount, (uint64_t)bytes));
	put_bar(out, y, name, of > 0 ? fmin(documents / of, 1) : 0, colour, text);
}

static void put_amounts(FILE *out, const struct dedup_report *r)
{
	json_t *gone = json_object_get(json_object_get(r->run, "summary"), "gone"), *way;
	double of = dedup_report_number(r, "summary", "documents") + dedup_report_number(r, "summary", "bad");
	double y = 0;
	const char *name;

	fputs("<h2>What each method took</h2>\n", out);
	put_svg(out, ROW * (double)(3 + json_object_size(gone)), "documents read, gone and kept");
	put_amount(out, y, "read", of, dedup_report_number(r, "summary", "bytes"), of, BLUE);
	json_object_foreach(gone, name, way)
	{
		double documents = json_number_value(json_object_get(way, "documents"));

		if (documents > 0)
			put_amount(out, y += ROW, name, documents,
				json_number_value(json_object_get(way, "bytes")), of, ORANGE);
	}
	put_amount(out, y + ROW, "kept", dedup_report_number(r, "summary", "kept"),
		dedup_report_number(r, "summary", "kept_bytes"), of, BLUE);
	fputs("</svg>\n", out);
}

struct column {
	char name[32];
	double value;
	char title[96];
};

/* Columns that stand side by side; names below, values above. */
static void put_columns(FILE *out, const struct column *columns, size_t count, const char *what)
{
	double most = 1, step = WIDTH / (double)(count ? count : 1);

	for (size_t i = 0; i < count; i++)
		most = fmax(most, columns[i].value);
	put_svg(out, HEIGHT + 50, what);
	fprintf(out, "<line class=\"a\" x1=\"%.0f\" x2=\"%.0f\" y1=\"%.0f\" y2=\"%.0f\"/>\n", LEFT - 40,
		LEFT - 40 + WIDTH, HEIGHT + 20, HEIGHT + 20);
	for (size_t i = 0; i < count; i++) {
		double x = LEFT - 40 + step * (double)i, height = HEIGHT * columns[i].value / most;

		fprintf(out,
			"<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"" BLUE
			"\"><title>%s</title></rect><text x=\"%.2f\" y=\"%.0f\" text-anchor=\"middle\" "
			"class=\"n\">%s</text>\n",
			x + 1, HEIGHT + 20 - height, step - 2, height, columns[i].title, x + step / 2,
			HEIGHT + 36, columns[i].name);
		if (columns[i].value > 0 && step > 24)
			fprintf(out, "<text x=\"%.2f\" y=\"%.2f\" text-anchor=\"middle\">%.0f</text>\n",
				x + step / 2, HEIGHT + 16 - height, columns[i].value);
	}
	fputs("</svg>\n", out);
}

static void put_histogram(FILE *out, const struct dedup_report *r)
{
	struct dedup_bars bars = dedup_report_bars(r, 25);
	struct column columns[25] = {{.value = 0}};
	uint64_t left = 0;

	for (size_t i = 0; i < bars.count; i++)
		left += dedup_report_bar(r, bars, i);
	if (!left)
		return;
	fputs("<h2>At which threshold near duplicates go</h2>\n<p class=\"soft\">Near duplicates by their "
	      "similarity to the record that stays; in each column's note, how many are so similar or "
	      "more.</p>\n",
		out);
	for (size_t i = 0; i < bars.count; i++) {
		uint64_t documents = dedup_report_bar(r, bars, i);
		double from = (double)(bars.first + i * bars.width) / DEDUP_REPORT_BINS;

		columns[i].value = (double)documents;
		snprintf(columns[i].name, sizeof columns[i].name, "%.2f", from);
		snprintf(columns[i].title, sizeof columns[i].title,
			"from %.2f: %llu; so similar or more: %llu", from, (unsigned long long)documents,
			(unsigned long long)left);
		left -= documents;
	}
	put_columns(out, columns, bars.count, "near duplicates by similarity");
}

static void put_sizes(FILE *out, const struct dedup_report *r)
{
	struct column columns[DEDUP_SIZES] = {{.value = 0}};
	struct dedup_sizes sizes;

	dedup_report_sizes(&sizes, r);
	fprintf(out,
		"<h2>Clusters by size</h2>\n<p class=\"soft\">%zu clusters, in which %zu documents go for "
		"others.</p>\n",
		r->cluster_count, r->count);
	if (!sizes.count)
		return;
	for (size_t i = 0; i < sizes.count; i++) {
		struct column *c = &columns[i];

		c->value = (double)sizes.v[i].clusters;
		if (sizes.v[i].from == sizes.v[i].to)
			snprintf(c->name, sizeof c->name, "%llu", (unsigned long long)sizes.v[i].from);
		else
			snprintf(c->name, sizeof c->name, "&#8211;%llu", (unsigned long long)sizes.v[i].to);
		snprintf(c->title, sizeof c->title, "%llu to %llu documents: %.0f clusters",
			(unsigned long long)sizes.v[i].from, (unsigned long long)sizes.v[i].to, c->value);
	}
	put_columns(out, columns, sizes.count, "clusters by size");
}

static void put_clusters(FILE *out, const struct dedup_report *r, size_t largest)
{
	if (!r->cluster_count || !largest)
		return;
	fputs("<h2>The largest clusters</h2>\n<table>\n<tr><th>size<th>least similar<th class=\"t\">record "
	      "that stays</tr>\n",
		out);
	for (size_t i = 0; i < r->cluster_count && i < largest; i++) {
		const struct dedup_report_cluster *c = &r->clusters[i];
		char name[DEDUP_PLACE];

		fprintf(out, "<tr><td>%zu<td>%.4f<td class=\"t\">", c->count + 1, dedup_report_least(r, c));
		print_xml(out, dedup_report_name(name, r, r->members[c->first].keeper), 512);
		fputs("</tr>\n", out);
	}
	fputs("</table>\n", out);
}

static void put_times(FILE *out, const struct dedup_report *r)
{
	json_t *seconds = json_object_get(json_object_get(r->run, "summary"), "seconds"), *one;
	double wall = json_number_value(json_object_get(seconds, "wall")), most = 0, y = 0;
	double bytes = dedup_report_number(r, "summary", "bytes");
	const char *name;

	json_object_foreach(seconds, name, one)
	{
		if (strcmp(name, "wall") != 0 && strcmp(name, "cpu") != 0)
			most = fmax(most, json_number_value(one));
	}
	fprintf(out,
		"<h2>Where the time went</h2>\n<p class=\"soft\">%.2f s with %.0f threads, %.0f MB/s; of all "
		"threads together:</p>\n",
		wall, dedup_report_number(r, "summary", "threads"), wall > 0 ? bytes / 1e6 / wall : 0);
	put_svg(out, ROW * (double)json_object_size(seconds), "seconds by stage");
	json_object_foreach(seconds, name, one)
	{
		char text[32];

		if (!strcmp(name, "wall") || !strcmp(name, "cpu"))
			continue;
		snprintf(text, sizeof text, "%.2f s", json_number_value(one));
		put_bar(out, y, name, most > 0 ? fmin(json_number_value(one) / most, 1) : 0, BLUE, text);
		y += ROW;
	}
	fputs("</svg>\n", out);
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
