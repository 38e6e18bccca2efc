#include "dedup/codec/codec.h"

#include <string.h>

static bool starts(const uint8_t *head, size_t len, const char *with, size_t n)
{
	return len >= n && !memcmp(head, with, n);
}

/* "BZh" alone may begin a text; a member goes on with a level and the mark of a block or of the end. */
static bool is_bzip2(const uint8_t *head, size_t len)
{
	return len >= 10 && starts(head, len, "BZh", 3) && head[3] >= '1' && head[3] <= '9' &&
	       (!memcmp(head + 4, "\x31\x41\x59\x26\x53\x59", 6) ||
		       !memcmp(head + 4, "\x17\x72\x45\x38\x50\x90", 6));
}

enum dedup_codec dedup_codec_of(const uint8_t *head, size_t len)
{
	if (starts(head, len, "\x1f\x8b", 2))
		return DEDUP_CODEC_GZIP;
	if (starts(head, len, "\x28\xb5\x2f\xfd", 4))
		return DEDUP_CODEC_ZSTD;
	if (starts(head, len, "\xfd\x37\x7a\x58\x5a\x00", 6))
		return DEDUP_CODEC_XZ;
	return is_bzip2(head, len) ? DEDUP_CODEC_BZIP2 : DEDUP_CODEC_NONE;
}

const char *dedup_codec_suffix(enum dedup_codec codec)
{
	static const char *const suffixes[] = {"", ".gz", ".zst", ".bz2", ".xz"};

	return codec < DEDUP_CODEC_COUNT ? suffixes[codec] : "";
}

enum dedup_codec dedup_codec_of_name(const char *name)
{
	size_t len = strlen(name);

	for (enum dedup_codec codec = DEDUP_CODEC_NONE + 1; codec < DEDUP_CODEC_COUNT; codec++) {
		size_t suffix = strlen(dedup_codec_suffix(codec));

		if (len > suffix && !strcmp(name + len - suffix, dedup_codec_suffix(codec)))
			return codec;
	}
	return DEDUP_CODEC_NONE;
}

const struct dedup_coder *dedup_codec_reader(enum dedup_codec codec)
{
	static const struct dedup_coder *const readers[DEDUP_CODEC_COUNT] = {
		NULL, &dedup_gzip_reader, &dedup_zstd_reader, &dedup_bzip2_reader, &dedup_xz_reader};

	return codec < DEDUP_CODEC_COUNT ? readers[codec] : NULL;
}

const struct dedup_coder *dedup_codec_writer(enum dedup_codec codec)
{
	static const struct dedup_coder *const writers[] = {NULL, &dedup_gzip_writer, &dedup_zstd_writer,
		&dedup_bzip2_writer, &dedup_xz_writer, &dedup_zstd_quick_writer};

	return codec < sizeof writers / sizeof writers[0] ? writers[codec] : NULL;
}
