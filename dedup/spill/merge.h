/*
 * The runs of one part, from many tables, as one sequence in the order of their records' first bytes.
 */
#ifndef MITHRIL_DEDUP_SPILL_MERGE_H
#define MITHRIL_DEDUP_SPILL_MERGE_H

#include "dedup/spill/table.h"

struct dedup_merge_shape {
	size_t head; /* bytes by which a record's size can be told */
	size_t key;  /* of these, those that are compared */
	/* SIZE_MAX: there is no such record. */
	size_t (*size)(const struct dedup_merge_shape *shape, const uint8_t *head);
	unsigned bands; /* for size */
};

/* Records of a fixed size. */
size_t dedup_merge_fixed(const struct dedup_merge_shape *shape, const uint8_t *head);

struct dedup_merge_run {
	struct dedup_cursor cursor;
	size_t table;
	const uint8_t *record;
	size_t size;
};

struct dedup_merge {
	struct dedup_merge_shape shape;
	struct dedup_merge_run *runs;
	size_t count; /* that have more */
	size_t opened;
};

/* Takes a block of memory a run, and the longest record's more. -ENOMEM, as dedup_cursor_peek. Released also
 * after a failure. */
int dedup_merge_open(struct dedup_merge *m, const struct dedup_table *tables, size_t count, uint32_t part,
	const struct dedup_merge_shape *shape);
void dedup_merge_close(struct dedup_merge *m);

/* 1: the least record, until the next call; of equal ones those of the first table come first. 0: no more.
 * -EBADMSG: a run is not sorted, or as dedup_cursor_peek. */
int dedup_merge_peek(struct dedup_merge *m, const uint8_t **record, size_t *size, size_t *table);
int dedup_merge_next(struct dedup_merge *m); /* moves past what was peeked at */

#endif
