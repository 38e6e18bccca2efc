/*
 * Where a record's string stands in the record, so that it can be changed and nothing else. The JSON has been
 * read by dedup_json_string before, which checks what it is; here nothing is believed but the bounds.
 */
#ifndef MITHRIL_DEDUP_JSON_SPAN_H
#define MITHRIL_DEDUP_JSON_SPAN_H

#include <stdbool.h>
#include <stddef.h>

/* The string that dedup_json_string finds for `field`: record[*from, *to) is what stands between its quotes,
 * with its escapes. False: there is none. */
bool dedup_json_span(const char *record, size_t len, const char *field, size_t *from, size_t *to);

/* One character of what stands between quotes, an escape or UTF-8, len > 0: how many bytes it takes there,
 * and its UTF-8 (at most four bytes). 0: it is none. */
size_t dedup_json_char(const char *at, size_t len, char utf8[4], size_t *utf8_len);

#endif
