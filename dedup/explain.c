#include "dedup/explain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/read/record.h"
#include "dedup/sketch/simhash.h"
#include "dedup/text/shingles.h"

/* One of the two records. */
struct side {
	char *text;
	size_t len;
	struct dedup_words words;
	struct dedup_shingles shingles;
	uint64_t *sketch, *keys, fingerprint;
};

static int keep_text(struct side *side, const struct dedup_options *o, const struct dedup_input *input,
	const struct dedup_line *line, struct dedup_fault *fault)
{
	struct dedup_json *json = NULL;
	const char *text;
	int rc = dedup_json_new(&json);

	if (!rc)
		rc = dedup_record_text(json, input->format, o->field, line, &text, &side->len, &fault->why);
	if (!rc) {
		side->text = malloc(side->len + 1);
		rc = side->text ? 0 : -ENOMEM;
	}
	if (!rc)
		memcpy(side->text, text, side->len);
	dedup_json_free(json);
	return rc == -ENOMEM || !rc ? rc : -EBADMSG;
}

static int find_in_block(struct side *side, const struct dedup_options *o, const struct dedup_block *block,
	struct dedup_fault *fault)
{
	struct dedup_line line;
	size_t at = 0;

	fault->why = block->why ? block->why : "the file has no such line";
	if (block->why)
		return -EBADMSG;
	for (uint64_t number = block->line + 1; dedup_block_line(block, &at, &line); number++)
		if (number == fault->line && dedup_line_is_blank(&line))
			fault->why = "the line is blank, no record";
		else if (number == fault->line)
			return keep_text(side, o, fault->input, &line, fault);
	return -EBADMSG;
}

/* fault: the input and line that are looked for. */
static int find(struct side *side, const struct dedup_options *o, struct dedup_fault *fault)
{
	size_t i = (size_t)(fault->input - o->inputs->v);
	struct dedup_block block = {0};
	struct dedup_reader *reader;
	int rc = dedup_reader_new(o->inputs, i, i + 1, 0, &reader);

	while (!rc && (rc = dedup_reader_next(reader, &block)) > 0) {
		rc = 0;
		if (block.line + block.lines >= fault->line) {
			rc = find_in_block(side, o, &block, fault);
			goto out;
		}
	}
	if (!rc) {
		fault->why = "the file has no such line";
		rc = -ENOENT;
	}
out:
	dedup_block_release(&block);
	dedup_reader_free(reader);
	return rc;
}

static int sketch(struct side *side, const struct dedup_options *o, const struct dedup_sketcher *sketcher)
{
	int rc;

	dedup_words_init(&side->words, o->normalise);
	side->sketch = calloc(o->values, sizeof *side->sketch);
	side->keys = calloc(o->bands.bands, sizeof *side->keys);
	rc = side->sketch && side->keys ? dedup_words_of(&side->words, side->text, side->len) : -ENOMEM;
	rc = rc ? rc : dedup_shingles_of(&side->shingles, side->words.v, side->words.count, o->ngram);
	if (rc || !side->shingles.count)
		return rc;
	side->fingerprint = dedup_simhash(side->shingles.v, side->shingles.count);
	dedup_sketch(sketcher, side->shingles.v, side->shingles.count, side->sketch);
	if (o->method == DEDUP_SIMHASH)
		dedup_simhash_keys(o->distance, side->fingerprint, side->keys);
	else
		dedup_bands_keys(o->bands, side->sketch, side->keys);
	return 0;
}

static int compare(const struct side *a, const struct side *b, const struct dedup_options *o,
	struct dedup_explanation *e)
{
	struct dedup_set set = {0};
	int rc = dedup_set_fill(&set, a->shingles.v, a->shingles.count);

	e->same = a->len == b->len && !memcmp(a->text, b->text, a->len);
	if (rc || !a->shingles.count || !b->shingles.count)
		goto out;
	e->common = dedup_set_common(&set, b->shingles.v, b->shingles.count);
	e->jaccard = (double)e->common / (double)(a->shingles.count + b->shingles.count - e->common);
	e->distance = dedup_simhash_distance(a->fingerprint, b->fingerprint);
	for (unsigned i = 0; i < o->values; i++)
		e->values_equal += a->sketch[i] == b->sketch[i];
	for (unsigned i = 0; i < o->bands.bands; i++)
		e->bands_equal += a->keys[i] == b->keys[i];
out:
	dedup_set_release(&set);
	return rc;
}

static void release(struct side *side)
{
	free(side->text);
	free(side->sketch);
	free(side->keys);
	dedup_words_release(&side->words);
	dedup_shingles_release(&side->shingles);
}

/* Both have their texts. */
static int explain(const struct dedup_options *o, struct side sides[2], struct dedup_explanation *explanation)
{
	struct dedup_sketcher sketcher;
	int rc = 0;

	*explanation = (struct dedup_explanation){0};
	dedup_sketcher_init(&sketcher, o->sketch, o->values);
	for (int i = 0; !rc && i < 2; i++) {
		rc = sketch(&sides[i], o, &sketcher);
		explanation->of[i] =
			(struct dedup_explained){sides[i].len, sides[i].words.count, sides[i].shingles.count};
	}
	return rc ? rc : compare(&sides[0], &sides[1], o, explanation);
}

int dedup_explain(const struct dedup_options *o, const uint64_t lines[2],
	struct dedup_explanation *explanation, struct dedup_fault *fault)
{
	struct side sides[2] = {0};
	int rc = 0;

	for (int i = 0; !rc && i < 2; i++) {
		*fault = (struct dedup_fault){
			.input = &o->inputs->v[i ? o->inputs->count - 1 : 0],
			.line = lines[i],
		};
		rc = find(&sides[i], o, fault);
	}
	rc = rc ? rc : explain(o, sides, explanation);
	release(&sides[0]);
	release(&sides[1]);
	return rc;
}

int dedup_explain_texts(const struct dedup_options *o, const char *const texts[2], const size_t lengths[2],
	struct dedup_explanation *explanation)
{
	struct side sides[2] = {0};
	int rc = 0;

	for (int i = 0; !rc && i < 2; i++) {
		sides[i].len = lengths[i];
		sides[i].text = malloc(lengths[i] + 1);
		if (!sides[i].text)
			rc = -ENOMEM;
		else if (!dedup_json_is_utf8(texts[i], lengths[i]))
			rc = -EBADMSG;
		else
			memcpy(sides[i].text, texts[i], lengths[i]);
	}
	rc = rc ? rc : explain(o, sides, explanation);
	release(&sides[0]);
	release(&sides[1]);
	return rc;
}
