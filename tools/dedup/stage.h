/*
 * mithril-dedup stage NAME, and what goes with memory that is bounded.
 */
#ifndef MITHRIL_TOOLS_DEDUP_STAGE_H
#define MITHRIL_TOOLS_DEDUP_STAGE_H

#include "tools/dedup/options.h"

/* Looks at --memory, --work, --shards and --shard, and gives them the values that they have by default. -1:
 * go on; otherwise an exit code, and what is wrong has been reported. */
int dedup_stage_finish(struct dedup_command *command);

/* Where the inputs are larger than half of the machine's memory, bounds what is used by that half. */
void dedup_stage_choose(struct dedup_options *options);

/* Runs the one stage that the command names. 0 or -errno, with *result as dedup_run has it. */
int dedup_stage_run(const struct dedup_command *command, struct dedup_result *result);

#endif
