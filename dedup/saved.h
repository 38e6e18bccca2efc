/*
 * What is known of each line, in a file: a run of each shard, 4 bytes a line.
 */
#ifndef MITHRIL_DEDUP_SAVED_H
#define MITHRIL_DEDUP_SAVED_H

#include "dedup/lines.h"
#include "dedup/spill/table.h"

/* bases (`shards` + 1): the first line of each shard. As dedup_table_put. */
int dedup_lines_put(struct dedup_table_writer *w, const struct dedup_lines *lines, const uint32_t *bases,
	unsigned shards);
/* `count` lines of a shard, the first one to line `to` of `lines`, for which room is made. -EBADMSG: there is
 * no such run, or it is not as long; as dedup_cursor_peek. */
int dedup_lines_get(const struct dedup_table *table, unsigned shard, struct dedup_lines *lines, uint32_t to,
	uint32_t count);

#endif
