#include "dedup/cut/substrings.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "dedup/cut/grams.h"
#include "dedup/cut/pieces.h"
#include "dedup/cut/windows.h"
#include "dedup/cut/winnow.h"
#include "dedup/group/parallel.h"
#include "store/util/clock.h"

#define BIN_BITS 12 /* the first bits of a key, by which parts are cut */
#define BINS (1u << BIN_BITS)
#define WINDOWS_LEAST ((uint64_t)1 << 17) /* fewer would be gone through too often */

/* One thread's. */
struct worker {
	struct dedup_winnow winnow;
	struct dedup_pick ahead; /* the next one, if any */
	bool has_ahead;
	struct dedup_pieces pieces;
	struct dedup_windows windows;
	uint64_t bins[BINS]; /* bytes that pieces with these keys would take */
};

struct dedup_substrings {
	size_t length;
	unsigned threads;
	uint64_t limit; /* bytes of the pieces of a part; 0: none */
	struct dedup_grams grams;
	struct worker *workers;
	unsigned from, to; /* bins of the part */
	uint64_t memory;   /* the most there was */
	atomic_uint next;  /* list */
	struct dedup_cut_sink sink;
};

/* The gram was the same some bytes ago, and the one before it, and so on. */
struct period {
	uint64_t key;
	size_t at, gap, since;
};

static uint64_t windows_of(uint64_t memory)
{
	uint64_t most = memory / DEDUP_WINDOWS_COST;

	return !memory || most > DEDUP_WINDOWS_MOST ? DEDUP_WINDOWS_MOST
	       : most < WINDOWS_LEAST		    ? WINDOWS_LEAST
						    : most;
}

int dedup_substrings_new(size_t length, unsigned threads, uint64_t text_bytes, uint64_t memory,
	const struct dedup_cut_sink *sink, struct dedup_substrings **substrings)
{
	struct dedup_substrings *s = calloc(1, sizeof *s);
	uint64_t seeds[2];
	int rc = s ? 0 : -ENOMEM;

	*substrings = s;
	if (rc)
		return rc;
	if (getrandom(seeds, sizeof seeds, 0) != sizeof seeds)
		seeds[0] = ~(seeds[1] = clock_now_ns());
	s->length = length;
	s->threads = threads;
	s->sink = *sink;
	s->workers = calloc(threads, sizeof *s->workers);
	rc = s->workers ? 0 : -ENOMEM;
	for (unsigned i = 0; !rc && i < threads; i++) {
		dedup_winnow_init(&s->workers[i].winnow, length, seeds[0]);
		s->workers[i].windows.base = seeds[1] | 1;
		s->workers[i].windows.most = windows_of(memory / 4 / threads);
	}
	/* One gram in half of the grams of a window is chosen. */
	if (!rc)
		rc = dedup_grams_init(&s->grams, text_bytes * 10 / (3 * length) + 1, memory / 4);
	if (rc) {
		dedup_substrings_free(s);
		*substrings = NULL;
		return rc;
	}
	s->memory = dedup_grams_memory(&s->grams);
	if (memory) /* two quarters are for the grams and the windows */
		s->limit = memory / 2 + 1;
	return 0;
}

void dedup_substrings_free(struct dedup_substrings *s)
{
	if (!s)
		return;
	for (unsigned i = 0; s->workers && i < s->threads; i++) {
		dedup_pieces_release(&s->workers[i].pieces);
		dedup_windows_release(&s->workers[i].windows);
	}
	free(s->workers);
	dedup_grams_release(&s->grams);
	free(s);
}

uint64_t dedup_substrings_memory(const struct dedup_substrings *s)
{
	return s->memory;
}

bool dedup_substrings_is_limited(const struct dedup_substrings *s)
{
	return s->limit != 0;
}

static void look_ahead(const struct dedup_substrings *s, struct worker *w)
{
	w->has_ahead = dedup_winnow_next(&w->winnow, &w->ahead);
	if (w->has_ahead)
		dedup_grams_prefetch(&s->grams, w->ahead.key);
}

/* The picks of a text, each with its place in the table on the way while the one before is worked on. */
static void begin(const struct dedup_substrings *s, struct worker *w, const char *text, size_t len)
{
	dedup_winnow_text(&w->winnow, text, len);
	look_ahead(s, w);
}

static bool next(const struct dedup_substrings *s, struct worker *w, struct dedup_pick *pick)
{
	if (!w->has_ahead)
		return false;
	*pick = w->ahead;
	look_ahead(s, w);
	return true;
}

void dedup_substrings_note(struct dedup_substrings *s, unsigned thread, const char *text, size_t len)
{
	struct worker *w = &s->workers[thread];
	struct dedup_pick pick;

	begin(s, w, text, len);
	while (next(s, w, &pick))
		dedup_grams_note(&s->grams, pick.key);
}

void dedup_substrings_count(struct dedup_substrings *s, unsigned thread, const char *text, size_t len)
{
	struct worker *w = &s->workers[thread];
	struct dedup_pick pick;

	begin(s, w, text, len);
	while (next(s, w, &pick))
		if (dedup_grams_is_shared(&s->grams, pick.key))
			w->bins[pick.key >> (64 - BIN_BITS)] +=
				4 * sizeof(struct dedup_piece) + pick.windows + s->length;
}

bool dedup_substrings_more(struct dedup_substrings *s)
{
	uint64_t bytes = 0;

	s->from = s->to;
	if (s->from == BINS)
		return false;
	if (!s->limit)
		s->to = BINS;
	while (s->to < BINS) {
		for (unsigned i = 0; i < s->threads; i++)
			bytes += s->workers[i].bins[s->to];
		if (bytes > s->limit && s->to > s->from)
			break;
		s->to++;
	}
	return true;
}

/* In a run of something short, as of blanks: whether the windows are the same as those some periods before,
 * which are in the run too. Then they need no table, which would be as long as the run. */
static bool is_run(struct period *p, const struct dedup_pick *pick, const char *text, size_t length)
{
	size_t gap = pick->at - p->at, back;

	if (pick->key != p->key || gap != p->gap) {
		p->gap = pick->key == p->key ? gap : 0;
		p->since = pick->key == p->key ? p->at : pick->at;
	}
	p->key = pick->key;
	p->at = pick->at;
	if (!p->gap)
		return false;
	back = (length + gap - 1) / gap * gap;
	return pick->at - p->since >= back && pick->first >= back &&
	       !memcmp(text + pick->first, text + pick->first - back, pick->windows - 1 + length);
}

int dedup_substrings_collect(
	struct dedup_substrings *s, unsigned thread, uint32_t id, const char *text, size_t len)
{
	struct worker *w = &s->workers[thread];
	struct period period = {0};
	struct dedup_pick pick;
	int rc = 0;

	begin(s, w, text, len);
	while (!rc && next(s, w, &pick)) {
		unsigned bin = (unsigned)(pick.key >> (64 - BIN_BITS));

		if (bin < s->from || bin >= s->to || !dedup_grams_is_shared(&s->grams, pick.key))
			continue;
		if (is_run(&period, &pick, text, s->length))
			rc = dedup_cut_put(&s->sink, thread,
				(struct dedup_cut){
					id, pick.first, pick.first + pick.windows - 1 + (uint32_t)s->length});
		else
			rc = dedup_pieces_add(&w->pieces, id, text, s->length, &pick);
	}
	return rc;
}

static int compare(const void *a, const void *b)
{
	const struct dedup_piece *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x->first > y->first) - (x->first < y->first);
}

/* One list of all threads. */
static int settle_list(struct dedup_substrings *s, unsigned thread, unsigned number)
{
	struct worker *w = &s->workers[thread];
	struct dedup_piece *all;
	size_t count = 0, end;
	int rc = 0;

	for (unsigned i = 0; i < s->threads; i++)
		count += s->workers[i].pieces.lists[number].count;
	all = malloc((count + 1) * sizeof *all);
	if (!all)
		return -ENOMEM;
	count = 0;
	for (unsigned i = 0; i < s->threads; i++) {
		struct dedup_piece_list *list = &s->workers[i].pieces.lists[number];

		if (list->count)
			memcpy(all + count, list->v, list->count * sizeof *all);
		count += list->count;
		free(list->v);
		*list = (struct dedup_piece_list){0};
	}
	qsort(all, count, sizeof *all, compare);
	for (size_t from = 0; !rc && from < count; from = end) {
		for (end = from + 1; end < count && all[end].key == all[from].key;)
			end++;
		rc = dedup_windows_cut(&w->windows, all + from, end - from, s->length, &s->sink, thread);
	}
	free(all);
	return rc;
}

static int settle_lists(void *ctx, unsigned thread)
{
	struct dedup_substrings *s = ctx;
	unsigned number;
	int rc = 0;

	while (!rc && (number = atomic_fetch_add(&s->next, 1)) < DEDUP_PIECE_LISTS)
		rc = settle_list(s, thread, number);
	return rc;
}

int dedup_substrings_settle(struct dedup_substrings *s)
{
	uint64_t memory = dedup_grams_memory(&s->grams);
	int rc;

	s->next = 0;
	rc = dedup_parallel(s->threads, settle_lists, s);
	for (unsigned i = 0; i < s->threads; i++) {
		struct worker *w = &s->workers[i];

		memory += w->pieces.bytes;
		dedup_pieces_release(&w->pieces);
	}
	s->memory = memory > s->memory ? memory : s->memory;
	return rc;
}
