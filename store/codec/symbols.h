/* Chunks of floats as symbols with raw bits below, alone or as differences to a base (payload.h: SYMBOLS and
 * SYMBOLS_DIFF): numbers.h says what the numbers are, model.h and rans.h how they are coded. */
#ifndef MITHRIL_STORE_CODEC_SYMBOLS_H
#define MITHRIL_STORE_CODEC_SYMBOLS_H

#include "store/codec/codec.h"
#include "store/codec/numbers.h"
#include "store/codec/rans.h"

#define SYMBOLS_MIN 1024u /* elements below which lanes and tables do not pay */

#define SYMBOLS_HEAD 3u /* bytes of a payload before the first varint */

static inline uint32_t symbols_mask(struct number_kind kind)
{
	return UINT32_MAX >> (32 - kind.bits);
}

static inline unsigned symbols_shift_max(struct number_kind kind)
{
	return kind.bits < RANS_RAW_MAX ? kind.bits - 1u : RANS_RAW_MAX;
}

/* Wide elements take longer anyway. */
static inline unsigned symbols_lanes(struct number_kind kind, size_t n)
{
	return kind.log_width > 1 ? RANS_LANES / 2 : rans_lanes_for(n);
}

/* Counts of a sample's numbers by class, sign and bit length. */
#define SYMBOLS_LENGTHS 33u
typedef uint16_t symbols_lengths[256][2][SYMBOLS_LENGTHS];

/* What the sample says of how to cut numbers into symbols. */
struct symbols_plan {
	int32_t origin;
	unsigned rows;
	uint8_t shifts[256], row[256];
	/* of differences: what CHANGES would take, or SIZE_MAX where more than its share changed */
	size_t changes;
	int clustered; /* of differences: those that are none keep together */
};

/* From ws->sample, where sample_take put elements and, if `based`, those of the base. Guesses the payload's
 * bytes for n elements. */
size_t symbols_plan(
	struct codec_workspace *ws, struct number_kind kind, int based, size_t n, struct symbols_plan *plan);

/* Bytes, or 0 where they do not fit. With in->base or without. */
size_t symbols_encode(struct codec_workspace *ws, uint8_t *dst, size_t capacity, const struct codec_input *in,
	const struct symbols_plan *plan, int based);

/* base: raw_len bytes, or NULL. -EBADMSG. */
int symbols_decode(struct codec_workspace *ws, uint8_t *dst, size_t raw_len, const uint8_t *payload,
	size_t len, enum dtype dtype, const uint8_t *base);

#endif
