#include "dedup/read/record.h"

#include <errno.h>
#include <string.h>

int dedup_record_text(struct dedup_json *json, enum dedup_format format, const char *field,
	const struct dedup_line *line, const char **text, size_t *len, const char **why)
{
	size_t mark = dedup_line_mark(line);

	if (format == DEDUP_FORMAT_AUTO || format == DEDUP_FORMAT_JSONL)
		return dedup_json_string(json, line->text + mark, line->len - mark, field, text, len, why);
	*text = line->text;
	*len = line->len;
	*why = "a NUL byte";
	if (format == DEDUP_FORMAT_TEXT && memchr(line->text, 0, line->len))
		return -EBADMSG;
	*why = "invalid UTF-8";
	return dedup_json_is_utf8(line->text, line->len) ? 0 : -EBADMSG;
}
