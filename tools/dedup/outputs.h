/*
 * Where the files of a run go, from what the command line says of them.
 */
#ifndef MITHRIL_TOOLS_DEDUP_OUTPUTS_H
#define MITHRIL_TOOLS_DEDUP_OUTPUTS_H

#include "tools/dedup/options.h"

/* Sets what of command->dedup follows from --output and was not given. -1: go on; otherwise an exit code, and
 * what is wrong has been reported. */
int dedup_choose_outputs(struct dedup_command *command);
/* Of inputs that go into one file: TOOL_OK, or an exit code, and what is wrong has been reported. */
int dedup_check_single(const struct dedup_command *command, const struct dedup_inputs *inputs);

#endif
