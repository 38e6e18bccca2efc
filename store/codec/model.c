#include "store/codec/model.h"

#include <errno.h>
#include <string.h>

#include "store/codec/range.h"

#define ONE 65536u		  /* one bit */
#define SYMBOL_COST (ONE * 9 / 2) /* about what a symbol takes in a table */
#define TABLE_COST (ONE * 16)
#define TABLES_CACHED 4u
#define TABLE_GAIN 150u /* at least this part of all */

/* --- fit --- */

/* Symbols from `first` on, below `end`: all that any row has. */
struct extent {
	unsigned first, end;
};

static struct extent extent_of(const struct model_counts *c)
{
	uint32_t any[RANS_SYMBOLS] = {0};
	struct extent e = {0, RANS_SYMBOLS};

	for (unsigned i = 0; i < c->rows; i++)
		for (unsigned s = 0; s < RANS_SYMBOLS; s++)
			any[s] |= c->counts[i][s];
	while (e.first < e.end && !any[e.first])
		e.first++;
	while (e.end > e.first && !any[e.end - 1])
		e.end--;
	return e;
}

static uint64_t cost_of(
	const struct sample *logarithms, struct extent e, const uint32_t *a, const uint32_t *b)
{
	uint64_t sum = 0, total = 0, symbols = 0;

	for (unsigned s = e.first; s < e.end; s++) {
		uint32_t n = a[s] + (b ? b[s] : 0);
		if (!n)
			continue;
		sum += (uint64_t)n * sample_log2(logarithms, n);
		total += n;
		symbols++;
	}
	return total ? total * sample_log2(logarithms, (uint32_t)total) - sum + symbols * SYMBOL_COST +
			       TABLE_COST
		     : 0;
}

static void join_rows(struct model_counts *c, unsigned at)
{
	for (unsigned s = 0; s < RANS_SYMBOLS; s++)
		c->counts[at][s] += c->counts[at + 1][s];
	memmove(c->counts[at + 1], c->counts[at + 2], (c->rows - at - 2) * sizeof c->counts[0]);
	for (unsigned i = 0; i < 256; i++)
		c->row[i] = (uint8_t)(c->row[i] - (c->row[i] > at));
	c->rows--;
}

/* Joins the neighbours that gain most, as long as any gain or there are too many. */
static void join_neighbours(struct model_counts *c, const struct sample *logarithms)
{
	uint64_t alone[MODEL_ROWS], both[MODEL_ROWS], all = 0;

	if (c->rows == 1)
		return;
	const struct extent extent = extent_of(c);
	for (unsigned i = 0; i < c->rows; i++)
		all += alone[i] = cost_of(logarithms, extent, c->counts[i], NULL);
	for (unsigned i = 0; i + 1 < c->rows; i++)
		both[i] = cost_of(logarithms, extent, c->counts[i], c->counts[i + 1]);
	while (c->rows > 1) {
		unsigned best = 0;
		int64_t gain = INT64_MIN;
		for (unsigned i = 0; i + 1 < c->rows; i++) {
			int64_t g = (int64_t)(alone[i] + alone[i + 1] - both[i]);
			if (g > gain) {
				gain = g;
				best = i;
			}
		}
		/* a few tables stay in the first-level cache: more than those must gain enough to be worth it
		 */
		if (gain <= 0 && c->rows <= RANS_TABLES &&
			(c->rows <= TABLES_CACHED || (uint64_t)-gain > all / TABLE_GAIN))
			break;
		join_rows(c, best);
		alone[best] = both[best];
		memmove(alone + best + 1, alone + best + 2, (MODEL_ROWS - best - 2) * sizeof alone[0]);
		if (best + 1 < c->rows)
			memmove(both + best + 1, both + best + 2, (MODEL_ROWS - best - 2) * sizeof both[0]);
		if (best)
			both[best - 1] = cost_of(logarithms, extent, c->counts[best - 1], c->counts[best]);
		if (best + 1 < c->rows)
			both[best] = cost_of(logarithms, extent, c->counts[best], c->counts[best + 1]);
	}
}

/* Frequencies that add up to RANS_ONE, none of them 0 where the count is not. */
static void normalise(uint16_t *freqs, const uint32_t *counts)
{
	uint64_t total = 0;
	int32_t left = RANS_ONE;
	unsigned most = 0;

	for (unsigned s = 0; s < RANS_SYMBOLS; s++)
		total += counts[s];
	for (unsigned s = 0; s < RANS_SYMBOLS; s++) {
		freqs[s] = 0;
		if (!counts[s])
			continue;
		uint64_t f = (counts[s] * (uint64_t)RANS_ONE + total / 2) / total;
		freqs[s] = (uint16_t)(f ? f : 1);
		left -= freqs[s];
		if (counts[s] > counts[most])
			most = s;
	}
	/* what is too much comes from the most frequent, a 16th of each at a time */
	while (left < 0) {
		unsigned from = 0;
		for (unsigned s = 1; s < RANS_SYMBOLS; s++) {
			if (freqs[s] > freqs[from])
				from = s;
		}
		int32_t give = freqs[from] / 16 + 1;
		if (give > -left)
			give = -left;
		freqs[from] = (uint16_t)(freqs[from] - give);
		left += give;
	}
	freqs[most] = (uint16_t)(freqs[most] + left);
}

void model_fit(struct model *model, struct model_counts *counts, const struct sample *logarithms)
{
	join_neighbours(counts, logarithms);
	model->tables = counts->rows;
	memcpy(model->table, counts->row, sizeof model->table);
	for (unsigned t = 0; t < model->tables; t++)
		normalise(model->freqs[t], counts->counts[t]);
}

/* --- read and write --- */

struct learning {
	uint16_t differs[2], next_table, shift[RANGE_GAMMA], freq[3][RANGE_GAMMA];
};

static void learning_init(struct learning *l)
{
	range_even((uint16_t *)l, sizeof *l / sizeof(uint16_t));
}

static unsigned bits_of(unsigned f)
{
	return f ? 32u - (unsigned)__builtin_clz(f) : 0;
}

static uint16_t *freq_context(struct learning *l, unsigned bits_before)
{
	return l->freq[bits_before > 2 ? 2 : bits_before > 0];
}

static uint32_t zigzag(int v)
{
	return (uint32_t)v << 1 ^ (v < 0 ? UINT32_MAX : 0);
}

static int unzigzag(uint32_t v)
{
	return (int)(v >> 1 ^ (0 - (v & 1)));
}

static void write_table(struct range_encoder *e, struct learning *l, const uint16_t *freqs)
{
	unsigned left = RANS_ONE, before = 0;

	for (unsigned s = 0; left; s++) {
		unsigned bits = bits_of(freqs[s]);
		range_encode_gamma(e, zigzag((int)bits - (int)before), freq_context(l, before));
		for (unsigned i = bits; i-- > 1;)
			range_encode_bit(e, freqs[s] >> (i - 1) & 1, RANGE_HALF);
		left -= freqs[s];
		before = bits;
	}
}

void model_write(const struct model *model, struct range_encoder *e)
{
	struct learning l;
	unsigned shift = 0, table = 0, differed = 0;

	learning_init(&l);
	for (unsigned c = 0; c < model->classes; c++) {
		unsigned differs = model->shifts[c] != shift || model->table[c] != table;
		range_encode_adaptive(e, differs, &l.differs[differed]);
		differed = differs;
		if (!differs)
			continue;
		range_encode_adaptive(e, model->table[c] != table, &l.next_table);
		range_encode_gamma(e, zigzag(model->shifts[c] - (int)shift), l.shift);
		shift = model->shifts[c];
		table = model->table[c];
	}
	for (unsigned t = 0; t < model->tables; t++)
		write_table(e, &l, model->freqs[t]);
}

static int read_table(struct range_decoder *d, struct learning *l, uint16_t *freqs)
{
	unsigned left = RANS_ONE, before = 0, s = 0;

	memset(freqs, 0, RANS_SYMBOLS * sizeof *freqs);
	for (; left && s < RANS_SYMBOLS; s++) {
		int bits = (int)before + unzigzag(range_decode_gamma(d, freq_context(l, before)));
		unsigned f = bits > 0;
		if (bits < 0 || bits > (int)RANS_BITS + 1)
			return -EBADMSG;
		for (int i = bits; i-- > 1;)
			f = f << 1 | range_decode_bit(d, RANGE_HALF);
		if (f > left)
			return -EBADMSG;
		freqs[s] = (uint16_t)f;
		left -= f;
		before = (unsigned)bits;
	}
	return left ? -EBADMSG : 0;
}

int model_read(struct model *model, struct range_decoder *d, unsigned shift_max)
{
	struct learning l;
	unsigned table = 0, differed = 0;
	int64_t shift = 0;

	learning_init(&l);
	for (unsigned c = 0; c < model->classes; c++) {
		differed = range_decode_adaptive(d, &l.differs[differed]);
		if (differed) {
			table += range_decode_adaptive(d, &l.next_table);
			shift += unzigzag(range_decode_gamma(d, l.shift));
		}
		if (shift < 0 || shift > shift_max || table >= model->tables)
			return -EBADMSG;
		model->shifts[c] = (uint8_t)shift;
		model->table[c] = (uint8_t)table;
	}
	for (unsigned t = 0; t < model->tables; t++) {
		if (read_table(d, &l, model->freqs[t]))
			return -EBADMSG;
	}
	return 0;
}
