#include <string.h>

#include "store/codec/changes.h"
#include "store/codec/symbols.h"
#include "store/codec/workspace.h"

#define ONE 65536u /* one bit */
#define LENGTHS SYMBOLS_LENGTHS
#define POOL_MIN 192u  /* of a class in the sample, to decide on it alone */
#define PLAN_MAX 4096u /* elements of the sample that are looked at */
#define WINDOW 7u      /* bit length of the symbols on either side of no difference */
#define ESCAPE_BITS 8u /* about what one takes more than its own bits */
#define TABLE_BITS 1u  /* what a symbol takes in a table that other classes share */
#define CENTRE (-128)  /* origin of differences: no difference is in the middle of the symbols */
#define ROW_SHARE 64u  /* a class of fewer elements than this part of all shares counts with its neighbour */

typedef symbols_lengths lengths;

static unsigned length_of(uint32_t d, unsigned bits, unsigned *negative)
{
	int32_t signed_d = (int32_t)(d << (32 - bits)) >> (32 - bits);

	*negative = signed_d < 0;
	d = (uint32_t)(signed_d ^ signed_d >> 31);
	return 31u - (unsigned)__builtin_clz(2 * d + 1);
}

/* What a shift costs beyond the lengths: numbers below it, of one sign, take s bits though they have fewer,
 * but no longer say which length is theirs. `logs` is the sum of n * log2(n), `bits` that of the bits. */
struct below {
	uint64_t count, logs, bits;
};

static uint64_t loss_below(const struct sample *logarithms, struct below *b, uint32_t count, unsigned s)
{
	uint64_t now, before;

	if (count) {
		b->count += count;
		b->logs += (uint64_t)count * sample_log2(logarithms, count);
		b->bits += (uint64_t)count * (s ? s - 1 : 0) * ONE;
	}
	if (!b->count)
		return 0;
	now = b->count * s * ONE + b->logs;
	before = b->bits + b->count * sample_log2(logarithms, (uint32_t)b->count);
	return now > before ? now - before : 0;
}

/* The cheapest: against the loss stand escapes, and symbols for the tables to list. `table` is what a symbol
 * takes there, in the sample's terms. Adds the loss to *bits. */
static unsigned shift_of(const struct sample *logarithms, const uint16_t (*h)[LENGTHS], unsigned longest,
	unsigned largest, uint64_t table, uint64_t *bits)
{
	struct below below[2] = {{0}, {0}};
	uint64_t least = UINT64_MAX, least_loss = 0, over = 0;
	unsigned best = 0, most = longest < largest ? longest : largest;

	for (unsigned length = WINDOW + 1; length <= longest; length++)
		over += h[0][length] + h[1][length];
	for (unsigned s = 0; s <= most; s++) {
		unsigned inside = longest - s < WINDOW ? longest - s : WINDOW;
		uint64_t loss = over * ESCAPE_BITS * ONE, cost;
		for (unsigned sign = 0; sign < 2; sign++)
			loss += loss_below(logarithms, &below[sign], h[sign][s], s);
		cost = loss + ((uint64_t)2 << inside) * table;
		if (cost < least) {
			least = cost;
			least_loss = loss;
			best = s;
		}
		if (s + WINDOW + 1 <= longest)
			over -= h[0][s + WINDOW + 1] + h[1][s + WINDOW + 1];
	}
	*bits += least_loss;
	return best;
}

/* Bits of a class, in 1/65536: which length, then the bits below the first. */
static uint64_t bits_of_class(const struct sample *logarithms, const uint16_t (*h)[LENGTHS], unsigned total)
{
	uint64_t sum = (uint64_t)total * sample_log2(logarithms, total), symbols = 0;

	for (unsigned i = 0; i < 2 * LENGTHS; i++) {
		unsigned length = i % LENGTHS;
		uint32_t count = h[i / LENGTHS][length];
		if (!count)
			continue;
		sum -= (uint64_t)count * sample_log2(logarithms, count);
		sum += (uint64_t)count * (length > 1 ? length - 1 : 0) * ONE;
		symbols++;
	}
	return sum + (symbols - 1) * 47274;
}

/* The numbers, and for a base the classes, of some of the sample. Returns how many. */
static size_t sample_numbers(struct codec_workspace *ws, struct number_kind kind, int based)
{
	size_t count = ws->sample.count, piece = count, step = count;

	if (count > PLAN_MAX) {
		piece = PLAN_MAX / SAMPLE_PIECES;
		step = count / SAMPLE_PIECES;
		count = PLAN_MAX;
	}
	for (size_t i = 0, at = 0; i < count; i += piece, at += step) {
		const uint8_t *src = ws->sample.src + (at << kind.log_width);
		const uint8_t *base = ws->sample.base + (at << kind.log_width);
		if (!based) {
			ws->numbers->lone[kind.log_width](ws->values32 + i, src, piece);
			continue;
		}
		ws->numbers->differences[kind.log_width](ws->values32 + i, src, base, piece);
		ws->numbers->classes[kind.log_width](ws->classes + i, base, piece, kind.class_shift);
	}
	return count;
}

static unsigned add_up(const uint16_t (*h)[LENGTHS], unsigned *longest)
{
	unsigned total = 0;

	for (unsigned i = 0; i < LENGTHS; i++) {
		unsigned here = h[0][i] + h[1][i];
		total += here;
		if (here)
			*longest = i;
	}
	return total;
}

/* The shift of a class; where the sample has few of it, with its neighbours. Adds the loss in bits. */
static unsigned shift_of_class(const struct sample *logarithms, lengths *h, unsigned class, unsigned total,
	struct number_kind kind, uint64_t table, uint64_t *bits)
{
	uint16_t pool[2][LENGTHS];
	unsigned longest = 0;
	uint64_t loss = 0;

	memcpy(pool, (*h)[class], sizeof pool);
	for (unsigned i = 0; total < POOL_MIN && i < 2 * LENGTHS; i++) {
		unsigned all = pool[i / LENGTHS][i % LENGTHS];
		all += class ? (*h)[class - 1][i / LENGTHS][i % LENGTHS] : 0;
		all += class < 255 ? (*h)[class + 1][i / LENGTHS][i % LENGTHS] : 0;
		pool[i / LENGTHS][i % LENGTHS] = (uint16_t)all;
	}
	unsigned pooled = add_up((const uint16_t(*)[LENGTHS])pool, &longest);
	unsigned shift = shift_of(
		logarithms, (const uint16_t(*)[LENGTHS])pool, longest, symbols_shift_max(kind), table, &loss);
	*bits += loss * total / pooled;
	return shift;
}

static void count_lengths(struct codec_workspace *ws, lengths *h, size_t count, unsigned bits)
{
	memset(h, 0, sizeof *h);
	for (size_t i = 0; i < count; i++) {
		unsigned negative, length = length_of(ws->values32[i], bits, &negative);
		(*h)[ws->classes[i]][negative][length]++;
	}
}

/* Whether the differences that are none follow each other more than chance would have it: half as many
 * borders to others. */
static int keep_together(const uint32_t *numbers, size_t count, size_t same)
{
	size_t borders = 0;

	for (size_t i = 1; i < count; i++)
		borders += !numbers[i] != !numbers[i - 1];
	return same > count / 8 && 2 * borders * count < 2 * same * (count - same);
}

static size_t plan_based(
	struct codec_workspace *ws, struct number_kind kind, size_t n, struct symbols_plan *plan)
{
	lengths *h = &ws->lengths;
	size_t count = sample_numbers(ws, kind, 1), same = 0, filled = 0;
	uint64_t bits = 0, loss = 0, table = (uint64_t)TABLE_BITS * ONE * count / n;
	int started = 0;

	count_lengths(ws, h, count, kind.bits);
	*plan = (struct symbols_plan){.origin = CENTRE, .rows = 1};
	for (unsigned c = 0; c < 256; c++) {
		unsigned longest = 0, total = add_up((const uint16_t(*)[LENGTHS])(*h)[c], &longest);
		plan->shifts[c] = c ? plan->shifts[c - 1] : 0;
		if (total) {
			bits += bits_of_class(&ws->sample, (const uint16_t(*)[LENGTHS])(*h)[c], total);
			plan->shifts[c] =
				(uint8_t)shift_of_class(&ws->sample, h, c, total, kind, table, &loss);
			if (!started)
				memset(plan->shifts, plan->shifts[c], c);
			started = 1;
			if (filled * ROW_SHARE >= count && plan->rows < MODEL_ROWS) {
				plan->rows++;
				filled = 0;
			}
		}
		same += (*h)[c][0][0];
		filled += total;
		plan->row[c] = (uint8_t)(plan->rows - 1);
	}
	plan->clustered = keep_together(ws->values32, count, same);
	plan->changes =
		(count - same) * CHANGES_SHARE > count ? SIZE_MAX : (size_t)(bits / count * n >> 19) + 16;
	return (size_t)((bits + loss) / count * n >> 19) + SYMBOLS_HEAD + 4 * symbols_lanes(kind, n) + 64;
}

static size_t plan_lone(
	struct codec_workspace *ws, struct number_kind kind, size_t n, struct symbols_plan *plan)
{
	size_t count = sample_numbers(ws, kind, 0);
	uint32_t most = 0, least = UINT32_MAX, *counts = ws->counts.counts[0];
	uint64_t sum = 0, escapes = 0, symbols = 0;

	*plan = (struct symbols_plan){.rows = 1};
	plan->shifts[0] = kind.lone_shift;
	for (size_t i = 0; i < count; i++) {
		uint32_t v = ws->values32[i] >> kind.lone_shift;
		most = v > most ? v : most;
		least = v < least ? v : least;
	}
	/* rarer ones are below rather than above */
	plan->origin = least < 32 ? 0 : (int32_t)least - 32;
	if (most + 8 > (uint32_t)plan->origin + RANS_ESCAPE - 1)
		plan->origin = (int32_t)(most + 8 - (RANS_ESCAPE - 1));
	if (kind.bits == 8)
		plan->origin = 0;
	memset(counts, 0, RANS_SYMBOLS * sizeof *counts);
	for (size_t i = 0; i < count; i++) {
		uint32_t v = (ws->values32[i] >> kind.lone_shift) - (uint32_t)plan->origin;
		counts[v < RANS_ESCAPE ? v : RANS_ESCAPE]++;
		escapes += v >= RANS_ESCAPE;
	}
	for (unsigned s = 0; s < RANS_SYMBOLS; s++) {
		if (!counts[s])
			continue;
		sum += (uint64_t)counts[s] * sample_log2(&ws->sample, counts[s]);
		symbols++;
	}
	sum = (uint64_t)count * sample_log2(&ws->sample, (uint32_t)count) - sum + (symbols - 1) * 47274;
	sum += (uint64_t)count * kind.lone_shift * ONE + escapes * 16 * ONE;
	return (size_t)((sum + sum / 1024) / count * n >> 19) + SYMBOLS_HEAD + 4 * symbols_lanes(kind, n) +
	       symbols / 2 + 10;
}

size_t symbols_plan(
	struct codec_workspace *ws, struct number_kind kind, int based, size_t n, struct symbols_plan *plan)
{
	return based ? plan_based(ws, kind, n, plan) : plan_lone(ws, kind, n, plan);
}
