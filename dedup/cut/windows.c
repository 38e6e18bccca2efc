#include "dedup/cut/windows.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The first window with these bytes. */
struct dedup_window_slot {
	uint64_t hash;
	uint32_t piece, window; /* piece + 1; 0: free */
};

/* The window at hand. */
struct at {
	uint64_t hash;
	uint32_t piece, window;
	uint32_t like,
		like_window; /* what the one before it was the same as, in the same piece; like + 1, or 0 */
};

void dedup_windows_release(struct dedup_windows *w)
{
	free(w->slots);
	w->slots = NULL;
}

static int grow(struct dedup_windows *w, size_t slots)
{
	struct dedup_window_slot *old = w->slots;
	size_t count = w->mask + 1;

	w->slots = calloc(slots, sizeof *w->slots);
	if (!w->slots) {
		w->slots = old;
		return -ENOMEM;
	}
	w->capacity = slots;
	w->mask = slots - 1;
	for (size_t i = 0; old && i < count; i++) {
		size_t to = old[i].hash & w->mask;

		while (old[i].piece && w->slots[to].piece)
			to = (to + 1) & w->mask;
		if (old[i].piece)
			w->slots[to] = old[i];
	}
	free(old);
	return 0;
}

/* An empty table, as large as a small group needs. */
static int clear(struct dedup_windows *w, uint64_t windows)
{
	size_t slots = 64;

	while (slots < 2 * windows && slots < 4096)
		slots *= 2;
	w->count = 0;
	if (w->capacity < slots) {
		free(w->slots);
		w->slots = NULL;
		w->capacity = 0;
		return grow(w, slots);
	}
	w->mask = slots - 1;
	memset(w->slots, 0, slots * sizeof *w->slots);
	return 0;
}

static bool is_same(const struct dedup_piece *pieces, const struct at *at,
	const struct dedup_window_slot *slot, size_t length)
{
	const char *a = pieces[at->piece].text + at->window;
	const char *b = pieces[slot->piece - 1].text + slot->window;

	if (at->like == slot->piece && at->like_window + 1 == slot->window) /* all but the last byte are */
		return a[length - 1] == b[length - 1];
	return !memcmp(a, b, length);
}

/* The first window with the same bytes, which may be this one. */
static int first_of(struct dedup_windows *w, const struct dedup_piece *pieces, const struct at *at,
	size_t length, struct dedup_window_slot *first)
{
	size_t i;

	if (2 * w->count > w->mask) {
		int rc = grow(w, 2 * (w->mask + 1));

		if (rc)
			return rc;
	}
	for (i = at->hash & w->mask; w->slots[i].piece; i = (i + 1) & w->mask)
		if (w->slots[i].hash == at->hash && is_same(pieces, at, &w->slots[i], length)) {
			*first = w->slots[i];
			return 0;
		}
	w->slots[i] = (struct dedup_window_slot){at->hash, at->piece + 1, at->window};
	w->count++;
	*first = w->slots[i];
	return 0;
}

static bool is_earlier(const struct dedup_piece *pieces, const struct dedup_window_slot *first,
	const struct at *at, size_t length)
{
	const struct dedup_piece *a = &pieces[first->piece - 1], *b = &pieces[at->piece];

	return a->id < b->id ||
	       (uint64_t)a->first + first->window + length <= (uint64_t)b->first + at->window;
}

static uint64_t mixed(uint64_t h)
{
	h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93u;
	return h ^ (h >> 32);
}

/* Of the windows of one piece those whose hash falls into this round. */
static int cut_piece(struct dedup_windows *w, const struct dedup_piece *pieces, uint32_t i, size_t length,
	uint64_t last, uint64_t round, uint64_t rounds, const struct dedup_cut_sink *sink, unsigned thread)
{
	const struct dedup_piece *piece = &pieces[i];
	const uint8_t *text = (const uint8_t *)piece->text;
	struct dedup_cut run = {.id = piece->id};
	struct dedup_window_slot first;
	struct at at = {.piece = i};
	uint64_t hash = 0;
	int rc = 0;

	for (size_t j = 0; j + 1 < length; j++)
		hash = hash * w->base + text[j];
	for (uint32_t j = 0; !rc && j < piece->windows; j++) {
		hash = hash * w->base + text[j + length - 1] - (j ? last * text[j - 1] : 0);
		at.hash = mixed(hash);
		at.window = j;
		if (rounds > 1 && (at.hash >> 32) % rounds != round) {
			at.like = 0;
			continue;
		}
		rc = first_of(w, pieces, &at, length, &first);
		at.like = first.piece;
		at.like_window = first.window;
		if (rc || !is_earlier(pieces, &first, &at, length))
			continue;
		if (run.to < piece->first + j) {
			rc = run.to ? dedup_cut_put(sink, thread, run) : 0;
			run.from = piece->first + j;
		}
		run.to = piece->first + j + (uint32_t)length;
	}
	return rc || !run.to ? rc : dedup_cut_put(sink, thread, run);
}

/* Whether all of b's windows are those of an earlier piece a, one by one. */
static bool is_again(const struct dedup_piece *a, const struct dedup_piece *b, size_t length)
{
	return a->windows == b->windows && (a->id < b->id || a->first + length <= b->first) &&
	       !memcmp(a->text, b->text, a->windows - 1 + length);
}

static int cut_whole(
	const struct dedup_piece *piece, size_t length, const struct dedup_cut_sink *sink, unsigned thread)
{
	uint32_t to = piece->first + piece->windows - 1 + (uint32_t)length;

	return dedup_cut_put(sink, thread, (struct dedup_cut){piece->id, piece->first, to});
}

int dedup_windows_cut(struct dedup_windows *w, const struct dedup_piece *pieces, size_t count, size_t length,
	const struct dedup_cut_sink *sink, unsigned thread)
{
	uint64_t windows = 0, rounds, last = 1;
	int rc = 0;

	if (count < 2)
		return 0;
	for (size_t i = 0; i < length; i++)
		last *= w->base;
	for (size_t i = 0; i < count; i++)
		windows += pieces[i].windows;
	rounds = (windows + w->most - 1) / w->most;
	for (uint64_t round = 0; !rc && round < rounds; round++) {
		size_t model = 0; /* the last piece whose windows are in the table */

		rc = clear(w, windows);
		for (size_t i = 0; !rc && i < count; i++)
			if (i && is_again(&pieces[model], &pieces[i], length)) {
				rc = round ? 0 : cut_whole(&pieces[i], length, sink, thread);
			} else {
				model = i;
				rc = cut_piece(
					w, pieces, (uint32_t)i, length, last, round, rounds, sink, thread);
			}
	}
	return rc;
}
