/*
 * The directory in which a run keeps what its stages have done, so that it needs little memory, and need not
 * be done again after an end in the middle, or is done by many processes. Files and stages:
 * mithril-dedup-stages(5). A stage's files have their names once they are whole, the one that says that the
 * stage is done last.
 */
#ifndef MITHRIL_DEDUP_WORK_H
#define MITHRIL_DEDUP_WORK_H

#include "dedup/dedup.h"
#include "dedup/spill/table.h"

#define DEDUP_SHARDS_MAX 4096u

struct dedup_work {
	const struct dedup_options *options;
	char dir[PATH_MAX];
	bool is_temporary;	    /* its own, removed at the end */
	struct dedup_digest digest; /* of inputs and of the options that matter for the answer */
	uint64_t seeds[2];
	unsigned shards; /* of inputs, of keys, of components */
};

/* Opens options->work, made if need be, or a directory in $TMPDIR of its own. -ESTALE: it is of other inputs
 * or options; errors of mkdir(2) and of table files. */
int dedup_work_open(struct dedup_work *work, const struct dedup_options *options);
/* Removes all that is in there by name, and the directory if it is empty then. */
void dedup_work_remove(const struct dedup_work *work);

/* Files [first, end) of the inputs are this shard's. */
void dedup_work_inputs(const struct dedup_work *work, unsigned shard, size_t *first, size_t *end);
/* Which of `shards` parts a 64-bit hash, or a line of `lines`, belongs to; parts are in order. */
unsigned dedup_work_part(const struct dedup_work *work, uint64_t hash);
unsigned dedup_work_part_of_line(const struct dedup_work *work, uint32_t line, uint32_t lines);

/* Before the first output is begun, so that a later process knows which files there are its own: those of a
 * run that began with none there. */
int dedup_work_begin_output(const struct dedup_work *work);
/* Whether an earlier process has begun this output; what it has left half-written is removed. */
bool dedup_work_takes_up_output(const struct dedup_work *work);

/* A file of the directory, by what it is and its shard. As dedup_table_open and dedup_table_create. */
int dedup_work_load(const struct dedup_work *work, const char *what, unsigned shard,
	enum dedup_table_kind kind, struct dedup_table *table);
int dedup_work_create(const struct dedup_work *work, const char *what, unsigned shard,
	enum dedup_table_kind kind, struct dedup_table_writer *writer);
/* Takes the name from a file that was loaded, which is gone once it is closed. Errors of unlink(2). */
int dedup_work_unname(const struct dedup_work *work, const char *what, unsigned shard);
/* The same of all shards: an array to be freed, by dedup_work_unload. */
int dedup_work_load_all(const struct dedup_work *work, const char *what, enum dedup_table_kind kind,
	struct dedup_table **tables);
void dedup_work_unload(const struct dedup_work *work, struct dedup_table *tables);

#endif
