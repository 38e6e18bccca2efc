/*
 * From a line to the text that is compared: the string of a JSON record's field, or the line itself.
 */
#ifndef MITHRIL_DEDUP_READ_RECORD_H
#define MITHRIL_DEDUP_READ_RECORD_H

#include "dedup/json/json.h"
#include "dedup/read/reader.h"

/* The line lies in a block. *text lies in the line or in `json` until its next use. -EBADMSG, -ENOENT,
 * -EINVAL as dedup_json_string, with *why; in plain text a NUL byte and what is not UTF-8 are -EBADMSG, in a
 * source's texts the latter. -ENOMEM. */
int dedup_record_text(struct dedup_json *json, enum dedup_format format, const char *field,
	const struct dedup_line *line, const char **text, size_t *len, const char **why);

#endif
