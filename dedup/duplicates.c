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
	const struct dedup_hits *hits;
	struct dedup_outfile *file;
	char **names; /* of the inputs, escaped */
};

static int put_text(const struct list *list, const char *text)
{
	return dedup_outfile_write(list->file, text, strlen(text));
}

static int put_place(const struct list *list, const char *before, uint32_t id)
{
	size_t input = dedup_outcome_input(list->outcome, id);
	char line[32];
	int n, rc;

	rc = put_text(list, before);
	rc = rc ? rc : put_text(list, list->names[input]);
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

/* With the item that it hits, whose file is named as it was given. */
static int put_hit(const struct list *list, uint32_t id)
{
	const struct dedup_hit *hit = dedup_hits_of(list->hits, id);
	const struct dedup_input *input;
	char end[64], *name;
	uint64_t line;
	int n, rc;

	input = dedup_against_place(list->options->against, hit->item, &line);
	name = escaped(input->path);
	if (!name)
		return -ENOMEM;
	rc = put_place(list, "{\"id\": \"", id);
	rc = rc ? rc : put_text(list, ", \"anchor\": null, \"similarity\": null, \"against\": \"");
	rc = rc ? rc : put_text(list, name);
	free(name);
	n = snprintf(end, sizeof end, ":%llu\", \"overlap\": %.4f}\n", (unsigned long long)line,
		(double)hit->overlap);
	return rc ? rc : dedup_outfile_write(list->file, end, (size_t)n);
}

static int put_cut(const struct list *list, uint32_t id)
{
	int rc = put_place(list, "{\"id\": \"", id);

	return rc ? rc : put_text(list, ", \"anchor\": null, \"similarity\": null}\n");
}

static int put_all(const struct list *list)
{
	uint32_t lines = dedup_outcome_lines(list->outcome);
	int rc = 0;

	for (uint32_t id = 0; !rc && id < lines; id++) {
		struct dedup_fate fate = dedup_outcome_of(list->outcome, id);

		if (fate.keeper != id)
			rc = put(list, id, &fate);
		else if (fate.how == DEDUP_HOW_AGAINST)
			rc = put_hit(list, id);
		else if (fate.how == DEDUP_HOW_CUT)
			rc = put_cut(list, id);
	}
	return rc;
}

int dedup_duplicates_write(const struct dedup_options *options, const struct dedup_outcome *outcome,
	const struct dedup_hits *hits, struct dedup_outfile *file)
{
	size_t inputs = options->inputs->count;
	struct list list = {.options = options, .outcome = outcome, .hits = hits, .file = file};
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
