/*
 * The value of --method: a list like "near,substring:200".
 */
#ifndef MITHRIL_TOOLS_DEDUP_METHODS_H
#define MITHRIL_TOOLS_DEDUP_METHODS_H

#include "dedup/lib/mithril-dedup.h"

/* Sets what the list names in options that have no method yet; the list is cut up and stays in use. NULL, or
 * what it should be. */
const char *dedup_parse_methods(char *list, struct mithril_dedup_options *options);

#endif
