/*
 * A run in stages, each of which takes what lies in the work directory, and leaves there what the next one
 * needs: the same answer as in memory, in the memory that options->memory says and little more.
 *
 * sketch    a shard's records -> hashes of their texts, and bands, sorted
 * band      a shard of all hashes and keys -> which lines have one text, and which share a band
 * group     all of these -> the line that stays of each text; lines that bands connect, directly or not
 * gather    a shard's records that bands connect to others -> their shingles, sorted by what they hang
 *           together with
 * verify    a shard of these -> who is taken in by whom, as dedup_near says it
 * cluster   all of these -> the outcome
 *
 * What is not connected by bands cannot become each other's duplicates, so a connected part is worked on by
 * itself; one that is larger than the memory, block by block.
 *
 * Each: 0 when it is done, also before. -ENOENT: what an earlier stage leaves is missing; -ESTALE: an input
 * was changed, or the directory is another run's; -EBUSY: another process is at it; -E2BIG: the memory is too
 * little for so many lines; -EBADMSG: a file there is damaged, or a record is, and then result->fault says
 * which one; -EINTR, -ENOMEM, errors of files.
 */
#ifndef MITHRIL_DEDUP_STAGES_H
#define MITHRIL_DEDUP_STAGES_H

#include "dedup/dedup.h"
#include "dedup/outcome.h"
#include "dedup/work.h"

int dedup_stage_sketch(const struct dedup_work *work, unsigned shard, struct dedup_result *result);
int dedup_stage_band(const struct dedup_work *work, unsigned shard, struct dedup_result *result);
int dedup_stage_group(const struct dedup_work *work, struct dedup_result *result);
int dedup_stage_gather(const struct dedup_work *work, unsigned shard, struct dedup_result *result);
int dedup_stage_verify(const struct dedup_work *work, unsigned shard, struct dedup_result *result);
int dedup_stage_cluster(const struct dedup_work *work, struct dedup_result *result);
/* A shard's files without what goes, into options->output; with the first shard options->duplicates too.
 * options->on_error is not DEDUP_QUARANTINE where there are more shards. As dedup_filter. */
int dedup_stage_filter(const struct dedup_work *work, unsigned shard, struct dedup_result *result);

/* All of them but the last, one after the other. */
int dedup_stages_run(const struct dedup_work *work, struct dedup_result *result);

/* Reads what the last stage has left into an initialised outcome, and what all of them have counted
 * into result. */
int dedup_stages_outcome(
	const struct dedup_work *work, struct dedup_outcome *outcome, struct dedup_result *result);

/* Where neither an input nor a path is to blame for error `rc`, says in result that it is the directory, or
 * the memory, and why. Returns rc. */
int dedup_stages_blame(const struct dedup_work *work, int rc, struct dedup_result *result);

#endif
