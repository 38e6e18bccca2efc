/*
 * What is cut out of all texts, by line: in memory, or, where that is bounded, in a file of the work's
 * directory that has no name, of which each reader has a piece of some 200 KiB in memory.
 */
#ifndef MITHRIL_DEDUP_CUT_SET_H
#define MITHRIL_DEDUP_CUT_SET_H

#include "dedup/cut/cuts.h"
#include "dedup/sorter.h"

struct dedup_cut_set {
	const struct dedup_work *work; /* NULL: in memory */
	uint64_t count;		       /* cuts */
	struct dedup_cuts all;	       /* in memory: settled */
	struct dedup_table table;      /* otherwise; a run begins with the line that its part says */
};

void dedup_cut_set_init(struct dedup_cut_set *set, const struct dedup_work *work);
void dedup_cut_set_release(struct dedup_cut_set *set);
uint64_t dedup_cut_set_memory(const struct dedup_cut_set *set);

/* Adds what a finished sorter holds (a: the line, b: from, c: to) to the set: `fix` settles the cuts of a
 * line, which count bytes of what the set so far leaves. -ENOMEM; errors of table files, -EBADMSG. */
int dedup_cut_set_add(
	struct dedup_cut_set *set, const struct dedup_sorter *found, void (*fix)(struct dedup_cuts *line));

/* For one thread at a time; zero it first. */
struct dedup_cut_reader {
	struct dedup_cuts part; /* of a run */
	size_t run;		/* its number and 1 */
};
void dedup_cut_reader_release(struct dedup_cut_reader *reader);
/* Those of one line; *count may be 0. They live until the next call. Faster for lines in order. Errors as
 * dedup_cut_set_add. */
int dedup_cut_set_of(const struct dedup_cut_set *set, struct dedup_cut_reader *reader, uint32_t id,
	const struct dedup_cut **cuts, size_t *count);
/* All of them in memory, into zeroed `cuts`; the set is empty then. */
int dedup_cut_set_take(struct dedup_cut_set *set, struct dedup_cuts *cuts);

#endif
