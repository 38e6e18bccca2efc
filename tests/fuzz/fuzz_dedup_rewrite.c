// links: m_dedup_cut m_dedup_json
/* A record from which pieces are cut is a record again, whose text is what the cuts leave, and all other
 * bytes are the same. The first four bytes are two cuts. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/cut/rewrite.h"
#include "dedup/json/json.h"
#include "dedup/json/span.h"

#define FIELD "a.text"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
}

static int is_start(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

/* What is left when only whole characters go. */
static size_t cut_text(const char *text, size_t len, const struct dedup_cut *cuts, size_t count, char *left)
{
	size_t n = 0, end;

	for (size_t at = 0; at < len; at = end) {
		int goes = 0;

		for (end = at + 1; end < len && !is_start(text[end]);)
			end++;
		for (size_t i = 0; i < count; i++)
			goes |= cuts[i].from <= at && end <= cuts[i].to;
		memcpy(left + n, text + at, goes ? 0 : end - at);
		n += goes ? 0 : end - at;
	}
	return n;
}

static void use(struct dedup_json *json, const struct dedup_line *line, const struct dedup_cuts *cuts)
{
	struct dedup_rewritten r = {0};
	const char *text, *why;
	char *left;
	size_t len, left_len, from = 0, to = 0;
	int rc = dedup_json_string(json, line->text, line->len, FIELD, &text, &len, &why);

	if (rc) { /* whatever it is, no access outside */
		dedup_rewrite(&r, DEDUP_FORMAT_JSONL, FIELD, line, cuts->v, cuts->count);
		dedup_rewritten_release(&r);
		return;
	}
	left = malloc(len + 1);
	check(left != NULL && dedup_json_span(line->text, line->len, FIELD, &from, &to));
	left_len = cut_text(text, len, cuts->v, cuts->count, left);
	check(!dedup_rewrite(&r, DEDUP_FORMAT_JSONL, FIELD, line, cuts->v, cuts->count));
	check(r.text == len && r.left == left_len && r.len <= line->whole);
	check(!memcmp(r.data, line->text, from));
	check(!memcmp(r.data + r.len - (line->whole - to), line->text + to, line->whole - to));
	r.data = realloc(r.data, r.len + DEDUP_JSON_PADDING);
	check(r.data && !dedup_json_string(json, r.data, r.len, FIELD, &text, &len, &why));
	check(len == left_len && !memcmp(text, left, len));
	free(left);
	dedup_rewritten_release(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dedup_cuts cuts = {0};
	struct dedup_json *json = NULL;
	struct dedup_line line;
	char *text;

	if (size < 4)
		return 0;
	for (int i = 0; i < 4; i += 2)
		check(!dedup_cuts_add(
			&cuts, (struct dedup_cut){0, data[i], (uint32_t)data[i] + data[i + 1]}));
	dedup_cuts_settle(&cuts);
	text = calloc(1, size - 4 + DEDUP_JSON_PADDING);
	check(text != NULL && !dedup_json_new(&json));
	memcpy(text, data + 4, size - 4);
	line = (struct dedup_line){.text = text, .len = size - 4, .whole = size - 4};
	use(json, &line, &cuts);
	dedup_json_free(json);
	dedup_cuts_release(&cuts);
	free(text);
	return 0;
}
