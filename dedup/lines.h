/*
 * What is known about each line of all inputs: 4 bytes a line. Room is made by the thread that hands lines
 * out, entries are written by those that got them.
 */
#ifndef MITHRIL_DEDUP_LINES_H
#define MITHRIL_DEDUP_LINES_H

#include <stddef.h>
#include <stdint.h>

/* A line holds its own number when it stays, or that of a line that stands for it (outcome.h), or: */
#define DEDUP_LINE_GONE 0xfffffffbu    /* a duplicate of nobody knows which; no mark is lower */
#define DEDUP_LINE_AGAINST 0xfffffffcu /* its text hits the second set */
#define DEDUP_LINE_CUT 0xfffffffdu     /* when repeats are cut, too little is left of its text */
#define DEDUP_LINE_BLANK 0xfffffffeu   /* no record; it is copied */
#define DEDUP_LINE_BAD 0xffffffffu     /* a fault; it is not copied */

#define DEDUP_LINES_SEGMENT (1u << 18)

struct dedup_lines {
	uint32_t *segments[1u << 14]; /* of DEDUP_LINES_SEGMENT lines each */
};

/* Room for lines up to `id`, itself included. One thread at a time. -ENOMEM. */
int dedup_lines_room(struct dedup_lines *lines, uint32_t id);
void dedup_lines_release(struct dedup_lines *lines);

static inline uint32_t *dedup_lines_at(const struct dedup_lines *lines, uint32_t id)
{
	return &lines->segments[id / DEDUP_LINES_SEGMENT][id % DEDUP_LINES_SEGMENT];
}

#endif
