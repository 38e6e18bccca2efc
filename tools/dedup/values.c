#include "tools/dedup/values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/sketch/sketch.h"
#include "dedup/text/shingles.h"

int dedup_word_of(const char *value, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(value, words[i]))
			return i;
	return -1;
}

bool dedup_size_of(const char *value, uint64_t least, uint64_t most, uint64_t *size)
{
	char *end;
	unsigned long long n;

	if (*value < '0' || *value > '9')
		return false;
	errno = 0;
	n = strtoull(value, &end, 10);
	if (errno || *end || n < least || n > most)
		return false;
	*size = n;
	return true;
}

bool dedup_number_of(const char *value, uint32_t least, uint32_t most, uint32_t *number)
{
	uint64_t n;

	if (!dedup_size_of(value, least, most, &n))
		return false;
	*number = (uint32_t)n;
	return true;
}

bool dedup_share_of(const char *value, double *share)
{
	char *end;

	*share = strtod(value, &end);
	return end != value && !*end && *share > 0 && *share <= 1;
}

/* 5, word:5 or char:24. */
const char *dedup_parse_ngram(const char *value, struct mithril_dedup_options *o)
{
	o->characters = !strncmp(value, "char:", 5);
	if (o->characters || !strncmp(value, "word:", 5))
		value += 5;
	return dedup_number_of(value, 1, DEDUP_NGRAM_MAX, &o->ngram)
		       ? NULL
		       : "1 to 64, or word:N or char:N with that";
}

const char *dedup_parse_normalise(const char *value, struct mithril_dedup_options *o)
{
	static const char *const words[] = {"nfc", "lower", "punct", NULL};
	char *list = strdup(value), *rest = list, *word;
	bool good = list != NULL;

	o->normalise = 0;
	if (!strcmp(value, "none"))
		rest = NULL;
	while (good && (word = strsep(&rest, ","))) {
		int i = dedup_word_of(word, words);

		good = i >= 0;
		o->normalise |= good ? 1u << i : 0;
	}
	free(list);
	return good ? NULL : "nfc, lower, punct with commas, or none";
}

/* any, a share, near or near:J. */
const char *dedup_parse_overlap(const char *value, struct mithril_dedup_options *o)
{
	bool good = true;

	o->overlap = MITHRIL_DEDUP_ANY;
	o->overlap_least = 0;
	if (!strncmp(value, "near", 4) && (!value[4] || value[4] == ':')) {
		o->overlap = MITHRIL_DEDUP_JACCARD;
		good = !value[4] || dedup_share_of(value + 5, &o->overlap_least);
	} else if (strcmp(value, "any") != 0) {
		o->overlap = MITHRIL_DEDUP_SHARE;
		good = dedup_share_of(value, &o->overlap_least);
	}
	return good ? NULL : "any, a share above 0 and at most 1, near, or near: and a similarity";
}

/* cut, or drop:SHARE. */
const char *dedup_parse_repeats(const char *value, struct mithril_dedup_options *o)
{
	o->drop = 0;
	if (!strcmp(value, "cut"))
		return NULL;
	if (!strncmp(value, "drop:", 5) && dedup_share_of(value + 5, &o->drop) && o->drop < 1)
		return NULL;
	return "cut, or drop:SHARE with one below 1";
}

/* 20x6. */
const char *dedup_parse_bands(const char *value, struct mithril_dedup_options *o)
{
	char *x, *copy = strdup(value);
	bool good = copy && (x = strchr(copy, 'x'));

	if (good) {
		*x = 0;
		good = dedup_number_of(copy, 1, DEDUP_SKETCH_MAX, &o->bands) &&
		       dedup_number_of(x + 1, 1, DEDUP_SKETCH_MAX, &o->rows) &&
		       o->bands * o->rows <= DEDUP_SKETCH_MAX;
	}
	free(copy);
	return good ? NULL : "two numbers like 20x6, at most 1024 values in all";
}

/* A word, and for some of them what follows it after a colon. */
const char *dedup_parse_keep(const char *value, struct mithril_dedup_options *o)
{
	static const char *const words[] = {"first", "longest", "newest", "best", "prefer", NULL};
	const char *colon = strchr(value, ':');
	char *word = strndup(value, colon ? (size_t)(colon - value) : strlen(value));
	int i = word ? dedup_word_of(word, words) : -1;

	free(word);
	o->keep = (uint32_t)i;
	o->keep_by = colon ? colon + 1 : NULL;
	if (i >= 0 && (i < (int)MITHRIL_DEDUP_KEEP_NEWEST ? !colon : colon && colon[1]))
		return NULL;
	return "first, longest, newest:FIELD, best:FIELD or prefer:GLOB,...";
}
