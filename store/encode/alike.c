#include <stdlib.h>
#include <string.h>

#include "store/encode/private.h"

#define MARK_BITS 54u	 /* a place is marked where the upper 10 bits of its hash are zero */
#define TABLE (1u << 18) /* marks that are remembered: 256 a chunk */
#define MARKS_MIN 4u	 /* in common, or 1 in 64: below that it is chance */
#define FRAMES_MAX 24u	 /* to decode for a chunk of small files */

struct known {
	uint64_t mark;
	uint32_t slot, round; /* good while the slot is in that round */
};

struct alike {
	struct known table[TABLE];
	struct {
		struct chunk_id id;
		uint32_t round;
		uint16_t votes;
	} slots[ALIKE_CHUNKS];
	uint32_t next;
};

/* What each byte adds to a rolling hash over the last 64 of them. */
static uint64_t gear(uint8_t byte)
{
	uint64_t x = (byte + 1) * 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	return x ^ x >> 27;
}

static bool has_mark(const struct sketch *sketch, uint64_t mark)
{
	for (unsigned i = 0; i < sketch->count; i++)
		if (sketch->marks[i] == mark)
			return true;
	return false;
}

void sketch_take(struct sketch *sketch, const uint8_t *bytes, size_t len)
{
	uint64_t gears[256], hash = 0;

	for (unsigned i = 0; i < 256; i++)
		gears[i] = gear((uint8_t)i);
	sketch->count = 0;
	for (size_t i = 0; i < len && sketch->count < SKETCH_MAX; i++) {
		hash = (hash << 1) + gears[bytes[i]];
		if (!(hash >> MARK_BITS) && i >= 63 && !has_mark(sketch, hash))
			sketch->marks[sketch->count++] = hash;
	}
}

struct alike *alike_new(void)
{
	return calloc(1, sizeof(struct alike));
}

void alike_free(struct alike *alike)
{
	free(alike);
}

static struct known *known_of(struct alike *alike, uint64_t mark)
{
	return &alike->table[(mark * 0x9e3779b97f4a7c15u) >> 46];
}

static bool holds(const struct alike *alike, const struct known *known, uint64_t mark)
{
	return known->mark == mark && known->round && known->round == alike->slots[known->slot].round;
}

/* A mark stays with the chunk that had it first: so chunks stand on few others, not on each other in turn. */
void alike_add(struct alike *alike, const struct chunk_id *id, const struct sketch *sketch)
{
	uint32_t slot;

	/* One that was packed once more, just as it was. */
	for (slot = 0; slot < ALIKE_CHUNKS; slot++)
		if (chunk_id_equal(&alike->slots[slot].id, id))
			return;
	slot = alike->next++ % ALIKE_CHUNKS;
	alike->slots[slot].id = *id;
	alike->slots[slot].round++;
	for (unsigned i = 0; i < sketch->count; i++) {
		struct known *known = known_of(alike, sketch->marks[i]);
		if (!holds(alike, known, sketch->marks[i]))
			*known = (struct known){sketch->marks[i], slot, alike->slots[slot].round};
	}
}

/* The slot with most votes, which it loses by that; ALIKE_CHUNKS: none has enough. */
static uint32_t most_votes(struct alike *alike, unsigned least)
{
	uint32_t best = ALIKE_CHUNKS;

	for (uint32_t i = 0; i < ALIKE_CHUNKS; i++)
		if (alike->slots[i].votes >= least &&
			(best == ALIKE_CHUNKS || alike->slots[i].votes > alike->slots[best].votes))
			best = i;
	if (best < ALIKE_CHUNKS)
		alike->slots[best].votes = 0;
	return best;
}

unsigned alike_find(struct alike *alike, struct chunks *chunks, const struct sketch *sketch,
	struct chunk_id *ids, unsigned capacity)
{
	unsigned least = sketch->count / 64 > MARKS_MIN ? sketch->count / 64 : MARKS_MIN;
	unsigned frames = 1, count = 0;
	uint32_t slot;

	for (uint32_t i = 0; i < ALIKE_CHUNKS; i++)
		alike->slots[i].votes = 0;
	for (unsigned i = 0; i < sketch->count; i++) {
		struct known *known = known_of(alike, sketch->marks[i]);
		if (holds(alike, known, sketch->marks[i]))
			alike->slots[known->slot].votes++;
	}
	while (count < capacity && (slot = most_votes(alike, least)) < ALIKE_CHUNKS) {
		struct chunk_record record;
		if (chunks_get(chunks, &alike->slots[slot].id, &record)) {
			alike->slots[slot].round++;
			alike->slots[slot].id = (struct chunk_id){{0}};
			continue;
		}
		if (frames + record.frames > FRAMES_MAX)
			continue;
		frames += record.frames;
		memmove(ids + 1, ids, count++ * sizeof *ids);
		ids[0] = alike->slots[slot].id;
	}
	return count;
}
