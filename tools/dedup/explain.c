#include "tools/dedup/explain.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/explain.h"
#include "tools/dedup/complain.h"
#include "tools/dedup/errors.h"
#include "tools/print.h"
#include "tools/tool.h"

/* FILE:LINE: cuts the file off it. */
static bool place_of(char *argument, uint64_t *line)
{
	char *colon = strrchr(argument, ':'), *end;

	if (!colon || colon == argument || colon[1] < '0' || colon[1] > '9')
		return false;
	errno = 0;
	*line = strtoull(colon + 1, &end, 10);
	if (errno || *end || !*line)
		return false;
	*colon = 0;
	return true;
}

static const char *verdict(const struct dedup_options *o, const struct dedup_explanation *e)
{
	if (e->same)
		return "exact duplicates: the same text";
	if (o->method == DEDUP_EXACT || e->jaccard < o->threshold)
		return "no duplicates";
	if (o->method == DEDUP_SIMHASH &&
		(e->distance > o->distance || !e->of[0].shingles || !e->of[1].shingles))
		return "no duplicates";
	return e->bands_equal ? "near duplicates" : "near duplicates that are not found: they share no band";
}

static void print_text(char *const *files, const uint64_t lines[2], const struct dedup_options *o,
	const struct dedup_explanation *e)
{
	for (int i = 0; i < 2; i++)
		printf("%s:%llu: %zu bytes, %zu words, %zu shingles\n", files[i],
			(unsigned long long)lines[i], e->of[i].bytes, e->of[i].words, e->of[i].shingles);
	printf("common: %zu shingles, Jaccard similarity %.4f, threshold %g\n", e->common, e->jaccard,
		o->threshold);
	if (o->method == DEDUP_SIMHASH)
		printf("fingerprints: %u of 64 bits differ, at most %u may\n", e->distance, o->distance);
	else
		printf("sketches: %u of %u values agree, %u of %u bands (%u values each)\n", e->values_equal,
			o->values, e->bands_equal, o->bands.bands, o->bands.rows);
	printf("%s\n", verdict(o, e));
}

static void print_object(const struct dedup_options *o, const struct dedup_explanation *e)
{
	json_t *all = json_pack(
		"{s:b, s:f, s:f, s:I, s:[I, I], s:[I, I], s:[I, I], s:i, s:i, s:i, s:i, s:i, s:s}", "same",
		e->same, "jaccard", e->jaccard, "threshold", o->threshold, "common", (json_int_t)e->common,
		"bytes", (json_int_t)e->of[0].bytes, (json_int_t)e->of[1].bytes, "words",
		(json_int_t)e->of[0].words, (json_int_t)e->of[1].words, "shingles",
		(json_int_t)e->of[0].shingles, (json_int_t)e->of[1].shingles, "values_equal",
		(int)e->values_equal, "values", (int)o->values, "bands_equal", (int)e->bands_equal, "bands",
		(int)o->bands.bands, "distance", (int)e->distance, "verdict", verdict(o, e));

	print_json(all);
	json_decref(all);
}

int dedup_explain_run(struct dedup_command *c)
{
	struct dedup_explanation explanation;
	struct dedup_fault fault;
	uint64_t lines[2];
	int rc = 0;

	for (int i = 0; !rc && i < 2; i++) {
		if (!place_of(c->files[i], &lines[i]) || !strcmp(c->files[i], "-")) {
			rc = dedup_complain(TOOL_USAGE, c->files[i], NULL, "not a record's FILE:LINE");
			goto out;
		}
		rc = dedup_inputs_add(&c->job.inputs, c->files[i], (enum dedup_format)c->asked.format);
		if (rc == -EEXIST) /* both are in one file */
			rc = 0;
		if (rc) {
			rc = dedup_error_report(c->files[i], rc);
			goto out;
		}
	}
	rc = dedup_explain(&c->job.options, lines, &explanation, &fault);
	if (rc) {
		rc = rc == -EBADMSG ? dedup_complain(TOOL_DATA, fault.input->path, NULL, "line %llu: %s",
					      (unsigned long long)fault.line, fault.why)
				    : dedup_error_report_fault(&fault, "", rc);
		goto out;
	}
	if (c->json)
		print_object(&c->job.options, &explanation);
	else
		print_text(c->files, lines, &c->job.options, &explanation);
out:
	dedup_job_release(&c->job);
	return rc;
}
