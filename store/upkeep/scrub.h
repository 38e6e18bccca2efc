/*
 * The part of scrub that fsck shares.
 */
#ifndef MITHRIL_STORE_UPKEEP_SCRUB_H
#define MITHRIL_STORE_UPKEEP_SCRUB_H

#include "store/upkeep/marks.h"
#include "store/upkeep/upkeep.h"

/* Verifies every chunk, reports the bad ones and adds them to `bad`. 0 or -errno (-EINTR: progress ended it).
 */
int scrub_chunks(const struct parts *parts, const struct fsck_options *options, struct marks *bad);

#endif
