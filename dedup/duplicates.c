#include "dedup/duplicates.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/json/json.h"

/* A path as the inside of a JSON string; what is no UTF-8 becomes question marks. */
static char *escaped(const char *path)
{
	size_t len = strlen(path), n = 0;
	bool is_text = dedup_json_is_utf8(path, len);
	char *text = malloc(6 * len + 1);

	for (size_t i = 0; text && i < len; i++) {
		unsigned char c = (unsigned char)path[i];

		if (c < ' ')
			n += (size_t)sprintf(text + n, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			n += (size_t)sprintf(text + n, "\\%c", c);
		else
			text[n++] = (char)(c >= 128 && !is_text ? '?' : c);
	}
	if (text)
		text[n] = 0;
	return text;
}

struct list {
	const struct dedup_options *options;
	const struct dedup_outcome *outcome;
	struct dedup_outfile *file;
	char **names; /* of the inputs, escaped */
};

static int put_place(const struct list *list, const char *before, uint32_t id)
{
	size_t input = dedup_outcome_input(list->outcome, id);
	char line[32];
	int n, rc;

	rc = dedup_outfile_write(list->file, before, strlen(before));
	rc = rc ? rc : dedup_outfile_write(list->file, list->names[input], strlen(list->names[input]));
	n = snprintf(line, sizeof line, ":%lu\"", (unsigned long)(id - list->outcome->first_ids[input]) + 1);
	return rc ? rc : dedup_outfile_write(list->file, line, (size_t)n);
}

static int put(const struct list *list, uint32_t id, const struct dedup_fate *fate)
{
	char end[64];
	int n, rc;

	rc = put_place(list, "{\"id\": \"", id);
	rc = rc ? rc : put_place(list, ", \"anchor\": \"", fate->keeper);
	n = snprintf(end, sizeof end, ", \"similarity\": %.4f}\n", fate->similarity);
	return rc ? rc : dedup_outfile_write(list->file, end, (size_t)n);
}

static int put_all(const struct list *list)
{
	uint32_t lines = dedup_outcome_lines(list->outcome);
	int rc = 0;

	for (uint32_t id = 0; !rc && id < lines; id++) {
		struct dedup_fate fate = dedup_outcome_of(list->outcome, id);

		if (fate.keeper != id)
			rc = put(list, id, &fate);
	}
	return rc;
}

int dedup_duplicates_write(
	const struct dedup_options *options, const struct dedup_outcome *outcome, struct dedup_outfile *file)
{
	size_t inputs = options->inputs->count;
	struct list list = {.options = options, .outcome = outcome, .file = file};
	int rc = dedup_outfile_open(file, NULL, options->duplicates, DEDUP_CODEC_NONE);

	if (rc)
		return rc;
	list.names = calloc(inputs, sizeof *list.names);
	rc = list.names ? 0 : -ENOMEM;
	for (size_t i = 0; !rc && i < inputs; i++) {
		list.names[i] = escaped(options->inputs->v[i].path);
		rc = list.names[i] ? 0 : -ENOMEM;
	}
	rc = rc ? rc : put_all(&list);
	rc = rc ? rc : dedup_outfile_finish(file);
	for (size_t i = 0; list.names && i < inputs; i++)
		free(list.names[i]);
	free(list.names);
	return rc;
}
