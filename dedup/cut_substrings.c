#include <errno.h>
#include <stdlib.h>

#include "dedup/cut/substrings.h"
#include "dedup/cutter.h"
#include "dedup/text/tokens.h"

/* Where words are compared, each stands for 8 bytes, those of its hash. */
#define WORD sizeof(uint64_t)

struct finder {
	struct dedup_substrings *substrings;
	struct dedup_tokens *tokens;   /* one a thread; NULL: bytes are compared */
	const struct dedup_cuts *cuts; /* in bytes of hashes, to be told in bytes of text */
	struct dedup_cuts *found;      /* one a thread */
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
	size_t cuts;
	const struct dedup_cut *own = dedup_cuts_of(f->cuts, id, &cuts);
	int rc = cuts ? dedup_tokens_of(t, text, len) : 0;

	for (size_t i = 0; !rc && i < cuts; i++) {
		size_t first = (own[i].from + WORD - 1) / WORD, end = own[i].to / WORD;

		if (end > t->count)
			return -ESTALE;
		if (first < end)
			rc = dedup_cuts_add(&f->found[thread],
				(struct dedup_cut){id, t->places[first].from, t->places[end - 1].to});
	}
	return rc;
}

static int find(struct dedup_cutter *c, struct finder *f, struct dedup_cuts *all)
{
	int rc = dedup_cutter_walk(c, "substrings", f, note);

	if (!rc && dedup_substrings_is_limited(f->substrings))
		rc = dedup_cutter_walk(c, "substrings", f, count);
	while (!rc && dedup_substrings_more(f->substrings)) {
		rc = dedup_cutter_walk(c, "substrings", f, collect);
		rc = rc ? rc : dedup_substrings_settle(f->substrings, all);
	}
	dedup_cutter_memory(c, dedup_substrings_memory(f->substrings) + all->capacity * sizeof *all->v);
	return rc;
}

static int tell_places(struct dedup_cutter *c, struct finder *f, struct dedup_cuts *all)
{
	int rc;

	f->cuts = all;
	rc = dedup_cutter_walk(c, "substrings", f, place);
	dedup_cuts_release(all);
	return rc ? rc : dedup_cutter_gather(c, f->found, all);
}

int dedup_cut_substrings(struct dedup_cutter *c)
{
	const struct dedup_options *o = c->options;
	bool words = o->cutting.words;
	size_t length = o->cutting.substring * (words ? WORD : 1);
	uint64_t bytes = c->result->text_bytes + (words ? c->result->text_bytes / 2 : 0);
	struct finder f = {.tokens = words ? calloc(o->threads, sizeof *f.tokens) : NULL,
		.found = calloc(o->threads, sizeof *f.found)};
	struct dedup_cuts all = {0};
	int rc = f.found && (f.tokens || !words) ? 0 : -ENOMEM;

	for (unsigned i = 0; f.tokens && i < o->threads; i++)
		dedup_tokens_init(&f.tokens[i], o->normalise);
	rc = rc ? rc : dedup_substrings_new(length, o->threads, bytes, o->memory, &f.substrings);
	rc = rc ? rc : find(c, &f, &all);
	rc = rc || !words ? rc : tell_places(c, &f, &all);
	rc = rc ? rc : dedup_cuts_compose(c->cuts, &all);
	dedup_cuts_release(&all);
	dedup_substrings_free(f.substrings);
	for (unsigned i = 0; i < o->threads; i++) {
		if (f.found)
			dedup_cuts_release(&f.found[i]);
		if (f.tokens)
			dedup_tokens_release(&f.tokens[i]);
	}
	free(f.found);
	free(f.tokens);
	return rc;
}
