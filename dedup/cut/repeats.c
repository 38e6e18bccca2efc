#include "dedup/cut/repeats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dedup/group/exact.h"
#include "store/util/clock.h"

struct dedup_repeats {
	struct dedup_exact *exact;
	enum dedup_unit_kind kind;
	size_t least;
	uint64_t seeds[2];
};

int dedup_repeats_new(enum dedup_unit_kind kind, size_t least, struct dedup_repeats **repeats)
{
	struct dedup_repeats *r = calloc(1, sizeof *r);

	*repeats = r;
	if (!r)
		return -ENOMEM;
	r->kind = kind;
	r->least = least;
	if (getrandom(r->seeds, sizeof r->seeds, 0) != sizeof r->seeds)
		r->seeds[0] = ~(r->seeds[1] = clock_now_ns());
	if (!dedup_exact_new(&r->exact))
		return 0;
	free(r);
	*repeats = NULL;
	return -ENOMEM;
}

void dedup_repeats_free(struct dedup_repeats *r)
{
	if (r)
		dedup_exact_free(r->exact);
	free(r);
}

size_t dedup_repeats_memory(const struct dedup_repeats *r)
{
	return dedup_exact_memory(r->exact);
}

void dedup_repeats_seen_release(struct dedup_repeats_seen *seen)
{
	free(seen->slots);
	*seen = (struct dedup_repeats_seen){0};
}

/* The next unit that is long enough, and its hashes. */
static bool next(const struct dedup_repeats *r, const char *text, size_t len, size_t *at,
	struct dedup_unit *unit, uint64_t *hash, uint32_t *check)
{
	while (dedup_unit_next(text, len, r->kind, at, unit)) {
		size_t n = unit->to - unit->from;

		if (n < r->least)
			continue;
		*hash = XXH3_64bits_withSeed(text + unit->from, n, r->seeds[0]);
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

	while (next(r, text, len, &at, &unit, &hash, &check)) {
		int rc = dedup_exact_put(r->exact, hash, check, id, &first, &again);

		if (rc < 0)
			return rc;
	}
	return 0;
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
	const char *text, size_t len, struct dedup_cuts *cuts)
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
			rc = run.to > run.from ? dedup_cuts_add(cuts, run) : 0;
			run.from = (uint32_t)unit.from;
		}
		run.to = (uint32_t)unit.end;
	}
	/* The last line had no end: now the one before it has none. */
	if (!rc && run.to > run.from && run.to == len && text[len - 1] != '\n' && run.from)
		run.from--;
	if (!rc && run.to > run.from)
		rc = dedup_cuts_add(cuts, run);
	return rc;
}
