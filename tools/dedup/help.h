/*
 * What mithril-dedup --help says.
 */
#ifndef MITHRIL_TOOLS_DEDUP_HELP_H
#define MITHRIL_TOOLS_DEDUP_HELP_H

extern const char dedup_help[];

#endif
