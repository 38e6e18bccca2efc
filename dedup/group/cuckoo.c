#include "dedup/group/cuckoo.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/util/array.h"

#define SLOTS 4u /* a bucket */
#define LOAD .95 /* of the slots at most; above .98 keys begin to find no place */
#define BITS_MIN 8u
#define BITS_MAX 56u /* a word read from any byte on holds them */
#define MOVES 500u   /* until a key is taken to have no place */

/* Where a key may be, and as what: either bucket follows from the other one and the fingerprint. */
struct place {
	uint64_t bucket, print;
};

struct dedup_cuckoo_rest {
	struct place place;
	unsigned band;
};

int dedup_cuckoo_init(struct dedup_cuckoo *c, unsigned bands, uint64_t texts, double wrong)
{
	/* A band's: all together are wrong as often as asked for. */
	double share = -expm1(log1p(-wrong) / bands), buckets = ceil((double)texts / (SLOTS * LOAD)) + 1;
	double bits = ceil(log2(2 * SLOTS * LOAD / share));

	*c = (struct dedup_cuckoo){.bands = bands};
	if (!(bits <= BITS_MAX) || !(buckets * bands < 0x1p42))
		return -ENOMEM;
	c->bits = bits < BITS_MIN ? BITS_MIN : (unsigned)bits;
	c->buckets = (uint64_t)buckets;
	c->size = (c->buckets * SLOTS * c->bits + 7) / 8;
	c->bytes = calloc(c->size * bands + sizeof(uint64_t), 1);
	return c->bytes ? 0 : -ENOMEM;
}

void dedup_cuckoo_release(struct dedup_cuckoo *c)
{
	free(c->bytes);
	free(c->rest);
	*c = (struct dedup_cuckoo){0};
}

size_t dedup_cuckoo_memory(const struct dedup_cuckoo *c)
{
	return c->size * c->bands + c->rest_capacity * sizeof *c->rest;
}

/* A number below the buckets', as evenly spread as `hash` is. */
static inline uint64_t bucket_of(const struct dedup_cuckoo *c, uint64_t hash)
{
	return (uint64_t)(((unsigned __int128)hash * c->buckets) >> 64);
}

/* From the two halves of a 128-bit product, which both depend on the whole key. */
static inline struct place place_of(const struct dedup_cuckoo *c, uint64_t key)
{
	unsigned __int128 product = (unsigned __int128)(key ^ 0x9e3779b97f4a7c15u) * 0xd6e8feb86659fd93u;
	uint64_t print = ((key * 0xff51afd7ed558ccdu) ^ (key >> 32)) * 0x9e3779b97f4a7c15u >> (64 - c->bits);

	return (struct place){bucket_of(c, (uint64_t)product ^ (uint64_t)(product >> 64)), print + !print};
}

/* The other bucket; twice is the first again. */
static inline uint64_t other(const struct dedup_cuckoo *c, struct place place)
{
	uint64_t sum = bucket_of(c, (place.print ^ 0x5851f42d4c957f2du) * 0xff51afd7ed558ccdu);

	return sum >= place.bucket ? sum - place.bucket : sum + c->buckets - place.bucket;
}

static inline uint8_t *slot_at(
	const struct dedup_cuckoo *c, unsigned band, uint64_t bucket, unsigned slot, unsigned *shift)
{
	uint64_t bit = (bucket * SLOTS + slot) * c->bits;

	*shift = bit % 8;
	return c->bytes + c->size * band + bit / 8;
}

static inline uint64_t get(const struct dedup_cuckoo *c, unsigned band, uint64_t bucket, unsigned slot)
{
	unsigned shift;
	uint64_t word;

	memcpy(&word, slot_at(c, band, bucket, slot, &shift), sizeof word);
	return word >> shift & (((uint64_t)1 << c->bits) - 1);
}

static void set(struct dedup_cuckoo *c, unsigned band, uint64_t bucket, unsigned slot, uint64_t print)
{
	unsigned shift;
	uint8_t *at = slot_at(c, band, bucket, slot, &shift);
	uint64_t word, mask = (((uint64_t)1 << c->bits) - 1) << shift;

	memcpy(&word, at, sizeof word);
	word = (word & ~mask) | print << shift;
	memcpy(at, &word, sizeof word);
}

/* The slot of the bucket that holds the print (0: a free one), or SLOTS. */
static inline unsigned find(const struct dedup_cuckoo *c, unsigned band, uint64_t bucket, uint64_t print)
{
	unsigned slot = 0;

	while (slot < SLOTS && get(c, band, bucket, slot) != print)
		slot++;
	return slot;
}

static bool is_in(const struct dedup_cuckoo *c, unsigned band, struct place place)
{
	uint64_t second = other(c, place);

	if (find(c, band, place.bucket, place.print) < SLOTS || find(c, band, second, place.print) < SLOTS)
		return true;
	for (size_t i = 0; i < c->rest_count; i++) {
		const struct dedup_cuckoo_rest *rest = &c->rest[i];

		if (rest->band == band && rest->place.print == place.print &&
			(rest->place.bucket == place.bucket || rest->place.bucket == second))
			return true;
	}
	return false;
}

static int put_rest(struct dedup_cuckoo *c, unsigned band, struct place place)
{
	struct dedup_cuckoo_rest *grown =
		array_grow(c->rest, c->rest_count, &c->rest_capacity, sizeof *grown);

	if (!grown)
		return -ENOMEM;
	c->rest = grown;
	grown[c->rest_count++] = (struct dedup_cuckoo_rest){place, band};
	return 0;
}

/* Where both buckets are full, some print in one of them goes to its other one, and so on. */
static int add(struct dedup_cuckoo *c, unsigned band, struct place place)
{
	for (unsigned move = 0; move < MOVES; move++) {
		unsigned slot = find(c, band, place.bucket, 0);
		uint64_t print;

		if (slot == SLOTS && !move) {
			uint64_t second = other(c, place);

			slot = find(c, band, second, 0);
			place.bucket = slot < SLOTS ? second : place.bucket;
		}
		if (slot < SLOTS) {
			set(c, band, place.bucket, slot, place.print);
			return 0;
		}
		c->turn = c->turn * 6364136223846793005u + 1442695040888963407u;
		slot = (unsigned)(c->turn >> 62);
		print = get(c, band, place.bucket, slot);
		set(c, band, place.bucket, slot, place.print);
		place.print = print;
		place.bucket = other(c, place);
	}
	return put_rest(c, band, place);
}

static void fetch(const struct dedup_cuckoo *c, const uint64_t *keys)
{
	unsigned shift;

	for (unsigned band = 0; band < c->bands; band++) {
		struct place place = place_of(c, keys[band]);

		__builtin_prefetch(slot_at(c, band, place.bucket, 0, &shift));
		__builtin_prefetch(slot_at(c, band, other(c, place), 0, &shift));
	}
}

bool dedup_cuckoo_has(const struct dedup_cuckoo *c, const uint64_t *keys)
{
	bool any = false;

	fetch(c, keys);
	for (unsigned band = 0; !any && band < c->bands; band++)
		any = is_in(c, band, place_of(c, keys[band]));
	return any;
}

int dedup_cuckoo_put(struct dedup_cuckoo *c, const uint64_t *keys)
{
	bool any = false;
	int rc = 0;

	fetch(c, keys);
	for (unsigned band = 0; !rc && band < c->bands; band++) {
		struct place place = place_of(c, keys[band]);

		if (is_in(c, band, place))
			any = true;
		else
			rc = add(c, band, place);
	}
	return rc ? rc : any;
}
