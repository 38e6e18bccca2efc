/*
 * A report as one page of HTML with plots, which needs nothing beside it.
 */
#ifndef MITHRIL_DEDUP_REPORT_HTML_H
#define MITHRIL_DEDUP_REPORT_HTML_H

#include <stdio.h>

#include "dedup/report/report.h"

/* Writes it, with the `largest` clusters; errors are those of the file (ferror). */
void dedup_report_html(FILE *out, const struct dedup_report *report, size_t largest);

#endif
