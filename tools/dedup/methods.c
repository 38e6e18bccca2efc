#include "tools/dedup/methods.h"

#include <string.h>

#include "dedup/cut/substrings.h"
#include "dedup/sketch/simhash.h"
#include "tools/dedup/options.h"

/* Bytes from which on a unit is cut; `after` NULL: `by_default`. */
static bool cut_of(const char *after, size_t by_default, size_t least, size_t most, size_t *bytes)
{
	*bytes = by_default;
	return !after || dedup_size_of(after, least, most, bytes);
}

/* 100 bytes, or 50t: words. */
static bool substring_of(const char *after, struct dedup_cutting *cutting)
{
	size_t len = after ? strlen(after) : 0;
	char number[24];

	cutting->words = len && after[len - 1] == 't';
	if (!cutting->words)
		return cut_of(after, DEDUP_SUBSTRING, DEDUP_SUBSTRING_MIN, DEDUP_SUBSTRING_MAX,
			&cutting->substring);
	if (len > sizeof number)
		return false;
	memcpy(number, after, len - 1);
	number[len - 1] = 0;
	return dedup_size_of(
		number, DEDUP_SUBSTRING_WORDS_MIN, DEDUP_SUBSTRING_WORDS_MAX, &cutting->substring);
}

static const char *parse_one(const char *name, const char *after, struct dedup_options *d, unsigned *seen)
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
		d->exact_field = after;
		return !after || *after ? NULL : "exact or exact:FIELD";
	case 1:
		d->method = DEDUP_NEAR;
		return after ? "near, which has no number" : NULL;
	case 2:
		d->method = DEDUP_STREAM;
		return after ? "stream, which has no number" : NULL;
	case 3:
		d->method = DEDUP_SIMHASH;
		d->distance = 3;
		if (after && !dedup_number_of(after, 0, DEDUP_DISTANCE_MAX, &d->distance))
			return "simhash or simhash:BITS, at most 16";
		return NULL;
	case 4:
		return cut_of(after, 1, 1, SIZE_MAX, &d->cutting.line) ? NULL : "line or line:BYTES";
	case 5:
		return cut_of(after, 1, 1, SIZE_MAX, &d->cutting.paragraph) ? NULL
									    : "paragraph or paragraph:BYTES";
	default:
		return substring_of(after, &d->cutting)
			       ? NULL
			       : "substring, substring:BYTES, 16 to 4096, or substring:WORDSt, 2 to 512";
	}
}

const char *dedup_methods_parse(char *list, struct dedup_options *d)
{
	unsigned seen = 0;
	const char *wrong = NULL;
	char *name;

	d->method = DEDUP_EXACT;
	d->exact_field = NULL;
	d->cutting = (struct dedup_cutting){.drop = d->cutting.drop};
	while (!wrong && (name = strsep(&list, ","))) {
		char *after = strchr(name, ':');

		if (after)
			*after++ = 0;
		wrong = parse_one(name, after, d, &seen);
	}
	if (!wrong && (seen & 0xe) & ((seen & 0xe) - 1))
		wrong = "a list with one of near, stream and simhash";
	if (!wrong && (seen & 5) == 5)
		wrong = "stream and exact: it has no list of texts";
	return wrong;
}
