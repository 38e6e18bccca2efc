/*
 * --against: the second set, whose items must not be in what is kept.
 */
#ifndef MITHRIL_TOOLS_DEDUP_AGAINST_H
#define MITHRIL_TOOLS_DEDUP_AGAINST_H

#include "tools/dedup/options.h"

/* The value of --overlap: any, a share, near or near:J. NULL, or what it should be. */
const char *dedup_overlap_parse(const char *value, struct dedup_command *command);

/* Loads the set into command->dedup.against, which stays NULL where none is asked for; `inputs`, zeroed
 * before, holds its files and must be released after it. An exit code; what is wrong has been reported. */
int dedup_against_open(struct dedup_command *command, struct dedup_inputs *inputs);

#endif
