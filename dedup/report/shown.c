#include "dedup/report/shown.h"

#include <stdint.h>
#include <string.h>
#include <utf8proc.h>

/* Whether a terminal may have it: no controls, no formats (which turn the direction), no private ones. */
static int is_plain(utf8proc_int32_t c)
{
	utf8proc_category_t category = utf8proc_category(c);

	return category != UTF8PROC_CATEGORY_CC && category != UTF8PROC_CATEGORY_CF &&
	       category != UTF8PROC_CATEGORY_CS && category != UTF8PROC_CATEGORY_CO &&
	       category != UTF8PROC_CATEGORY_CN && category != UTF8PROC_CATEGORY_ZL &&
	       category != UTF8PROC_CATEGORY_ZP;
}

size_t dedup_shown(char *out, size_t room, const char *text, size_t len, size_t columns, size_t *used)
{
	size_t at = 0, n = 0;

	*used = 0;
	while (at < len) {
		utf8proc_int32_t c;
		utf8proc_ssize_t bytes = utf8proc_iterate(
			(const utf8proc_uint8_t *)text + at, (utf8proc_ssize_t)(len - at), &c);
		int plain = bytes > 0 && is_plain(c);
		size_t take = bytes > 0 ? (size_t)bytes : 1, put = plain ? take : 1;
		size_t width = plain ? (size_t)utf8proc_charwidth(c) : 1;

		if (*used + width > columns || n + put + 1 > room)
			break;
		memcpy(out + n, plain ? text + at : "?", put);
		n += put;
		*used += width;
		at += take;
	}
	out[n] = 0;
	return at;
}
