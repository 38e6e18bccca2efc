/*
 * mithril-dedup report [--json | --html FILE] PLACE
 */
#ifndef MITHRIL_TOOLS_DEDUP_REPORT_H
#define MITHRIL_TOOLS_DEDUP_REPORT_H

#include <stdio.h>

#include "dedup/report/parts.h"

/* argv[0] is "report". An exit code; what is wrong has been reported. */
int dedup_report_run(int argc, char **argv);

/* Reads the record, or reports what is wrong with it: TOOL_OK or an exit code. */
int dedup_report_open(struct dedup_report *report, const char *place);

#endif
