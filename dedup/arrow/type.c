#include "dedup/arrow/type.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Formats that are one layout, or begin with these letters where a ':' or a unit follows. */
static const struct {
	const char *format;
	bool goes_on;
	struct arrow_type type;
} known[] = {
	{"n", false, {ARROW_NULLS, 0, 0}},
	{"b", false, {ARROW_BITS, 0, 2}},
	{"c", false, {ARROW_FIXED, 1, 2}},
	{"C", false, {ARROW_FIXED, 1, 2}},
	{"s", false, {ARROW_FIXED, 2, 2}},
	{"S", false, {ARROW_FIXED, 2, 2}},
	{"e", false, {ARROW_FIXED, 2, 2}},
	{"i", false, {ARROW_FIXED, 4, 2}},
	{"I", false, {ARROW_FIXED, 4, 2}},
	{"f", false, {ARROW_FIXED, 4, 2}},
	{"l", false, {ARROW_FIXED, 8, 2}},
	{"L", false, {ARROW_FIXED, 8, 2}},
	{"g", false, {ARROW_FIXED, 8, 2}},
	{"tdD", false, {ARROW_FIXED, 4, 2}},
	{"tdm", false, {ARROW_FIXED, 8, 2}},
	{"tts", false, {ARROW_FIXED, 4, 2}},
	{"ttm", false, {ARROW_FIXED, 4, 2}},
	{"ttu", false, {ARROW_FIXED, 8, 2}},
	{"ttn", false, {ARROW_FIXED, 8, 2}},
	{"ts", true, {ARROW_FIXED, 8, 2}},
	{"tD", true, {ARROW_FIXED, 8, 2}},
	{"tiM", false, {ARROW_FIXED, 4, 2}},
	{"tiD", false, {ARROW_FIXED, 8, 2}},
	{"tin", false, {ARROW_FIXED, 16, 2}},
	{"z", false, {ARROW_BYTES, 4, 3}},
	{"u", false, {ARROW_BYTES, 4, 3}},
	{"Z", false, {ARROW_BYTES, 8, 3}},
	{"U", false, {ARROW_BYTES, 8, 3}},
	{"vz", false, {ARROW_VIEWS, 16, 3}},
	{"vu", false, {ARROW_VIEWS, 16, 3}},
	{"+l", false, {ARROW_LIST, 4, 2}},
	{"+m", false, {ARROW_LIST, 4, 2}},
	{"+L", false, {ARROW_LIST, 8, 2}},
	{"+s", false, {ARROW_STRUCT, 0, 1}},
};

/* The number at the start of `text`, 0 where there is none or where it is beyond `most`. */
static int64_t number_of(const char *text, int64_t most)
{
	int64_t number = 0;

	for (; *text >= '0' && *text <= '9' && number <= most; text++)
		number = number * 10 + (*text - '0');
	return number <= most && !*text ? number : 0;
}

/* "d:PRECISION,SCALE" or "d:PRECISION,SCALE,BITS". */
static int64_t decimal_width(const char *format)
{
	const char *comma = strchr(format, ',');

	comma = comma ? strchr(comma + 1, ',') : NULL;
	return comma ? number_of(comma + 1, 256) / 8 : 16;
}

int arrow_type_of(struct arrow_type *type, const struct ArrowSchema *schema)
{
	const char *format = schema->format ? schema->format : "";

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (known[i].goes_on ? !strncmp(format, known[i].format, strlen(known[i].format))
				     : !strcmp(format, known[i].format)) {
			*type = known[i].type;
			return schema->dictionary && type->layout != ARROW_FIXED ? -EOPNOTSUPP : 0;
		}
	if (!strncmp(format, "w:", 2))
		*type = (struct arrow_type){ARROW_FIXED, number_of(format + 2, INT32_MAX), 2};
	else if (!strncmp(format, "d:", 2))
		*type = (struct arrow_type){ARROW_FIXED, decimal_width(format), 2};
	else if (!strncmp(format, "+w:", 3))
		*type = (struct arrow_type){ARROW_FIXED_LIST, number_of(format + 3, INT32_MAX), 1};
	else
		return -EOPNOTSUPP;
	return type->width || !strcmp(format + strlen(format) - 2, ":0") ? 0 : -EOPNOTSUPP;
}
