#include "dedup/duplicates.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/json/json.h"

struct similarity {
	uint32_t id;
	float value;
};

static int compare(const void *a, const void *b)
{
	const struct similarity *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* Of the texts that have another for an anchor, by line. */
static struct similarity *similarities(const struct dedup_scan *scan, size_t *count)
{
	struct similarity *v = malloc((scan->text_count + 1) * sizeof *v);

	*count = 0;
	for (size_t i = 0; v && i < scan->text_count; i++)
		if (scan->texts[i].anchor != i)
			v[(*count)++] = (struct similarity){scan->texts[i].id, scan->texts[i].similarity};
	if (v)
		qsort(v, *count, sizeof *v, compare);
	return v;
}

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
	const struct dedup_scan *scan;
	struct dedup_outfile *file;
	char **names; /* of the inputs, escaped */
	struct similarity *similar;
	size_t similar_count;
};

static size_t input_of(const struct list *list, uint32_t id)
{
	size_t low = 0, high = list->options->inputs->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (list->scan->first_ids[middle] <= id)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static int put_place(const struct list *list, const char *before, uint32_t id)
{
	size_t input = input_of(list, id);
	char line[32];
	int n, rc;

	rc = dedup_outfile_write(list->file, before, strlen(before));
	rc = rc ? rc : dedup_outfile_write(list->file, list->names[input], strlen(list->names[input]));
	n = snprintf(line, sizeof line, ":%lu\"", (unsigned long)(id - list->scan->first_ids[input]) + 1);
	return rc ? rc : dedup_outfile_write(list->file, line, (size_t)n);
}

static const struct similarity *similarity_of(const struct list *list, uint32_t id)
{
	struct similarity key = {.id = id};

	return bsearch(&key, list->similar, list->similar_count, sizeof key, compare);
}

/* By way of its exact duplicates to the lowest line with the text, and from there to the anchor. */
static int put(const struct list *list, uint32_t id)
{
	const struct similarity *found;
	uint32_t at = id;
	char end[64];
	int n, rc;

	while (!(found = similarity_of(list, at)) && *dedup_lines_at(&list->scan->lines, at) != at)
		at = *dedup_lines_at(&list->scan->lines, at);
	rc = put_place(list, "{\"id\": \"", id);
	rc = rc ? rc
		: put_place(list, ", \"anchor\": \"", found ? *dedup_lines_at(&list->scan->lines, at) : at);
	n = snprintf(end, sizeof end, ", \"similarity\": %.4f}\n", found ? (double)found->value : 1.0);
	return rc ? rc : dedup_outfile_write(list->file, end, (size_t)n);
}

static int put_all(const struct list *list)
{
	uint32_t lines = list->scan->first_ids[list->options->inputs->count];
	int rc = 0;

	for (uint32_t id = 0; !rc && id < lines; id++) {
		uint32_t what = *dedup_lines_at(&list->scan->lines, id);

		if (what != id && what != DEDUP_LINE_BLANK && what != DEDUP_LINE_BAD)
			rc = put(list, id);
	}
	return rc;
}

int dedup_duplicates_write(
	const struct dedup_options *options, const struct dedup_scan *scan, struct dedup_outfile *file)
{
	size_t inputs = options->inputs->count;
	struct list list = {.options = options, .scan = scan, .file = file};
	int rc = dedup_outfile_open(file, NULL, options->duplicates, DEDUP_CODEC_NONE);

	if (rc)
		return rc;
	list.names = calloc(inputs, sizeof *list.names);
	list.similar = similarities(scan, &list.similar_count);
	rc = list.names && list.similar ? 0 : -ENOMEM;
	for (size_t i = 0; !rc && i < inputs; i++) {
		list.names[i] = escaped(options->inputs->v[i].path);
		rc = list.names[i] ? 0 : -ENOMEM;
	}
	rc = rc ? rc : put_all(&list);
	rc = rc ? rc : dedup_outfile_finish(file);
	for (size_t i = 0; list.names && i < inputs; i++)
		free(list.names[i]);
	free(list.names);
	free(list.similar);
	return rc;
}
