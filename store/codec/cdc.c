#include "store/codec/cdc.h"

#include <string.h>

/* Normalised chunking, level 2: two bits more than log2(CDC_AVERAGE) before the average, two less behind it.
 * The hash's top bits depend on the last 64 bytes, the low ones on a few. */
#define MASK_BEFORE (UINT64_C(0x3ffff) << 46)
#define MASK_BEHIND (UINT64_C(0x3fff) << 50)

#define STATISTICS_PIECES 16u
#define STATISTICS_PIECE 4096u

static uint64_t splitmix64(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void cdc_init(struct cdc *cdc, uint64_t seed)
{
	for (unsigned i = 0; i < 256; i++)
		cdc->gear[i] = splitmix64(&seed);
}

/* First position in [at, end) after whose byte the masked hash is zero, plus one; 0 if there is none. */
static size_t find_cut(
	const struct cdc *cdc, const uint8_t *src, size_t at, size_t end, uint64_t mask, uint64_t *hash)
{
	uint64_t h = *hash;

	for (; at < end; at++) {
		h = (h << 1) + cdc->gear[src[at]];
		if (!(h & mask))
			return at + 1;
	}
	*hash = h;
	return 0;
}

size_t cdc_next(const struct cdc *cdc, const void *src, size_t len)
{
	size_t average = len < CDC_AVERAGE ? len : CDC_AVERAGE, max = len < CDC_MAX ? len : CDC_MAX, cut;
	uint64_t hash = 0;

	cut = find_cut(cdc, src, CDC_MIN, average, MASK_BEFORE, &hash);
	if (!cut)
		cut = find_cut(cdc, src, average, max, MASK_BEHIND, &hash);
	return cut ? cut : max;
}

/* Signatures of formats whose bytes are compressed. */
static int has_signature(const uint8_t *src, size_t len)
{
	static const struct {
		uint8_t offset, len;
		char bytes[8];
	} signatures[] = {
		{0, 4, "\x28\xb5\x2f\xfd"}, /* zstd */
		{0, 3, "\x1f\x8b\x08"},	    /* gzip */
		{0, 6,
			"\xfd"
			"7zXZ"},			   /* xz, with its zero */
		{0, 3, "BZh"}, {0, 4, "\x04\x22\x4d\x18"}, /* lz4 */
		{0, 6, "7z\xbc\xaf\x27\x1c"}, {0, 4, "Rar!"}, {0, 8, "\x89PNG\r\n\x1a\n"},
		{0, 3, "\xff\xd8\xff"},				/* jpeg */
		{0, 4, "GIF8"}, {8, 4, "WEBP"}, {4, 4, "ftyp"}, /* mp4 and its kin */
		{0, 4, "OggS"}, {0, 4, "fLaC"}, {0, 3, "ID3"}, {0, 4, "\x1a\x45\xdf\xa3"}, /* matroska */
	};

	for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
		size_t at = signatures[i].offset, n = signatures[i].len;
		if (at + n <= len && !memcmp(src + at, signatures[i].bytes, n))
			return 1;
	}
	/* zip: only if its first member is deflated or the like */
	return len >= 10 && !memcmp(src, "PK\x03\x04", 4) && (src[8] || src[9]);
}

int cdc_incompressible(const void *bytes, size_t len)
{
	const uint8_t *src = bytes;
	uint32_t counts[256] = {0};
	uint64_t squares = 0, n = 0;
	size_t pieces = len / STATISTICS_PIECE < STATISTICS_PIECES ? 1 : STATISTICS_PIECES;
	size_t piece = pieces == 1 && len < STATISTICS_PIECES * STATISTICS_PIECE ? len : STATISTICS_PIECE;
	size_t step = pieces == 1 ? 0 : (len - piece) / (pieces - 1);

	if (len < 64)
		return 0;
	for (size_t p = 0; p < pieces; p++) {
		for (size_t i = 0; i < piece; i++)
			counts[src[p * step + i]]++;
		n += piece;
	}
	for (unsigned i = 0; i < 256; i++)
		squares += (uint64_t)counts[i] * counts[i];
	/* Of flat bytes the sum of squares is n^2/256 + n; a sixteenth more is about 7.95 bits a byte, half
	 * more about 7.6. */
	uint64_t flat = n * n / 256 + n;
	return squares < flat + (has_signature(src, len) ? flat / 2 : flat / 16);
}
