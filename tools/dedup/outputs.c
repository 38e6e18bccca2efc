#include "tools/dedup/outputs.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "dedup/record.h"
#include "tools/tool.h"

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

static int name(const char **to, char path[PATH_MAX], const char *output, const char *end)
{
	int n = snprintf(path, PATH_MAX, "%s%s", output, end);

	*to = path;
	if (n < 0 || n >= PATH_MAX)
		return dedup_complain(TOOL_USAGE, output, NULL, "the name is too long");
	return -1;
}

int dedup_choose_outputs(struct dedup_command *c)
{
	struct dedup_options *d = &c->dedup;
	int code = -1;

	if (c->dry_run)
		d->output = NULL;
	d->single = d->output && is_file(d->output);
	if (c->stage && d->single && d->shards > 1)
		return dedup_complain(TOOL_USAGE, d->output, "let -o name a directory",
			"shards do not write one file together");
	if (c->no_record)
		d->record = NULL;
	else if (d->output && !d->record)
		code = name(&d->record, c->record, d->output,
			d->single ? DEDUP_RECORD_DIR : "/" DEDUP_RECORD_DIR);
	if (code < 0 && d->on_error == DEDUP_QUARANTINE && d->output && !d->quarantine)
		code = name(&d->quarantine, c->quarantine, d->output,
			d->single ? ".quarantine.jsonl" : "/" DEDUP_QUARANTINE_NAME);
	if (code < 0 && d->on_error == DEDUP_QUARANTINE && !d->quarantine)
		code = dedup_complain(TOOL_USAGE, "--on-error quarantine", NULL, "this needs -o");
	return code;
}

int dedup_check_single(const struct dedup_command *c, const struct dedup_inputs *inputs)
{
	for (size_t i = 1; c->dedup.single && i < inputs->count; i++)
		if (inputs->v[i].format != inputs->v[0].format)
			return dedup_complain(TOOL_USAGE, inputs->v[i].path, "let -o name a directory",
				"text and JSON lines do not go into one file");
	return TOOL_OK;
}
