/*
 * What mithril-dedup says at the end.
 */
#ifndef MITHRIL_TOOLS_DEDUP_SUMMARY_H
#define MITHRIL_TOOLS_DEDUP_SUMMARY_H

#include "tools/dedup/options.h"

/* Five lines on standard output. */
void dedup_summary_print(const struct dedup_command *command, const struct dedup_result *result);
/* One JSON object. */
void dedup_summary_json(const struct dedup_command *command, const struct dedup_result *result);

#endif
