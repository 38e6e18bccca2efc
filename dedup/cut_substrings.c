#include <errno.h>
#include <stdlib.h>

#include "dedup/cut/substrings.h"
#include "dedup/cutter.h"
#include "dedup/text/tokens.h"

/* Where words are compared, each stands for 8 bytes, those of its hash. */
#define WORD sizeof(uint64_t)

struct finder {
	struct dedup_substrings *substrings;
	struct dedup_tokens *tokens; /* one a thread; NULL: bytes are compared */
	struct dedup_sorter *found;
	struct dedup_cut_sink sink;
	struct dedup_cut_set cuts;	  /* in bytes of hashes, to be told in bytes of text */
	struct dedup_cut_reader *readers; /* of these, one a thread */
};

/* What is compared of a text. */
static int compared(struct finder *f, unsigned thread, const char **text, size_t *len)
{
	struct dedup_tokens *t = f->tokens ? &f->tokens[thread] : NULL;
	int rc = t ? dedup_tokens_of(t, *text, *len) : 0;

	if (rc || !t)
		return rc;
	*text = t->count ? (const char *)t->v : "";
	*len = t->count * WORD;
	return 0;
}

static int note(void *ctx, unsigned thread, uint32_t id, const char *text, size_t len)
{
	struct finder *f = ctx;
	int rc = compared(f, thread, &text, &len);

	(void)id;
	if (!rc)
		dedup_substrings_note(f->substrings, thread, text, len);
	return rc;
}

static int count(void *ctx, unsigned thread, uint32_t id, const char *text, size_t len)
{
	struct finder *f = ctx;
	int rc = compared(f, thread, &text, &len);

	(void)id;
	if (!rc)
		dedup_substrings_count(f->substrings, thread, text, len);
	return rc;
}

static int collect(void *ctx, unsigned thread, uint32_t id, const char *text, size_t len)
{
	struct finder *f = ctx;
	int rc = compared(f, thread, &text, &len);

	return rc ? rc : dedup_substrings_collect(f->substrings, thread, id, text, len);
}

/* The whole words of each cut, from the first one's start to the last one's end. */
static int place(void *ctx, unsigned thread, uint32_t id, const char *text, size_t len)
{
	struct finder *f = ctx;
	struct dedup_tokens *t = &f->tokens[thread];
	const struct dedup_cut *own;
	size_t cuts;
	int rc = dedup_cut_set_of(&f->cuts, &f->readers[thread], id, &own, &cuts);

	if (!rc && cuts)
		rc = dedup_tokens_of(t, text, len);
	for (size_t i = 0; !rc && i < cuts; i++) {
		size_t first = (own[i].from + WORD - 1) / WORD, end = own[i].to / WORD;

		if (end > t->count)
			return -ESTALE;
		if (first < end)
			rc = dedup_cut_put(&f->sink, thread,
				(struct dedup_cut){id, t->places[first].from, t->places[end - 1].to});
	}
	return rc;
}

static int find(struct dedup_cutter *c, struct finder *f)
{
	int rc = dedup_cutter_walk(c, "substrings", f, note);

	if (!rc && dedup_substrings_is_limited(f->substrings))
		rc = dedup_cutter_walk(c, "substrings", f, count);
	while (!rc && dedup_substrings_more(f->substrings)) {
		rc = dedup_cutter_walk(c, "substrings", f, collect);
		rc = rc ? rc : dedup_substrings_settle(f->substrings);
	}
	dedup_cutter_memory(c, dedup_substrings_memory(f->substrings) + dedup_sorter_memory(f->found));
	dedup_substrings_free(f->substrings);
	f->substrings = NULL;
	return rc;
}

static int tell_places(struct dedup_cutter *c, struct finder *f)
{
	int rc = dedup_cutter_take(c, &f->cuts, &f->found, dedup_cuts_settle);

	rc = rc ? rc : dedup_cutter_sorter(c, &f->found, &f->sink);
	return rc ? rc : dedup_cutter_walk(c, "substrings", f, place);
}

static void release(struct finder *f, unsigned threads)
{
	for (unsigned i = 0; i < threads; i++) {
		if (f->readers)
			dedup_cut_reader_release(&f->readers[i]);
		if (f->tokens)
			dedup_tokens_release(&f->tokens[i]);
	}
	free(f->readers);
	free(f->tokens);
	dedup_cut_set_release(&f->cuts);
	dedup_sorter_free(f->found);
	dedup_substrings_free(f->substrings);
}

int dedup_cut_substrings(struct dedup_cutter *c)
{
	const struct dedup_options *o = c->options;
	bool words = o->cutting.words;
	size_t length = o->cutting.substring * (words ? WORD : 1);
	uint64_t bytes = c->result->text_bytes + (words ? c->result->text_bytes / 2 : 0);
	struct finder f = {.tokens = words ? calloc(o->threads, sizeof *f.tokens) : NULL,
		.readers = calloc(o->threads, sizeof *f.readers)};
	int rc = f.readers && (f.tokens || !words) ? 0 : -ENOMEM;

	dedup_cut_set_init(&f.cuts, c->work);
	for (unsigned i = 0; f.tokens && i < o->threads; i++)
		dedup_tokens_init(&f.tokens[i], o->normalise);
	rc = rc ? rc : dedup_cutter_sorter(c, &f.found, &f.sink);
	rc = rc ? rc
		: dedup_substrings_new(length, o->threads, bytes, c->memory / 8 * 7, &f.sink, &f.substrings);
	rc = rc ? rc : find(c, &f);
	rc = rc || !words ? rc : tell_places(c, &f);
	rc = rc ? rc : dedup_cutter_take(c, c->cuts, &f.found, dedup_cuts_settle);
	release(&f, o->threads);
	return rc;
}
