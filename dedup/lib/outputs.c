#include "dedup/lib/outputs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "dedup/record.h"

/* A file by its name, unless there is a directory of that name. */
static bool is_file(const char *output)
{
	static const char *const suffixes[] = {".jsonl", ".ndjson", ".json", ".txt", ".text"};
	size_t len = strlen(output) - strlen(dedup_codec_suffix(dedup_codec_of_name(output)));
	struct stat st;

	if (!stat(output, &st))
		return !S_ISDIR(st.st_mode);
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		size_t suffix = strlen(suffixes[i]);

		if (len > suffix && !strncmp(output + len - suffix, suffixes[i], suffix))
			return true;
	}
	return false;
}

static int name(struct dedup_job *job, const char **to, char path[PATH_MAX], const char *end)
{
	int n = snprintf(path, PATH_MAX, "%s%s", job->options.output, end);

	*to = path;
	return n < 0 || n >= PATH_MAX
		       ? dedup_job_blame(job, -EINVAL, job->options.output, "the name is too long")
		       : 0;
}

int dedup_outputs_choose(struct dedup_job *job)
{
	struct dedup_options *d = &job->options;
	int rc = 0;

	d->single = d->output && is_file(d->output);
	if (d->output && !d->record && !job->asked.no_record)
		rc = name(job, &d->record, job->record, d->single ? DEDUP_RECORD_DIR : "/" DEDUP_RECORD_DIR);
	if (rc || d->on_error != DEDUP_QUARANTINE || d->quarantine)
		return rc;
	if (!d->output)
		return dedup_job_blame(job, -EINVAL, "--on-error quarantine", "this needs -o");
	return name(job, &d->quarantine, job->quarantine,
		d->single ? ".quarantine.jsonl" : "/" DEDUP_QUARANTINE_NAME);
}

int dedup_outputs_check_single(struct dedup_job *job)
{
	const struct dedup_inputs *inputs = &job->inputs;

	for (size_t i = 1; job->options.single && i < inputs->count; i++)
		if (inputs->v[i].format != inputs->v[0].format)
			return dedup_job_blame(job, -EINVAL, inputs->v[i].path,
				"text and JSON lines do not go into one file; let -o name a directory");
	return 0;
}
