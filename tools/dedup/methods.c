#include "tools/dedup/methods.h"

#include <string.h>

#include "dedup/cut/substrings.h"
#include "dedup/sketch/simhash.h"
#include "tools/dedup/values.h"

/* Bytes from which on a unit is cut; `after` NULL: `by_default`. */
static bool cut_of(const char *after, uint64_t by_default, uint64_t least, uint64_t most, uint64_t *bytes)
{
	*bytes = by_default;
	return !after || dedup_size_of(after, least, most, bytes);
}

/* 100 bytes, or 50t: words. */
static bool substring_of(const char *after, struct mithril_dedup_options *o)
{
	size_t len = after ? strlen(after) : 0;
	char number[24];

	if (!len || after[len - 1] != 't')
		return cut_of(
			after, DEDUP_SUBSTRING, DEDUP_SUBSTRING_MIN, DEDUP_SUBSTRING_MAX, &o->substring);
	if (len > sizeof number)
		return false;
	memcpy(number, after, len - 1);
	number[len - 1] = 0;
	return dedup_size_of(
		number, DEDUP_SUBSTRING_WORDS_MIN, DEDUP_SUBSTRING_WORDS_MAX, &o->substring_words);
}

static const char *parse_one(
	const char *name, const char *after, struct mithril_dedup_options *o, unsigned *seen)
{
	static const char *const names[] = {
		"exact", "near", "stream", "simhash", "line", "paragraph", "substring", NULL};
	int i = 0;

	while (names[i] && strcmp(name, names[i]) != 0)
		i++;
	if (!names[i] || *seen >> i & 1)
		return "a list of different ones of near, exact, stream, simhash, line, paragraph, substring";
	*seen |= 1u << i;
	switch (i) {
	case 0:
		o->exact_field = after;
		return !after || *after ? NULL : "exact or exact:FIELD";
	case 1:
		o->method = MITHRIL_DEDUP_NEAR;
		return after ? "near, which has no number" : NULL;
	case 2:
		o->method = MITHRIL_DEDUP_STREAM;
		return after ? "stream, which has no number" : NULL;
	case 3:
		o->method = MITHRIL_DEDUP_SIMHASH;
		o->distance = 3;
		if (after && !dedup_number_of(after, 0, DEDUP_DISTANCE_MAX, &o->distance))
			return "simhash or simhash:BITS, at most 16";
		return NULL;
	case 4:
		return cut_of(after, 1, 1, UINT64_MAX, &o->line) ? NULL : "line or line:BYTES";
	case 5:
		return cut_of(after, 1, 1, UINT64_MAX, &o->paragraph) ? NULL : "paragraph or paragraph:BYTES";
	default:
		return substring_of(after, o)
			       ? NULL
			       : "substring, substring:BYTES, 16 to 4096, or substring:WORDSt, 2 to 512";
	}
}

const char *dedup_parse_methods(char *list, struct mithril_dedup_options *o)
{
	unsigned seen = 0;
	const char *wrong = NULL;
	char *name;

	o->method = MITHRIL_DEDUP_EXACT;
	o->exact_field = NULL;
	o->line = o->paragraph = o->substring = o->substring_words = 0;
	while (!wrong && (name = strsep(&list, ","))) {
		char *after = strchr(name, ':');

		if (after)
			*after++ = 0;
		wrong = parse_one(name, after, o, &seen);
	}
	if (!wrong && (seen & 0xe) & ((seen & 0xe) - 1))
		wrong = "a list with one of near, stream and simhash";
	if (!wrong && (seen & 5) == 5)
		wrong = "stream and exact: it has no list of texts";
	return wrong;
}
