/*
 * mithril-dedup stage NAME
 */
#ifndef MITHRIL_TOOLS_DEDUP_STAGE_H
#define MITHRIL_TOOLS_DEDUP_STAGE_H

#include "tools/dedup/options.h"

/* Whether it can be done with what was asked: -1, or an exit code, and what is wrong has been reported. */
int dedup_stage_check(const struct dedup_command *command);

/* Runs the one stage that the command names. 0 or -errno, with *result as dedup_run has it. */
int dedup_stage_run(const struct dedup_command *command, struct dedup_result *result);

#endif
