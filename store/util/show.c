#include "store/util/show.h"

char *print_bytes(char text[PRINT_AMOUNT], uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)bytes;
	int unit = -1;

	while (value >= 1024 && unit < 5) {
		value /= 1024;
		unit++;
	}
	if (unit < 0)
		snprintf(text, PRINT_AMOUNT, "%llu B", (unsigned long long)bytes);
	else
		snprintf(text, PRINT_AMOUNT,
			value < 10    ? "%.2f %s"
			: value < 100 ? "%.1f %s"
				      : "%.0f %s",
			value, units[unit]);
	return text;
}

/* Bytes of the well-formed UTF-8 character at `text`; 0: there is none. */
static size_t character(const unsigned char *text)
{
	static const struct {
		unsigned char from, to, least, most; /* of the first byte, and of the second */
		size_t len;
	} forms[] = {
		{0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3},
		{0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		if (text[0] < forms[i].from || text[0] > forms[i].to)
			continue;
		if (text[1] < forms[i].least || text[1] > forms[i].most)
			return 0;
		for (size_t j = 2; j < forms[i].len; j++)
			if ((text[j] & 0xc0) != 0x80)
				return 0;
		return forms[i].len;
	}
	return text[0] >= ' ' && text[0] < 0x7f;
}

void print_xml(FILE *out, const char *text, size_t most)
{
	for (size_t len; *text && most; text += len ? len : 1, most--) {
		len = character((const unsigned char *)text);
		if (*text == '&')
			fputs("&amp;", out);
		else if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '"')
			fputs("&quot;", out);
		else
			fwrite(len ? text : "?", 1, len ? len : 1, out);
	}
	if (*text)
		fputs("...", out);
}
