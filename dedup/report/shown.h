/*
 * Text of a user's on a terminal: how wide it is, and nothing in it that could steer the terminal.
 */
#ifndef MITHRIL_DEDUP_REPORT_SHOWN_H
#define MITHRIL_DEDUP_REPORT_SHOWN_H

#include <stddef.h>

#define DEDUP_SHOWN_BYTES(columns) (8 * (columns) + 32)

/* Copies as much of a text as fits into `columns` and into out's `room` (DEDUP_SHOWN_BYTES is enough for any
 * text without long runs of marks), terminated; *used columns are taken. Controls, directions and what is no
 * UTF-8 become '?'. How many bytes of the text were used: 0 only for an empty one, or one that begins with a
 * character wider than `columns`. */
size_t dedup_shown(char *out, size_t room, const char *text, size_t len, size_t columns, size_t *used);

#endif
