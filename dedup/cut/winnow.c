#include "dedup/cut/winnow.h"

#define RING(w, place) ((w)->ring[(place) % DEDUP_WINDOW_MAX])

void dedup_winnow_init(struct dedup_winnow *w, size_t window, uint64_t seed)
{
	w->window = window;
	w->gram = window * 2 / 5;
	w->grams = window - w->gram + 1;
	w->base = seed | 1;
	w->last = 1;
	for (size_t i = 0; i < w->gram; i++)
		w->last *= w->base;
}

static inline uint64_t mixed(uint64_t h)
{
	h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93u;
	return h ^ (h >> 32);
}

/* The next gram into the ring. */
static inline uint64_t roll(struct dedup_winnow *w)
{
	size_t i = w->next++;

	w->hash = w->hash * w->base + w->text[i + w->gram - 1];
	if (i)
		w->hash -= w->last * w->text[i - 1];
	return RING(w, i) = mixed(w->hash);
}

/* The last of the least in [from, next). */
static void look_again(struct dedup_winnow *w, size_t from)
{
	w->least = UINT64_MAX;
	for (size_t i = from; i < w->next; i++)
		if (RING(w, i) <= w->least) {
			w->least = RING(w, i);
			w->at = i;
		}
}

void dedup_winnow_text(struct dedup_winnow *w, const char *text, size_t len)
{
	w->text = (const uint8_t *)text;
	w->len = len;
	w->next = w->start = 0;
	w->hash = 0;
	if (len < w->window)
		return;
	for (size_t i = 0; i + 1 < w->gram; i++)
		w->hash = w->hash * w->base + w->text[i];
	while (w->next < w->grams)
		roll(w);
	look_again(w, 0);
}

bool dedup_winnow_next(struct dedup_winnow *w, struct dedup_pick *pick)
{
	size_t end = w->len - w->window + 1, start = w->start;

	if (w->len < w->window || start == end)
		return false;
	*pick = (struct dedup_pick){.key = w->least, .at = (uint32_t)w->at, .first = (uint32_t)start};
	while (++start < end) {
		uint64_t hash = roll(w);

		if (hash <= w->least) {
			w->least = hash;
			w->at = w->next - 1;
			break;
		}
		if (w->at < start) {
			look_again(w, start);
			break;
		}
	}
	pick->windows = (uint32_t)start - pick->first;
	w->start = start;
	return true;
}
