/*
 * Strings and numbers of a JSON record, by simdjson. The only C++ of the project is behind this header;
 * nothing is thrown through it.
 */
#ifndef MITHRIL_DEDUP_JSON_JSON_H
#define MITHRIL_DEDUP_JSON_JSON_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DEDUP_JSON_PADDING                                                                                   \
	64u /* bytes after a record that must be readable; what they are does not matter                     \
	     */

#define DEDUP_JSON_NO_STRING "the field is no string" /* that of -EINVAL */
#define DEDUP_JSON_NO_FIELD "it has no such field"    /* the reason of -ENOENT */

/* For one thread at a time. Takes some ten times the longest record it has seen. */
struct dedup_json;
int dedup_json_new(struct dedup_json **json); /* -ENOMEM */
void dedup_json_free(struct dedup_json *json);

/* The string that `field` names in the record: a key of the object, or keys with dots between for an object
 * in it ("meta.text"; a key that is spelt so itself comes first). The whole record must be JSON in UTF-8.
 * *text lies in `json` until its next use, is not terminated, and may hold NUL bytes. -EBADMSG: no JSON;
 * -ENOENT: no such field; -EINVAL: it is no string; *why is a line in static storage that says so. -ENOMEM.
 */
int dedup_json_string(struct dedup_json *json, const char *record, size_t len, const char *field,
	const char **text, size_t *text_len, const char **why);

/* Another field, named in the same way, of the record that dedup_json_string was given last, which was one.
 * A string's text is in `json` until the next record. */
enum dedup_json_kind {
	DEDUP_JSON_NONE /* no such field */,
	DEDUP_JSON_NUMBER,
	DEDUP_JSON_STRING,
	DEDUP_JSON_OTHER
};
enum dedup_json_kind dedup_json_value(
	struct dedup_json *json, const char *field, double *number, const char **text, size_t *len);

/* Bytes that stand for the value of that record's field, other ones for each value and kind of value: a
 * string's are its own, a number's are the same for 1, 1.0 and 1e0. They are in `json` until the next record.
 * 1: it is null, and there are none. -ENOENT: no such field; -EINVAL: an array or an object; with *why. */
int dedup_json_key(struct dedup_json *json, const char *field, enum dedup_json_kind *kind, const char **bytes,
	size_t *len, const char **why);

/* Reads a record of which no string is asked for. -EBADMSG, -ENOMEM as dedup_json_string. */
int dedup_json_read(struct dedup_json *json, const char *record, size_t len, const char **why);

/* Whether it is UTF-8. */
bool dedup_json_is_utf8(const char *text, size_t len);

#ifdef __cplusplus
}
#endif

#endif
