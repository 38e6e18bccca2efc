/*
 * Many small records, sorted, in memory or, where that is bounded, on disk: what a run finds of its lines in
 * any order and needs in theirs.
 *
 *	dedup_sorter_new; any thread: dedup_sorter_add; dedup_sorter_finish;
 *	as often as wanted: dedup_sequence_open, dedup_sequence_next until 0, dedup_sequence_close
 *
 * On disk it is an external sort of spill/ in the directory of the work: runs of sorted records, merged in as
 * many rounds as the memory asks for. Its files have no name once they are whole, and are gone with it.
 */
#ifndef MITHRIL_DEDUP_SORTER_H
#define MITHRIL_DEDUP_SORTER_H

#include "dedup/spill/merge.h"
#include "dedup/work.h"

/* Sorted by a, then b, then c. */
struct dedup_triple {
	uint32_t a, b, c;
};

#define DEDUP_TRIPLE 12u /* bytes a record, in memory as on disk */

struct dedup_sorter;
/* `work` NULL: all in memory; otherwise at most `memory` bytes, or some 16 KiB a thread and 1 MiB where that
 * is more. `name` is of its files and lives as long as it. -ENOMEM. */
int dedup_sorter_new(const struct dedup_work *work, const char *name, unsigned threads, uint64_t memory,
	struct dedup_sorter **sorter);
/* NULL is fine. */
void dedup_sorter_free(struct dedup_sorter *sorter);
/* Each thread, from 0, by its number. -ENOMEM; errors of table files. */
int dedup_sorter_add(struct dedup_sorter *sorter, unsigned thread, struct dedup_triple triple);
/* After the last one. Errors as dedup_sorter_add, -EBADMSG. */
int dedup_sorter_finish(struct dedup_sorter *sorter);
/* Records that were added. After finish. */
uint64_t dedup_sorter_count(const struct dedup_sorter *sorter);
/* Bytes of its buffers at most. */
uint64_t dedup_sorter_memory(const struct dedup_sorter *sorter);

struct dedup_sequence {
	const struct dedup_sorter *sorter;
	struct dedup_merge merge;
	size_t at;
};
/* To be closed after a failure too. -ENOMEM, -EBADMSG, errors of pread(2). */
int dedup_sequence_open(struct dedup_sequence *sequence, const struct dedup_sorter *sorter);
/* 1: the next one, 0: there are no more. Errors as above. */
int dedup_sequence_next(struct dedup_sequence *sequence, struct dedup_triple *triple);
void dedup_sequence_close(struct dedup_sequence *sequence); /* a zeroed one is fine */

#endif
