#include "dedup/read/record.h"

#include <errno.h>
#include <string.h>

int dedup_record_text(struct dedup_json *json, enum dedup_format format, const char *field,
	const struct dedup_line *line, const char **text, size_t *len, const char **why)
{
	/* The mark that some editors put before a file is no JSON. */
	size_t mark = line->len >= 3 && !memcmp(line->text, "\xef\xbb\xbf", 3) ? 3 : 0;

	if (format != DEDUP_FORMAT_TEXT)
		return dedup_json_string(json, line->text + mark, line->len - mark, field, text, len, why);
	*text = line->text;
	*len = line->len;
	*why = "a NUL byte";
	if (memchr(line->text, 0, line->len))
		return -EBADMSG;
	*why = "invalid UTF-8";
	return dedup_json_is_utf8(line->text, line->len) ? 0 : -EBADMSG;
}
