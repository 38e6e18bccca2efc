#include "dedup/places.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/json/json.h"

char *dedup_json_escaped(const char *from, size_t len)
{
	bool is_text = dedup_json_is_utf8(from, len);
	char *text = malloc(6 * len + 1);
	size_t n = 0;

	for (size_t i = 0; text && i < len; i++) {
		unsigned char c = (unsigned char)from[i];

		if (c < ' ')
			n += (size_t)sprintf(text + n, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			n += (size_t)sprintf(text + n, "\\%c", c);
		else
			text[n++] = (char)(c >= 128 && !is_text ? '?' : c);
	}
	if (text)
		text[n] = 0;
	return text;
}

int dedup_places_init(
	struct dedup_places *places, const struct dedup_inputs *inputs, const struct dedup_outcome *outcome)
{
	*places = (struct dedup_places){.outcome = outcome, .count = inputs->count};
	places->names = calloc(inputs->count + 1, sizeof *places->names);
	for (size_t i = 0; places->names && i < inputs->count; i++) {
		places->names[i] = dedup_json_escaped(inputs->v[i].path, strlen(inputs->v[i].path));
		if (!places->names[i])
			return -ENOMEM;
	}
	return places->names ? 0 : -ENOMEM;
}

void dedup_places_release(struct dedup_places *places)
{
	for (size_t i = 0; places->names && i < places->count; i++)
		free(places->names[i]);
	free(places->names);
	*places = (struct dedup_places){0};
}

/* The digits of a number, from the end of `text` back: where they begin. */
static char *digits(char *end, uint32_t number)
{
	do
		*--end = (char)('0' + number % 10);
	while (number /= 10);
	return end;
}

int dedup_places_put(
	const struct dedup_places *places, struct dedup_outfile *file, const char *before, uint32_t id)
{
	size_t input = dedup_outcome_input(places->outcome, id);
	const char *name = places->names[input];
	char text[16], *at = text + sizeof text;
	int rc = dedup_outfile_write(file, before, strlen(before));

	*--at = '"';
	at = digits(at, id - places->outcome->first_ids[input] + 1);
	*--at = ':';
	rc = rc ? rc : dedup_outfile_write(file, "\"", 1);
	rc = rc ? rc : dedup_outfile_write(file, name, strlen(name));
	return rc ? rc : dedup_outfile_write(file, at, (size_t)(text + sizeof text - at));
}

/* "%.4f" of a similarity is this number of ten thousandths: a float times 10,000 is exact in a double. */
int dedup_similarity_put(struct dedup_outfile *file, double similarity)
{
	uint32_t parts = similarity > 0 ? (uint32_t)lrint(similarity * 10000) : 0;
	char text[8] = {(char)('0' + parts / 10000), '.'};

	for (int i = 5; i >= 2; i--, parts /= 10)
		text[i] = (char)('0' + parts % 10);
	return dedup_outfile_write(file, text, 6);
}

int dedup_put(struct dedup_outfile *file, const char *format, ...)
{
	char text[256];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (n < 0 || n >= (int)sizeof text)
		return -EOVERFLOW;
	return dedup_outfile_write(file, text, (size_t)n);
}

const char *dedup_how_name(enum dedup_how how)
{
	switch (how) {
	case DEDUP_HOW_EXACT:
		return "exact";
	case DEDUP_HOW_NEAR:
		return "near";
	case DEDUP_HOW_GONE:
		return "stream";
	case DEDUP_HOW_AGAINST:
		return "against";
	case DEDUP_HOW_CUT:
		return "cut";
	default:
		return "none";
	}
}

const char *dedup_method_of(const struct dedup_fate *fate)
{
	return dedup_how_name(fate->is_copy ? DEDUP_HOW_EXACT : fate->how);
}
