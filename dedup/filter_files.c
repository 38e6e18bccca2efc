#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "dedup/filter.h"

static int check(
	const struct dedup_options *o, const char *dir, const char *name, struct dedup_result *result)
{
	bool is_input;
	int rc = dedup_outfile_check(dir, name, o->inputs, o->force, &is_input);

	if (!rc)
		return 0;
	snprintf(result->path, sizeof result->path, "%s%s%s", dir ? dir : "", dir ? "/" : "", name);
	if (rc == -EEXIST)
		result->fault.why = is_input ? "the output would replace an input" : DEDUP_FILE_IS_THERE;
	return rc;
}

int dedup_filter_check(const struct dedup_options *o, struct dedup_result *result)
{
	int rc = 0;

	if (o->output && o->single)
		return check(o, NULL, o->output, result);
	for (size_t i = 0; o->output && !rc && i < o->inputs->count; i++)
		rc = check(o, o->output, o->inputs->v[i].name, result);
	return rc;
}

int dedup_filter_publish(
	const struct dedup_options *o, struct dedup_filter *filter, struct dedup_result *result)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < filter->count; i++) {
		struct dedup_outfile *file = &filter->files[i];

		if (!file->is_there)
			continue;
		rc = dedup_outfile_publish(file, o->force);
		if (rc)
			snprintf(result->path, sizeof result->path, "%s", file->path);
	}
	return rc;
}

void dedup_filter_release(struct dedup_filter *filter)
{
	for (size_t i = 0; filter->files && i < filter->count; i++)
		dedup_outfile_drop(&filter->files[i]);
	free(filter->files);
	*filter = (struct dedup_filter){0};
}
