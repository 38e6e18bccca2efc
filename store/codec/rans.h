/*
 * Symbols with context, and the raw bits below them, as 64 or 32 interleaved streams of static rANS.
 *
 * With L lanes, element i belongs to lane i mod L. A lane is a state x, 2^15 <= x < 2^31, in a payload of
 * 16-bit words. Decoding goes by rows of L elements. In a row the lanes, in order, first take their symbol
 * each, then up to 15 raw bits, then what raw bits are left:
 *
 *   symbol   slot = x mod 2^11; the symbol s has start(s) <= slot < start(s) + freq(s) in the table of the
 *            element's class; x = freq(s) * (x >> 11) + slot - start(s)
 *   r bits   x mod 2^r; x = x >> r
 *
 * and after each of the three a lane whose x fell below 2^15 takes the next word w: x = x << 16 | w. The raw
 * bits of an element are those of its class, r of them: min(r, 15) at first, the lower ones, and r - 15 more
 * if there are. The encoder runs all of it backwards, from states of 2^15.
 *
 * Three implementations with the same bytes: portable C, and AVX2 or AVX-512 where the machine has them.
 *
 * Sources: J. Duda, Asymmetric numeral systems (arXiv 1311.2540); F. Giesen, Interleaved entropy coders
 * (arXiv 1402.3392) and his ryg_rans for the division by multiplication; J. Bonfield's htscodecs for many
 * lanes in vectors.
 */
#ifndef MITHRIL_STORE_CODEC_RANS_H
#define MITHRIL_STORE_CODEC_RANS_H

#include <stddef.h>
#include <stdint.h>

#define RANS_LANES 64u /* at most; half of them cost less in small payloads */
#define RANS_LOW (1u << 15)
#define RANS_BITS 11
#define RANS_ONE (1u << RANS_BITS)
#define RANS_SYMBOLS 256u
#define RANS_TABLES 8u
#define RANS_RAW_MAX 30u		    /* raw bits of an element */
#define RANS_RAW_STEP 15u		    /* taken at a time */
#define RANS_ROW_BYTES (3 * RANS_LANES * 2) /* most that a row takes */
#define RANS_ESCAPE 255u
#define RANS_WINDOW 32u
#define RANS_NO_WINDOW 256u

/* Lanes of so many elements: all where speed needs them. */
static inline unsigned rans_lanes_for(size_t n)
{
	return n < 32768 ? RANS_LANES / 2 : RANS_LANES;
}

/* table << 8 | raw bits, of each of 256 classes */
typedef uint32_t rans_classes[256];

/* What a lane does to a state, for each symbol of each table. */
struct rans_forward {
	uint32_t reciprocal;
	uint32_t rest; /* freq, << 12 shift, << 16 what is added */
};

/* The same of the RANS_WINDOW symbols from `first` on, where these are most of those that there are, or all:
 * of symbol s at s mod RANS_WINDOW. RANS_NO_WINDOW: they are not. */
struct rans_near {
	unsigned first;
	int all;
	uint32_t reciprocal[RANS_WINDOW], shift[RANS_WINDOW], added[RANS_WINDOW];
	uint32_t most[RANS_WINDOW];  /* of a state that gives no word */
	uint32_t lacks[RANS_WINDOW]; /* RANS_ONE - freq */
};

/* Shuffles by which of eight lanes take or give a word; made once. */
struct rans_shuffles {
	uint64_t take[256]; /* byte k: the number of the word that lane k takes */
	uint64_t give[256]; /* the lanes that give, in order, up to byte 7 */
};

struct rans_coder {
	uint32_t lanes[RANS_LANES];
	unsigned lane_count;
	uint8_t *at, *limit; /* of words: the next one stands there; encoding goes down */
	const uint32_t *classes;
	unsigned raw_max;   /* of all classes */
	unsigned raw_bytes; /* of values that are encoded: 4, or 2 where raw_max is RANS_RAW_STEP at most */
	unsigned window;    /* of classes */
	int32_t origin;	    /* of decoded values */
	const struct rans_shuffles *shuffles;
	struct rans_near near; /* of a single table's forward */
	union {
		uint32_t backward[RANS_TABLES * RANS_ONE]; /* freq, << 12 slot - start, << 24 symbol */
		struct rans_forward forward[RANS_TABLES * RANS_SYMBOLS];
	};
};

void rans_shuffles_init(struct rans_shuffles *shuffles);

/* x / freq = (x * reciprocal >> 32) >> shift for all x below 2^31 and 2 <= freq <= 4096; for a freq of 1 it
 * is x - 1. */
struct rans_divisor {
	uint32_t reciprocal, shift;
};
struct rans_divisor rans_divisor_of(uint32_t freq);

/* The first of RANS_WINDOW entries of 256 that all others are like the nearest of, or RANS_NO_WINDOW. */
unsigned rans_window_of(const uint32_t table[256]);

/* The tables, from frequencies that add up to RANS_ONE. `tables` of them. */
void rans_forward_init(struct rans_coder *c, const uint16_t (*freqs)[RANS_SYMBOLS], unsigned tables);
void rans_backward_init(struct rans_coder *c, const uint16_t (*freqs)[RANS_SYMBOLS], unsigned tables);

/* Sets c->classes and what follows from them. */
void rans_classes_set(struct rans_coder *c, const uint32_t *classes);

/* Before the first element is encoded: c->lane_count lanes, words from `end` down to `start`. */
void rans_encode_begin(struct rans_coder *c, uint8_t *start, uint8_t *end);
/* After the last one, with the same end: the bytes of states and words, and these bytes. */
size_t rans_encoded_len(const struct rans_coder *c, const uint8_t *end);
void rans_encoded_put(const struct rans_coder *c, const uint8_t *end, uint8_t *dst);

/* The same of decoding: c->lane_count states and words in `len` bytes. -EBADMSG: too few; in the end, some
 * that were not taken, or states that are not the first ones. */
int rans_decode_begin(struct rans_coder *c, const uint8_t *src, size_t len);
int rans_decode_end(const struct rans_coder *c);

struct rans_ops {
	/* Encodes n elements whose first is a multiple of RANS_LANES; pieces come last first. Words go down
	 * from c->at. 0, or -ENOBUFS when they would pass c->limit. `classes` NULL: all of class 0. `raw`:
	 * values of c->raw_bytes, whose lower bits are the raw ones; not looked at where there are none. */
	int (*encode)(struct rans_coder *c, const uint8_t *classes, const uint8_t *symbols, const void *raw,
		size_t n);
	/* Decodes n elements, pieces in order, of multiples of RANS_LANES but for the last: values[i] =
	 * ((symbol + c->origin) << r) + raw bits, symbols[i]. Words from c->at up to c->limit. 0, or -EBADMSG
	 * when they end. */
	int (*decode)(
		struct rans_coder *c, const uint8_t *classes, uint32_t *values, uint8_t *symbols, size_t n);
};

extern const struct rans_ops rans_portable;
const struct rans_ops *rans_best(void);

#endif
