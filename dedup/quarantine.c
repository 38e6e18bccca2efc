#include "dedup/quarantine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/places.h"
#include "dedup/scanner.h"

struct quarantine {
	const struct dedup_options *options;
	const struct dedup_outcome *outcome;
	struct dedup_outfile *file;
	struct dedup_scanner scanner; /* only for dedup_key_read, and so is: */
	struct dedup_worker worker;
};

static int put_escaped(struct quarantine *q, const char *text, size_t len)
{
	char *escaped = dedup_json_escaped(text, len);
	int rc = escaped ? dedup_outfile_write(q->file, escaped, strlen(escaped)) : -ENOMEM;

	free(escaped);
	return rc;
}

static int put_base64(struct quarantine *q, const char *text, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	int rc = 0;

	for (size_t i = 0; !rc && i < len; i += 3) {
		size_t have = len - i < 3 ? len - i : 3;
		uint32_t word = 0;
		char four[4];

		for (size_t j = 0; j < have; j++)
			word |= (uint32_t)(unsigned char)text[i + j] << (16 - 8 * j);
		for (size_t j = 0; j < 4; j++)
			four[j] = (char)(j <= have ? digits[word >> (18 - 6 * j) & 63] : '=');
		rc = dedup_outfile_write(q->file, four, sizeof four);
	}
	return rc;
}

/* `text` NULL: it could not be had. */
static int put(struct quarantine *q, const struct dedup_input *input, uint64_t line, const char *why,
	const char *text, size_t len)
{
	bool is_text = text && dedup_json_is_utf8(text, len);
	int rc = dedup_put(q->file, "{\"file\": \"");

	rc = rc ? rc : put_escaped(q, input->path, strlen(input->path));
	rc = rc ? rc : dedup_put(q->file, "\", \"line\": %llu, \"reason\": \"", (unsigned long long)line + 1);
	rc = rc ? rc : put_escaped(q, why, strlen(why));
	if (!text)
		return rc ? rc : dedup_put(q->file, "\", \"record\": null}\n");
	rc = rc ? rc : dedup_put(q->file, is_text ? "\", \"record\": \"" : "\", \"base64\": \"");
	rc = rc ? rc : is_text ? put_escaped(q, text, len) : put_base64(q, text, len);
	return rc ? rc : dedup_put(q->file, "\"}\n");
}

/* Why a line is no record: what the first pass found, found again. */
static int put_line(
	struct quarantine *q, const struct dedup_block *block, uint64_t number, const struct dedup_line *line)
{
	const struct dedup_input *input = &q->options->inputs->v[block->input];
	const char *text, *why;
	size_t len;
	int rc;

	q->worker.block.input = block->input;
	rc = dedup_key_read(&q->scanner, &q->worker, line, &text, &len, &why);
	if (!rc)
		return -ESTALE;
	return rc == -ENOMEM ? rc : put(q, input, number, why, line->text, line->len);
}

static int put_block(struct quarantine *q, const struct dedup_block *block)
{
	struct dedup_line line;
	size_t at = 0;
	int rc = 0;

	if (block->why)
		return put(q, &q->options->inputs->v[block->input], block->line, block->why, NULL, 0);
	for (uint32_t i = 0; !rc && dedup_block_line(block, &at, &line); i++)
		if (dedup_outcome_of(q->outcome, block->id + i).how == DEDUP_HOW_BAD)
			rc = put_line(q, block, block->line + i, &line);
	return rc;
}

static bool has_bad(const struct dedup_outcome *outcome, size_t input)
{
	for (uint32_t id = outcome->first_ids[input]; id < outcome->first_ids[input + 1]; id++)
		if (dedup_outcome_of(outcome, id).how == DEDUP_HOW_BAD)
			return true;
	return false;
}

static int put_file(struct quarantine *q, size_t input)
{
	uint32_t end = q->outcome->first_ids[input + 1];
	struct dedup_block block = {0};
	struct dedup_reader *reader;
	int rc =
		dedup_reader_new(q->options->inputs, input, input + 1, q->outcome->first_ids[input], &reader);
	int more = 0;

	while (!rc && (more = dedup_reader_next(reader, &block)) > 0)
		rc = block.lines > end - block.id ? -ESTALE : put_block(q, &block);
	dedup_block_release(&block);
	dedup_reader_free(reader);
	return rc ? rc : more;
}

int dedup_quarantine_write(
	const struct dedup_options *options, const struct dedup_outcome *outcome, struct dedup_outfile *file)
{
	struct quarantine q = {
		.options = options, .outcome = outcome, .file = file, .scanner.options = options};
	int rc = dedup_json_new(&q.worker.json);

	for (size_t i = 0; !rc && i < options->inputs->count; i++)
		if (has_bad(outcome, i))
			rc = put_file(&q, i);
	dedup_json_free(q.worker.json);
	return rc;
}
