#include "tools/dedup/against.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/dedup/errors.h"
#include "tools/tool.h"

#define WORDS 13u /* of an n-gram, as is usual for this */

static bool share_of(const char *value, double *share)
{
	char *end;

	*share = strtod(value, &end);
	return end != value && !*end && *share > 0 && *share <= 1;
}

const char *dedup_overlap_parse(const char *value, struct dedup_command *c)
{
	bool good = true;

	c->overlap = DEDUP_OVERLAP_SHARE;
	c->overlap_least = -1;
	if (!strncmp(value, "near", 4) && (!value[4] || value[4] == ':')) {
		c->overlap = DEDUP_OVERLAP_JACCARD;
		good = !value[4] || share_of(value + 5, &c->overlap_least);
	} else if (strcmp(value, "any") != 0) {
		good = share_of(value, &c->overlap_least);
	}
	return good ? NULL : "any, a share above 0 and at most 1, near, or near: and a similarity";
}

static int add_files(struct dedup_command *c, struct dedup_inputs *inputs)
{
	for (size_t i = 0; i < c->against_count; i++) {
		int rc = dedup_inputs_add(inputs, c->against[i], DEDUP_FORMAT_AUTO);

		if (rc == -EEXIST)
			return dedup_complain(TOOL_USAGE, c->against[i], NULL, "it is named twice");
		if (rc)
			return dedup_error_report(c->against[i], rc);
	}
	return TOOL_OK;
}

int dedup_against_open(struct dedup_command *c, struct dedup_inputs *inputs)
{
	const struct dedup_options *d = &c->dedup;
	bool is_near = c->overlap == DEDUP_OVERLAP_JACCARD;
	struct dedup_against_options options = {
		.inputs = inputs,
		.field = c->against_field ? c->against_field : d->field,
		.normalise = is_near ? d->normalise : d->normalise & ~(unsigned)DEDUP_CHARS,
		.ngram = is_near	    ? d->ngram
			 : c->overlap_ngram ? c->overlap_ngram
					    : WORDS,
		.overlap = c->overlap,
		.least = is_near && c->overlap_least <= 0 ? c->near_threshold : c->overlap_least,
	};
	struct dedup_fault fault = {0};
	struct dedup_against *against;
	int rc;

	if (!c->against_count)
		return TOOL_OK;
	rc = add_files(c, inputs);
	if (rc != TOOL_OK)
		return rc;
	rc = dedup_against_load(&options, &against, &fault.input, &fault.line, &fault.why);
	if (rc)
		return fault.why ? dedup_complain(TOOL_DATA, fault.input->path, NULL, "line %llu: %s",
					   (unsigned long long)fault.line, fault.why)
				 : dedup_error_report(fault.input ? fault.input->path : "--against", rc);
	c->dedup.against = against;
	dedup_against_items(against, &c->against_few);
	return TOOL_OK;
}
