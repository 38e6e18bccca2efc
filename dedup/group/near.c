#include "dedup/group/near.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "dedup/group/index.h"
#include "dedup/group/lone.h"
#include "dedup/group/parallel.h"
#include "dedup/sketch/simhash.h"
#include "dedup/text/shingles.h"
#include "store/util/array.h"
#include "store/util/clock.h"

#define BATCH 4096u
#define STEP 32u /* texts a thread takes at once */

/* What a thread works with. */
struct finder {
	struct dedup_set set;
	uint32_t *found; /* candidates */
	size_t count, capacity;
	struct dedup_near_stats stats;
};

struct dedup_near {
	struct dedup_text *texts;
	size_t count;
	const struct dedup_near_options *options;
	struct dedup_index index;
	struct finder *finders;
	struct dedup_text *later; /* that are looked up now */
	size_t later_count;
	size_t from, to; /* the batch */
	atomic_size_t next;
};

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The anchors at or after `from` that share a band with the text, each once, in order. */
static int find(
	const struct dedup_near *near, struct finder *finder, const struct dedup_text *text, size_t from)
{
	size_t kept = 0;

	finder->count = 0;
	for (unsigned b = 0; b < near->options->bands; b++) {
		uint32_t node = text->keys[b] ? dedup_index_get(&near->index, text->keys[b]) : 0;

		for (; node; node = near->index.nodes[node].next) {
			uint32_t other = near->index.nodes[node].text;
			uint32_t *grown;

			if (other < from)
				break;
			if (finder->count && finder->found[finder->count - 1] == other)
				continue;
			if (near->texts[other].keys[b] != text->keys[b])
				continue;
			grown = array_grow(finder->found, finder->count, &finder->capacity, sizeof *grown);
			if (!grown)
				return -ENOMEM;
			finder->found = grown;
			finder->found[finder->count++] = other;
		}
	}
	if (finder->count)
		qsort(finder->found, finder->count, sizeof *finder->found, compare);
	for (size_t i = 0; i < finder->count; i++)
		if (!kept || finder->found[kept - 1] != finder->found[i])
			finder->found[kept++] = finder->found[i];
	finder->count = kept;
	return 0;
}

/* Below 0: not similar. */
static double similarity_of(const struct dedup_near *near, const struct finder *finder,
	const struct dedup_text *text, const struct dedup_text *anchor)
{
	const struct dedup_near_options *o = near->options;
	const uint64_t *a = text->keys + o->bands, *b = anchor->keys + o->bands;
	double jaccard;

	if (o->simhash && dedup_simhash_distance(*a, *b) > o->distance)
		return -1;
	if (o->simhash && o->threshold <= 0)
		return 1 - dedup_simhash_distance(*a, *b) / 64.0;
	jaccard =
		dedup_set_jaccard(&finder->set, b + o->simhash, anchor->shingles - o->simhash, o->threshold);
	return jaccard >= o->threshold ? jaccard : -1;
}

/* Sets the text's anchor to the first candidate that is similar enough, if one is. */
static int verify(const struct dedup_near *near, struct finder *finder, struct dedup_text *text)
{
	unsigned before = near->options->bands + near->options->simhash;
	int rc = finder->count && near->options->threshold > 0
			 ? dedup_set_fill(
				   &finder->set, text->keys + before, text->shingles - near->options->simhash)
			 : 0;

	for (size_t i = 0; !rc && i < finder->count; i++) {
		double similarity = similarity_of(near, finder, text, &near->texts[finder->found[i]]);

		finder->stats.candidates++;
		if (similarity >= 0) {
			text->anchor = finder->found[i];
			text->similarity = (float)similarity;
			finder->stats.joined++;
			return 0;
		}
		finder->stats.rejected++;
	}
	return rc;
}

static int look_up(const struct dedup_near *near, struct finder *finder, struct dedup_text *text, size_t from)
{
	uint64_t start = clock_now_ns(), found;
	int rc = find(near, finder, text, from);

	found = clock_now_ns();
	finder->stats.band_ns += found - start;
	if (rc || !finder->count)
		return rc;
	rc = verify(near, finder, text);
	finder->stats.verify_ns += clock_now_ns() - found;
	return rc;
}

static void add_anchor(struct dedup_near *near, size_t i)
{
	for (unsigned b = 0; b < near->options->bands; b++)
		if (near->texts[i].keys[b])
			dedup_index_put(&near->index, near->texts[i].keys[b], (uint32_t)i);
}

/* The texts of the batch that no anchor before it took in, in order, by one thread. */
static int settle(struct dedup_near *near, struct finder *finder)
{
	const struct dedup_near_options *o = near->options;
	int rc = 0;

	for (size_t i = near->from; !rc && i < near->to; i++) {
		if (near->texts[i].anchor != i || !near->texts[i].shingles)
			continue;
		rc = look_up(near, finder, &near->texts[i], near->from);
		if (!rc && near->texts[i].anchor == i)
			add_anchor(near, i);
	}
	near->from = near->to;
	if (!rc && o->progress && o->progress(o->ctx, near->from, near->count))
		rc = -EINTR;
	return rc;
}

static int look_up_batch(void *ctx, unsigned thread)
{
	struct dedup_near *near = ctx;
	int rc = 0;
	size_t from;

	while (!rc && (from = atomic_fetch_add(&near->next, STEP)) < near->to) {
		size_t to = from + STEP < near->to ? from + STEP : near->to;

		for (size_t i = from; !rc && i < to; i++) {
			near->texts[i].anchor = (uint32_t)i;
			near->texts[i].similarity = 1;
			if (near->texts[i].shingles)
				rc = look_up(near, &near->finders[thread], &near->texts[i], 0);
		}
	}
	return rc;
}

static int run(struct dedup_near *near, unsigned threads)
{
	int rc = 0;

	while (!rc && near->from < near->count) {
		near->to = near->from + BATCH < near->count ? near->from + BATCH : near->count;
		near->next = near->from;
		rc = dedup_parallel(threads, look_up_batch, near);
		rc = rc ? rc : settle(near, &near->finders[0]);
	}
	return rc;
}

static int look_up_later(void *ctx, unsigned thread)
{
	struct dedup_near *near = ctx;
	int rc = 0;
	size_t from;

	while (!rc && (from = atomic_fetch_add(&near->next, STEP)) < near->later_count) {
		size_t to = from + STEP < near->later_count ? from + STEP : near->later_count;

		for (size_t i = from; !rc && i < to; i++) {
			near->later[i].anchor = DEDUP_NEAR_NONE;
			near->later[i].similarity = 1;
			rc = look_up(near, &near->finders[thread], &near->later[i], 0);
		}
	}
	return rc;
}

int dedup_near_look(struct dedup_near *near, struct dedup_text *later, size_t count)
{
	near->later = later;
	near->later_count = count;
	near->next = 0;
	return dedup_parallel(near->options->threads, look_up_later, near);
}

void dedup_near_close(struct dedup_near *near, struct dedup_near_stats *stats)
{
	for (unsigned i = 0; near && near->finders && i < near->options->threads; i++) {
		struct finder *finder = &near->finders[i];

		stats->candidates += finder->stats.candidates;
		stats->rejected += finder->stats.rejected;
		stats->joined += finder->stats.joined;
		stats->band_ns += finder->stats.band_ns;
		stats->verify_ns += finder->stats.verify_ns;
		dedup_set_release(&finder->set);
		free(finder->found);
	}
	if (near) {
		dedup_index_release(&near->index);
		free(near->finders);
	}
	free(near);
}

/* For at most `keys` keys that are not 0. */
static int begin(struct dedup_text *texts, size_t count, size_t keys,
	const struct dedup_near_options *options, struct dedup_near **near)
{
	struct dedup_near *n = calloc(1, sizeof *n);
	int rc;

	*near = n;
	if (!n)
		return -ENOMEM;
	n->texts = texts;
	n->count = count;
	n->options = options;
	n->finders = calloc(options->threads, sizeof *n->finders);
	rc = n->finders ? dedup_index_init(&n->index, keys) : -ENOMEM;
	return rc ? rc : run(n, options->threads);
}

int dedup_near_open(struct dedup_text *texts, size_t count, const struct dedup_near_options *options,
	struct dedup_near **near)
{
	return begin(texts, count, count * options->bands, options, near);
}

int dedup_near(struct dedup_text *texts, size_t count, const struct dedup_near_options *options,
	struct dedup_near_stats *stats)
{
	struct dedup_near *near = NULL;
	uint64_t start = clock_now_ns();
	size_t left, filter;
	int rc;

	*stats = (struct dedup_near_stats){0};
	rc = dedup_lone_strike(texts, count, options->bands, options->threads, &left, &filter);
	if (rc)
		return rc;
	stats->band_ns = (clock_now_ns() - start) * options->threads;
	rc = begin(texts, count, left, options, &near);
	stats->memory = near ? dedup_index_memory(&near->index) : 0;
	stats->memory = filter > stats->memory ? filter : stats->memory;
	dedup_near_close(near, stats);
	return rc;
}
