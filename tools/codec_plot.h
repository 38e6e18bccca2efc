/*
 * A picture of what each tensor takes, by codec: one bar a tensor, as an SVG file that needs nothing else.
 */
#ifndef MITHRIL_TOOLS_CODEC_PLOT_H
#define MITHRIL_TOOLS_CODEC_PLOT_H

#include <stdio.h>

#include "tools/codec_run.h"

#define CODEC_PLOT_BARS 60u /* the tensors that take most; the others are a line */

/* `title` is what was measured. Errors are left for ferror(3). -ENOMEM. */
int codec_plot(FILE *out, const struct codec_run *run, const char *title);

#endif
