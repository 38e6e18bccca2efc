/*
 * mithril-dedup clusters [--json] PLACE [FILE:LINE...]
 */
#ifndef MITHRIL_TOOLS_DEDUP_CLUSTERS_H
#define MITHRIL_TOOLS_DEDUP_CLUSTERS_H

/* argv[0] is "clusters". An exit code; what is wrong has been reported. */
int dedup_clusters_run(int argc, char **argv);

#endif
