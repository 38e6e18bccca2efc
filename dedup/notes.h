/*
 * What the first stage tells of a shard's lines, beside their texts: which are none, what is wrong with some,
 * where files begin, and counts. With this file the stage is done.
 */
#ifndef MITHRIL_DEDUP_NOTES_H
#define MITHRIL_DEDUP_NOTES_H

#include "dedup/outcome.h"
#include "dedup/scan.h"
#include "dedup/work.h"

#define DEDUP_NOTES_WAIT 4096u

struct dedup_notes_writer {
	struct dedup_table_writer file;
	uint8_t waiting[DEDUP_NOTES_WAIT * 8];
	size_t count;
};

/* 0: it is there; -ENOENT: it is not; otherwise as dedup_work_load. */
int dedup_notes_done(const struct dedup_work *work, unsigned shard);

int dedup_notes_create(struct dedup_notes_writer *w, const struct dedup_work *work, unsigned shard);
/* Line `id` of the shard is DEDUP_LINE_BLANK or DEDUP_LINE_BAD. Errors of pwrite(2). */
int dedup_notes_mark(struct dedup_notes_writer *w, uint32_t id, uint32_t mark);
/* outcome: first lines of files [first, end), and end of the last. seen: what was counted. */
int dedup_notes_finish(struct dedup_notes_writer *w, const struct dedup_outcome *outcome, size_t first,
	size_t end, const struct dedup_scan_fault *faults, size_t fault_count,
	const struct dedup_result *seen);
void dedup_notes_drop(struct dedup_notes_writer *w);

/* Of all shards: first lines of all files into an initialised outcome, and counts into result (documents,
 * bytes, text_bytes, faults). bases (`shards` + 1): the first line of each shard. -EBADMSG, -EOVERFLOW: more
 * lines than can be numbered; as dedup_work_load. */
int dedup_notes_count(const struct dedup_work *work, struct dedup_outcome *outcome, uint32_t *bases,
	struct dedup_result *result);
/* Makes room for all lines, and puts in what they are: themselves, blank or bad. As dedup_notes_count. */
int dedup_notes_lines(const struct dedup_work *work, struct dedup_outcome *outcome, const uint32_t *bases);

#endif
