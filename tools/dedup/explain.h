/*
 * mithril-dedup explain FILE:LINE FILE:LINE
 */
#ifndef MITHRIL_TOOLS_DEDUP_EXPLAIN_H
#define MITHRIL_TOOLS_DEDUP_EXPLAIN_H

#include "tools/dedup/options.h"

/* An exit code; what is wrong has been reported. */
int dedup_explain_run(struct dedup_command *command);

#endif
