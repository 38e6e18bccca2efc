#include "dedup/report/parts.h"

#include <stdio.h>
#include <string.h>

char *dedup_report_name(
	char text[DEDUP_PLACE], const struct dedup_report *report, struct dedup_report_place place)
{
	const json_t *input = json_array_get(json_object_get(report->run, "inputs"), place.input);

	snprintf(text, DEDUP_PLACE, "%s:%lu", json_string_value(json_object_get(input, "path")),
		(unsigned long)place.line);
	return text;
}

double dedup_report_least(const struct dedup_report *report, const struct dedup_report_cluster *cluster)
{
	float least = 1;

	for (size_t i = 0; i < cluster->count; i++)
		if (report->members[cluster->first + i].similarity < least)
			least = report->members[cluster->first + i].similarity;
	return (double)least;
}

void dedup_report_sizes(struct dedup_sizes *sizes, const struct dedup_report *report)
{
	*sizes = (struct dedup_sizes){.count = 0};
	for (size_t i = 0; i < DEDUP_SIZES; i++) {
		sizes->v[i].from = i < 3 ? i + 2 : ((uint64_t)1 << (i - 1)) + 1;
		sizes->v[i].to = i < 3 ? i + 2 : (uint64_t)1 << i;
	}
	for (size_t i = 0; i < report->cluster_count; i++) {
		uint64_t size = report->clusters[i].count + 1;
		size_t class = 0;

		while (class + 1 < DEDUP_SIZES && size > sizes->v[class].to)
			class ++;
		sizes->v[class].clusters++;
		sizes->count = class >= sizes->count ? class + 1 : sizes->count;
	}
}

struct dedup_bars dedup_report_bars(const struct dedup_report *report, size_t most)
{
	struct dedup_bars bars = {.width = 1};

	while (bars.first < DEDUP_REPORT_BINS && !report->histogram[bars.first])
		bars.first++;
	while ((DEDUP_REPORT_BINS - bars.first + bars.width - 1) / bars.width > most)
		bars.width++;
	bars.first -= bars.first % bars.width;
	bars.count = (DEDUP_REPORT_BINS - bars.first + bars.width - 1) / bars.width;
	return bars;
}

uint64_t dedup_report_bar(const struct dedup_report *report, struct dedup_bars bars, size_t bar)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < bars.width; i++)
		if (bars.first + bar * bars.width + i < DEDUP_REPORT_BINS)
			sum += report->histogram[bars.first + bar * bars.width + i];
	return sum;
}

/* Adds one that has a number, of bytes or of what `unit` stands for, where it was asked for. */
static void add_method(char text[DEDUP_METHODS], const struct dedup_report *r, const char *option,
	const char *name, const char *unit)
{
	double number = dedup_report_number(r, "options", option);
	size_t len = strlen(text);

	if (number > 0)
		snprintf(text + len, DEDUP_METHODS - len, ",%s:%.0f%s", name, number, unit);
}

const char *dedup_report_methods(char text[DEDUP_METHODS], const struct dedup_report *r)
{
	const char *field = dedup_report_text(r, "options", "exact_field");

	snprintf(text, DEDUP_METHODS, "%.32s", dedup_report_text(r, "options", "method"));
	if (*field) {
		size_t len = strlen(text);

		snprintf(text + len, DEDUP_METHODS - len, "%s:%.160s", strcmp(text, "exact") ? ",exact" : "",
			field);
	}
	add_method(text, r, "line", "line", "");
	add_method(text, r, "paragraph", "paragraph", "");
	add_method(text, r, "substring", "substring", "");
	add_method(text, r, "substring_words", "substring", "t");
	return text;
}

static json_t *histogram_of(const struct dedup_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < DEDUP_REPORT_BINS; i++)
		if (report->histogram[i])
			json_array_append_new(
				list, json_pack("{s:f, s:f, s:I}", "from", (double)i / DEDUP_REPORT_BINS,
					      "to", (double)(i + 1) / DEDUP_REPORT_BINS, "documents",
					      (json_int_t)report->histogram[i]));
	return list;
}

static json_t *sizes_of(const struct dedup_report *report)
{
	struct dedup_sizes sizes;
	json_t *list = json_array();

	dedup_report_sizes(&sizes, report);
	for (size_t i = 0; i < sizes.count; i++)
		json_array_append_new(list,
			json_pack("{s:I, s:I, s:I}", "from", (json_int_t)sizes.v[i].from, "to",
				(json_int_t)sizes.v[i].to, "clusters", (json_int_t)sizes.v[i].clusters));
	return list;
}

json_t *dedup_report_object(const struct dedup_report *report, size_t largest)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->cluster_count && i < largest; i++) {
		const struct dedup_report_cluster *c = &report->clusters[i];
		char name[DEDUP_PLACE];

		json_array_append_new(list,
			json_pack("{s:s, s:I, s:f}", "keeper",
				dedup_report_name(name, report, report->members[c->first].keeper), "size",
				(json_int_t)c->count + 1, "least_similarity", dedup_report_least(report, c)));
	}
	return json_pack("{s:O, s:I, s:I, s:o, s:o, s:o}", "run", report->run, "clusters",
		(json_int_t)report->cluster_count, "duplicates", (json_int_t)report->count, "largest", list,
		"sizes", sizes_of(report), "histogram", histogram_of(report));
}
