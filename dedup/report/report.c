#include "dedup/report/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dedup/record.h"
#include "dedup/report/lines.h"
#include "store/util/array.h"

/* The directory of the record that a user means by `place`. */
static int find_record(struct dedup_report *r, const char *place)
{
	static const char *const ends[] = {"", ("/" DEDUP_RECORD_DIR), DEDUP_RECORD_DIR};

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		struct stat st;
		int n = snprintf(r->dir, sizeof r->dir, "%s%s", place, ends[i]);
		int m = snprintf(r->path, sizeof r->path, "%s%s/" DEDUP_RECORD_RUN, place, ends[i]);

		if (n < 0 || m < 0 || n >= PATH_MAX || m >= PATH_MAX)
			return -ENAMETOOLONG;
		if (!stat(r->path, &st) && S_ISREG(st.st_mode))
			return 0;
	}
	snprintf(r->path, sizeof r->path, "%s", place);
	r->why = "no run has left its record there";
	return -ENOENT;
}

static int load_inputs(struct dedup_report *r)
{
	const json_t *list = json_object_get(r->run, "inputs");
	const char *directory = json_string_value(json_object_get(r->run, "directory"));

	if (!json_is_array(list) || !directory)
		return -EBADMSG;
	r->inputs = calloc(json_array_size(list) + 1, sizeof *r->inputs);
	if (!r->inputs)
		return -ENOMEM;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *path = json_string_value(json_object_get(json_array_get(list, i), "path"));

		if (!path)
			return -EBADMSG;
		if (asprintf(&r->inputs[i], "%s%s%s", *path == '/' ? "" : directory, *path == '/' ? "" : "/",
			    path) < 0)
			return -ENOMEM;
		r->input_count++;
	}
	return 0;
}

static int load_run(struct dedup_report *r)
{
	json_error_t error;
	int rc;

	r->run = json_load_file(r->path, JSON_REJECT_DUPLICATES, &error);
	rc = r->run && json_is_object(r->run) ? load_inputs(r) : -EBADMSG;
	if (rc == -EBADMSG)
		r->why = "this is no record of a run";
	return rc;
}

static uint32_t how_of(const char *method)
{
	return !strcmp(method, "exact") ? DEDUP_HOW_EXACT : DEDUP_HOW_NEAR;
}

/* "PATH:LINE" to the input of that path, which is often that of the line before. */
static bool place_of(
	const struct dedup_report *r, const char *text, uint32_t hint, struct dedup_report_place *place)
{
	const json_t *list = json_object_get(r->run, "inputs");
	const char *colon = text ? strrchr(text, ':') : NULL;
	char *end;
	unsigned long line;

	if (!colon || colon[1] < '0' || colon[1] > '9')
		return false;
	errno = 0;
	line = strtoul(colon + 1, &end, 10);
	if (errno || *end || !line || line > UINT32_MAX)
		return false;
	for (size_t i = 0; i < r->input_count; i++) {
		size_t at = (hint + i) % r->input_count;
		const char *path = json_string_value(json_object_get(json_array_get(list, at), "path"));

		if (strlen(path) == (size_t)(colon - text) && !memcmp(path, text, strlen(path))) {
			*place = (struct dedup_report_place){(uint32_t)at, (uint32_t)line};
			return true;
		}
	}
	return false;
}

static int add_member(struct dedup_report *r, const json_t *line)
{
	const json_t *anchor = json_object_get(line, "anchor"),
		     *similarity = json_object_get(line, "similarity");
	const char *method = json_string_value(json_object_get(line, "method"));
	uint32_t hint = r->count ? r->members[r->count - 1].id.input : 0;
	struct dedup_report_member member = {.how = DEDUP_HOW_GONE}, *grown;
	unsigned bin;

	if (!method || !place_of(r, json_string_value(json_object_get(line, "id")), hint, &member.id))
		return -EBADMSG;
	if (json_is_null(anchor))
		return 0;
	if (!place_of(r, json_string_value(anchor), hint, &member.keeper) || !json_is_number(similarity))
		return -EBADMSG;
	member.how = how_of(method);
	member.similarity = (float)json_number_value(similarity);
	if (!(member.similarity >= 0 && member.similarity <= 1))
		return -EBADMSG;
	grown = array_grow(r->members, r->count, &r->capacity, sizeof *grown);
	if (!grown)
		return -ENOMEM;
	r->members = grown;
	grown[r->count++] = member;
	bin = (unsigned)((double)member.similarity * DEDUP_REPORT_BINS + 1e-6);
	if (member.how == DEDUP_HOW_NEAR)
		r->histogram[bin < DEDUP_REPORT_BINS ? bin : DEDUP_REPORT_BINS - 1]++;
	return 0;
}

static int use_line(void *ctx, const char *text, size_t len)
{
	struct dedup_report *r = ctx;
	json_t *line = json_loadb(text, len, 0, NULL);
	int rc = line ? add_member(r, line) : -EBADMSG;

	r->line++;
	json_decref(line);
	return rc;
}

static int load_members(struct dedup_report *r)
{
	int n = snprintf(r->path, sizeof r->path, "%s/" DEDUP_RECORD_DUPLICATES, r->dir);
	int rc = n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : dedup_lines_each(r->path, use_line, r, &r->why);

	if (rc == -EBADMSG && !r->why)
		r->why = "this is no line of a record";
	else if (rc != -EBADMSG)
		r->line = 0;
	return rc;
}

static int compare_places(const struct dedup_report_place *a, const struct dedup_report_place *b)
{
	if (a->input != b->input)
		return a->input < b->input ? -1 : 1;
	return (a->line > b->line) - (a->line < b->line);
}

static int compare_members(const void *a, const void *b)
{
	const struct dedup_report_member *x = a, *y = b;
	int order = compare_places(&x->keeper, &y->keeper);

	return order ? order : compare_places(&x->id, &y->id);
}

static int compare_clusters(const void *a, const void *b)
{
	const struct dedup_report_cluster *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return (x->first > y->first) - (x->first < y->first);
}

static int cluster(struct dedup_report *r)
{
	size_t capacity = 0;

	if (r->count)
		qsort(r->members, r->count, sizeof *r->members, compare_members);
	for (size_t i = 0, end; i < r->count; i = end) {
		struct dedup_report_cluster *grown =
			array_grow(r->clusters, r->cluster_count, &capacity, sizeof *grown);

		if (!grown)
			return -ENOMEM;
		r->clusters = grown;
		for (end = i + 1;
			end < r->count && !compare_places(&r->members[i].keeper, &r->members[end].keeper);)
			end++;
		grown[r->cluster_count++] = (struct dedup_report_cluster){i, end - i};
	}
	if (r->cluster_count)
		qsort(r->clusters, r->cluster_count, sizeof *r->clusters, compare_clusters);
	return 0;
}

int dedup_report_load(struct dedup_report *report, const char *place)
{
	int rc;

	*report = (struct dedup_report){.why = NULL};
	rc = find_record(report, place);
	rc = rc ? rc : load_run(report);
	rc = rc ? rc : load_members(report);
	return rc ? rc : cluster(report);
}

void dedup_report_release(struct dedup_report *r)
{
	json_decref(r->run);
	for (size_t i = 0; r->inputs && i < r->input_count; i++)
		free(r->inputs[i]);
	free(r->inputs);
	free(r->members);
	free(r->clusters);
	*r = (struct dedup_report){.why = NULL};
}

double dedup_report_number(const struct dedup_report *r, const char *of, const char *name)
{
	return json_number_value(json_object_get(json_object_get(r->run, of), name));
}

const char *dedup_report_text(const struct dedup_report *r, const char *of, const char *name)
{
	const char *text = json_string_value(json_object_get(json_object_get(r->run, of), name));

	return text ? text : "";
}
