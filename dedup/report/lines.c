#include "dedup/report/lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/read/record.h"

int dedup_lines_each(
	const char *path, int (*use)(void *ctx, const char *text, size_t len), void *ctx, const char **why)
{
	struct dedup_inputs inputs = {0};
	struct dedup_block block = {0};
	struct dedup_reader *reader = NULL;
	int rc = dedup_inputs_add(&inputs, path, DEDUP_FORMAT_TEXT), more = 0;

	rc = rc ? rc : dedup_reader_new(&inputs, 0, inputs.count, 0, &reader);
	while (!rc && (more = dedup_reader_next(reader, &block)) > 0) {
		struct dedup_line line;
		size_t at = 0;

		*why = block.why;
		rc = block.why ? -EBADMSG : 0;
		while (!rc && dedup_block_line(&block, &at, &line))
			rc = use(ctx, line.text, line.len);
	}
	dedup_block_release(&block);
	dedup_reader_free(reader);
	dedup_inputs_release(&inputs);
	return rc ? rc : more;
}

struct picker {
	struct dedup_report *report;
	struct dedup_json *json;
	struct dedup_report_text *texts;
	size_t count, next;
	const char *field;
	const struct dedup_input *input;
};

static int pick(struct picker *p, const struct dedup_line *line)
{
	struct dedup_report_text *text = &p->texts[p->next];
	const char *found;
	int rc = dedup_record_text(
		p->json, p->input->format, p->field, line, &found, &text->len, &p->report->why);

	if (rc)
		return rc;
	text->text = malloc(text->len + 1);
	if (!text->text)
		return -ENOMEM;
	memcpy(text->text, found, text->len);
	text->text[text->len] = 0;
	return 0;
}

static int pick_from_block(struct picker *p, const struct dedup_block *block)
{
	struct dedup_line line;
	size_t at = 0;
	int rc = 0;

	for (uint64_t number = block->line + 1;
		!rc && p->next < p->count && !block->why && dedup_block_line(block, &at, &line); number++)
		if (number == p->texts[p->next].place.line) {
			rc = pick(p, &line);
			p->next += !rc;
		}
	return rc;
}

/* The input as it was when it ran. */
static int same_input(struct dedup_report *r, size_t number, struct dedup_inputs *inputs)
{
	const json_t *was = json_array_get(json_object_get(r->run, "inputs"), number);
	const char *format = json_string_value(json_object_get(was, "format"));
	const struct dedup_input *is;
	int rc;

	r->why = "it came by a pipe, and cannot be read again";
	if (!json_is_true(json_object_get(was, "again")))
		return -ESTALE;
	r->why = NULL;
	rc = dedup_inputs_add(inputs, r->inputs[number],
		format && !strcmp(format, "text") ? DEDUP_FORMAT_TEXT : DEDUP_FORMAT_JSONL);
	if (rc)
		return rc;
	is = &inputs->v[0];
	r->why = "it was changed since the run";
	return json_integer_value(json_object_get(was, "bytes")) == (json_int_t)is->size &&
			       json_integer_value(json_object_get(was, "mtime_ns")) ==
				       (json_int_t)is->mtime.tv_sec * 1000000000 + is->mtime.tv_nsec
		       ? 0
		       : -ESTALE;
}

/* All texts of one file, in one pass. */
static int pick_from_input(struct picker *p, size_t number)
{
	struct dedup_inputs inputs = {0};
	struct dedup_block block = {0};
	struct dedup_reader *reader = NULL;
	int rc = same_input(p->report, number, &inputs), more = 0;

	rc = rc ? rc : dedup_reader_new(&inputs, 0, 1, 0, &reader);
	p->input = inputs.v;
	while (!rc && p->next < p->count && (more = dedup_reader_next(reader, &block)) > 0)
		rc = pick_from_block(p, &block);
	rc = rc ? rc : more < 0 ? more : 0;
	if (!rc && p->next < p->count) {
		p->report->why = "there is no such line";
		rc = -ENOENT;
	}
	dedup_block_release(&block);
	dedup_reader_free(reader);
	dedup_inputs_release(&inputs);
	return rc;
}

int dedup_report_texts(struct dedup_report *report, struct dedup_report_text *texts, size_t count)
{
	struct picker p = {.report = report, .texts = texts};
	int rc = dedup_json_new(&p.json);

	p.field = dedup_report_text(report, "options", "field");
	for (size_t i = 0; i < count; i++)
		texts[i].text = NULL;
	while (!rc && p.count < count) {
		size_t input = texts[p.count].place.input;

		while (p.count < count && texts[p.count].place.input == input)
			p.count++;
		rc = pick_from_input(&p, input);
	}
	if (rc && p.next < count) {
		snprintf(report->path, sizeof report->path, "%s", report->inputs[texts[p.next].place.input]);
		report->line = rc == -ESTALE ? 0 : texts[p.next].place.line;
	}
	dedup_json_free(p.json);
	return rc;
}
