#include "dedup/cut/repeats.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dedup/group/exact.h"
#include "store/util/clock.h"

#define SAMPLE 64u /* of so many distinct units one is counted, to tell how many there are */
#define ROOM 24u   /* bytes a distinct unit, with some to spare for what is no more than an estimate */
#define PARTS_MAX 65536u
#define NO_END 0x80000000u /* in a cut's end, which is below: the text ends there without a line's end */

struct dedup_repeats {
	struct dedup_exact *exact,
		*sample; /* of the part; sample: of one in SAMPLE, only while there is one part */
	uint64_t memory;
	unsigned parts, next;	  /* next: after the part at hand */
	_Atomic uint64_t sampled; /* distinct units in the sample */
	enum dedup_unit_kind kind;
	size_t least;
	uint64_t seeds[2];
};

int dedup_repeats_new(
	enum dedup_unit_kind kind, size_t least, uint64_t memory, struct dedup_repeats **repeats)
{
	struct dedup_repeats *r = calloc(1, sizeof *r);

	*repeats = r;
	if (!r)
		return -ENOMEM;
	r->kind = kind;
	r->least = least;
	r->memory = memory;
	r->parts = 1;
	if (getrandom(r->seeds, sizeof r->seeds, 0) != sizeof r->seeds)
		r->seeds[0] = ~(r->seeds[1] = clock_now_ns());
	return 0;
}

void dedup_repeats_free(struct dedup_repeats *r)
{
	if (r) {
		dedup_exact_free(r->exact);
		dedup_exact_free(r->sample);
	}
	free(r);
}

/* Without memory there is no table, and noting says so. */
static void begin(struct dedup_repeats *r)
{
	dedup_exact_free(r->exact);
	dedup_exact_free(r->sample);
	r->sample = NULL;
	if (dedup_exact_new(&r->exact) || !r->memory)
		return;
	dedup_exact_limit(r->exact, r->memory);
	if (r->parts > 1 || !dedup_exact_new(&r->sample))
		return;
	dedup_exact_free(r->exact);
	r->exact = NULL;
}

bool dedup_repeats_more(struct dedup_repeats *r)
{
	if (r->next == r->parts)
		return false;
	begin(r);
	r->next++;
	return true;
}

/* What was found in parts that are done stays true. */
bool dedup_repeats_overflow(struct dedup_repeats *r)
{
	uint64_t need = r->parts * 2ull;

	if (!r->memory || !dedup_exact_lacks(r->exact))
		return false;
	if (r->sample)
		need = atomic_load(&r->sampled) * SAMPLE * ROOM / r->memory + 1;
	need = need <= r->parts ? r->parts + 1ull : need;
	r->parts = need > PARTS_MAX ? PARTS_MAX : (unsigned)need;
	r->next = 0;
	return true;
}

size_t dedup_repeats_memory(const struct dedup_repeats *r)
{
	return (r->exact ? dedup_exact_memory(r->exact) : 0) +
	       (r->sample ? dedup_exact_memory(r->sample) : 0);
}

void dedup_repeats_seen_release(struct dedup_repeats_seen *seen)
{
	free(seen->slots);
	*seen = (struct dedup_repeats_seen){0};
}

/* By the last bits of the hash; the table goes by the first ones. */
static bool is_here(const struct dedup_repeats *r, uint64_t hash)
{
	return ((hash & 0xffffff) * r->parts >> 24) + 1 == r->next;
}

/* The next unit of the part that is long enough, and its hashes. */
static bool next(const struct dedup_repeats *r, const char *text, size_t len, size_t *at,
	struct dedup_unit *unit, uint64_t *hash, uint32_t *check)
{
	while (dedup_unit_next(text, len, r->kind, at, unit)) {
		size_t n = unit->to - unit->from;

		if (n < r->least)
			continue;
		*hash = XXH3_64bits_withSeed(text + unit->from, n, r->seeds[0]);
		if (!is_here(r, *hash))
			continue;
		*check = (uint32_t)XXH64(text + unit->from, n, r->seeds[1]);
		return true;
	}
	return false;
}

int dedup_repeats_note(struct dedup_repeats *r, uint32_t id, const char *text, size_t len)
{
	struct dedup_unit unit;
	uint64_t hash;
	uint32_t check, first, again;
	size_t at = 0;
	int rc = r->exact ? 0 : -ENOMEM;

	while (rc >= 0 && next(r, text, len, &at, &unit, &hash, &check)) {
		rc = dedup_exact_put(r->exact, hash, check, id, &first, &again);
		if (rc >= 0 && r->sample && hash % SAMPLE == 0) {
			rc = dedup_exact_put(r->sample, hash, check, id, &first, &again);
			r->sampled += rc > 0;
		}
	}
	return rc < 0 ? rc : 0;
}

/* Room for as many hashes as the text may have lines. */
static int make_room(struct dedup_repeats_seen *seen, const char *text, size_t len)
{
	size_t slots = 64, lines = 1;

	for (const char *at = text, *end = text + len; (at = memchr(at, '\n', (size_t)(end - at))); at++)
		lines++;
	while (slots < 2 * lines)
		slots *= 2;
	if (slots > seen->capacity) {
		free(seen->slots);
		seen->slots = malloc(slots * sizeof *seen->slots);
		seen->capacity = seen->slots ? slots : 0;
		if (!seen->slots)
			return -ENOMEM;
	}
	memset(seen->slots, 0, slots * sizeof *seen->slots);
	seen->mask = slots - 1;
	return 0;
}

/* Whether it was there; then it is. */
static bool put(struct dedup_repeats_seen *seen, uint64_t hash)
{
	size_t at = (hash |= hash == 0) & seen->mask;

	while (seen->slots[at] && seen->slots[at] != hash)
		at = (at + 1) & seen->mask;
	if (seen->slots[at])
		return true;
	seen->slots[at] = hash;
	return false;
}

int dedup_repeats_cut(const struct dedup_repeats *r, struct dedup_repeats_seen *seen, uint32_t id,
	const char *text, size_t len, const struct dedup_cut_sink *sink, unsigned thread)
{
	struct dedup_cut run = {.id = id}; /* units that touch each other */
	struct dedup_unit unit;
	uint64_t hash;
	uint32_t check;
	size_t at = 0;
	int rc = make_room(seen, text, len);

	while (!rc && next(r, text, len, &at, &unit, &hash, &check)) {
		if (dedup_exact_get(r->exact, hash, check) >= id && !put(seen, hash))
			continue;
		if (run.to != unit.from || run.from == run.to) {
			rc = run.to > run.from ? dedup_cut_put(sink, thread, run) : 0;
			run.from = (uint32_t)unit.from;
		}
		run.to = (uint32_t)unit.end;
	}
	if (!rc && run.to > run.from) {
		run.to |= run.to == len && text[len - 1] != '\n' ? NO_END : 0;
		rc = dedup_cut_put(sink, thread, run);
	}
	return rc;
}

/* Where the last line had no end, now the one before it has none. */
void dedup_repeats_settle(struct dedup_cuts *cuts)
{
	dedup_cuts_settle(cuts);
	for (size_t i = 0; i < cuts->count; i++) {
		struct dedup_cut *cut = &cuts->v[i];

		cut->from -= cut->to & NO_END && cut->from;
		cut->to &= ~NO_END;
	}
	dedup_cuts_settle(cuts);
}
