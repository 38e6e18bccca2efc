#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/scanner.h"
#include "store/util/array.h"
#include "store/util/clock.h"

void dedup_worker_lap(struct dedup_worker *w, double *stage)
{
	uint64_t now = clock_now_ns();

	*stage += (double)(now - w->mark) * 1e-9;
	w->mark = now;
}

static int add_fault(struct dedup_worker *w, size_t line_in_block, const char *why)
{
	struct dedup_scan_fault *grown =
		array_grow(w->faults.v, w->faults.count, &w->faults.capacity, sizeof *grown);

	if (!grown)
		return -ENOMEM;
	w->faults.v = grown;
	grown[w->faults.count++] = (struct dedup_scan_fault){
		.id = w->block.id + (uint32_t)line_in_block,
		.input = (uint32_t)w->block.input,
		.line = w->block.line + line_in_block + 1,
		.why = why,
	};
	return 0;
}

static int add_text(struct dedup_scanner *s, struct dedup_worker *w, uint32_t id)
{
	unsigned bands = s->options->bands.bands;
	size_t words;
	struct dedup_text *grown;
	uint64_t *data;

	grown = array_grow(w->texts.v, w->texts.count, &w->texts.capacity, sizeof *grown);
	if (!grown)
		return -ENOMEM;
	w->texts.v = grown;
	words = dedup_text_words(s->options, w->shingles.count);
	data = dedup_arena_take(w->arena, bands + words);
	if (!data)
		return -ENOMEM;
	if (words) {
		dedup_text_keys(s, w, data);
		dedup_text_copy(s->options, w, data + bands);
	}
	grown[w->texts.count++] = (struct dedup_text){
		.keys = data,
		.shingles = (uint32_t)words,
		.id = id,
	};
	return 0;
}

int dedup_shingle(struct dedup_scanner *s, struct dedup_worker *w, const char *text, size_t len)
{
	int rc = dedup_words_of(&w->words, text, len);

	dedup_worker_lap(w, &w->seen.times.normalise);
	return rc ? rc : dedup_shingles_of(&w->shingles, w->words.v, w->words.count, s->options->ngram);
}

static int note_near(
	struct dedup_scanner *s, struct dedup_worker *w, uint32_t id, const char *text, size_t len)
{
	int rc = dedup_shingle(s, w, text, len);

	rc = rc ? rc : add_text(s, w, id);
	dedup_worker_lap(w, &w->seen.times.sketch);
	return rc;
}

uint64_t dedup_rank_here(const struct dedup_scanner *s, const struct dedup_worker *w, size_t len)
{
	size_t input = w->block.input;
	bool is_text = s->options->inputs->v[input].format == DEDUP_FORMAT_TEXT;

	if (s->ranks->keep == DEDUP_KEEP_PREFER)
		return s->ranks->of_inputs[input];
	return dedup_rank_of(s->ranks, is_text ? NULL : w->json, len);
}

int dedup_note_room(struct dedup_scanner *s, uint32_t id)
{
	int rc = dedup_lines_room(&s->outcome->lines, id);

	return rc ? rc : dedup_ranks_room(s->ranks, id);
}

int dedup_note_mark(struct dedup_scanner *s, struct dedup_worker *w, uint32_t id, uint32_t mark)
{
	(void)w;
	*dedup_lines_at(&s->outcome->lines, id) = mark;
	return 0;
}

static int note_text(
	struct dedup_scanner *s, struct dedup_worker *w, uint32_t id, const char *text, size_t len)
{
	uint64_t hash;
	uint32_t check, first, again;
	int rc = 1;

	dedup_key_hash(s, w, &hash, &check);
	w->seen.documents++;
	w->seen.text_bytes += len;
	dedup_ranks_note(s->ranks, id, dedup_rank_here(s, w, len));
	/* Before others can learn of it: they may say at once that it is a duplicate. */
	*dedup_lines_at(&s->outcome->lines, id) = id;
	if (!w->key.none)
		rc = dedup_exact_put(s->exact, hash, check, id, &first, &again);
	if (rc < 0)
		return rc;
	if (!rc) {
		w->seen.exact++;
		*dedup_lines_at(&s->outcome->lines, again) = first;
	}
	dedup_worker_lap(w, &w->seen.times.exact);
	return rc && dedup_method_compares(s->options->method) ? note_near(s, w, id, text, len) : 0;
}

const struct dedup_pass dedup_note_pass = {
	.room = dedup_note_room,
	.mark = dedup_note_mark,
	.text = note_text,
};

static int mark(struct dedup_scanner *s, struct dedup_worker *w, uint32_t id, uint32_t what)
{
	return s->pass->mark ? s->pass->mark(s, w, id, what) : 0;
}

/* A line that cannot be used; `number` counts in the block. */
static int note_fault(struct dedup_scanner *s, struct dedup_worker *w, size_t number, const char *why)
{
	int rc = mark(s, w, w->block.id + (uint32_t)number, DEDUP_LINE_BAD);

	rc = rc ? rc : add_fault(w, number, why);
	return rc ? rc : s->options->on_error == DEDUP_STOP ? -EBADMSG : 0;
}

/* 1: the text hits the second set, and is done with. */
static int note_against(
	struct dedup_scanner *s, struct dedup_worker *w, uint32_t id, const char *text, size_t len)
{
	uint32_t item;
	double overlap;
	int rc = dedup_against_find(s->options->against, &w->finder, text, len, &item, &overlap);

	dedup_worker_lap(w, &w->seen.times.against);
	if (rc <= 0)
		return rc;
	w->seen.documents++;
	w->seen.text_bytes += len;
	w->seen.against++;
	rc = mark(s, w, id, DEDUP_LINE_AGAINST);
	return rc ? rc : 1;
}

static int note_line(
	struct dedup_scanner *s, struct dedup_worker *w, size_t number, const struct dedup_line *line)
{
	uint32_t id = w->block.id + (uint32_t)number;
	const char *text, *why;
	size_t len;
	int rc;

	if (s->pass->wants && !s->pass->wants(s, id))
		return 0;
	if (dedup_line_is_blank(line))
		return s->pass->wants ? -ESTALE : mark(s, w, id, DEDUP_LINE_BLANK);
	rc = dedup_key_read(s, w, line, &text, &len, &why);
	dedup_worker_lap(w, &w->seen.times.parse);
	if (!rc && s->options->against && !s->pass->wants)
		rc = note_against(s, w, id, text, len);
	if (rc > 0)
		return 0;
	if (!rc)
		return s->pass->text(s, w, id, text, len);
	if (rc == -ENOMEM || s->pass->wants)
		return rc == -ENOMEM ? rc : -ESTALE;
	return note_fault(s, w, number, why);
}

int dedup_note_block(struct dedup_scanner *s, struct dedup_worker *w)
{
	struct dedup_line line;
	size_t at = 0, number = 0;
	int rc = 0;

	w->seen.bytes += w->block.len;
	if (w->block.why && !s->pass->wants)
		rc = note_fault(s, w, 0, w->block.why);
	while (!rc && dedup_block_line(&w->block, &at, &line))
		rc = note_line(s, w, number++, &line);
	if (!rc && s->pass->end_block)
		rc = s->pass->end_block(s, w);
	return rc;
}
