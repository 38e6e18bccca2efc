/*
 * ccache reads its configuration from its cache's directory, or from beside it. Moving the cache must not
 * lose what the user has configured.
 */
#ifndef MITHRIL_COMPILERS_CCACHE_H
#define MITHRIL_COMPILERS_CCACHE_H

#include <limits.h>
#include <stdbool.h>

#include "tools/compilers/clients.h"

struct ccache_config {
	char path[PATH_MAX]; /* of the user's configuration; empty: there is none, or $CCACHE_CONFIGPATH names
				it */
	bool placed;	     /* it says where the cache is */
	bool compresses;     /* it says, or the environment does, how to compress */
};

/* Looks in the places of ccache(1): $CCACHE_CONFIGPATH, ~/.ccache (if there), $XDG_CONFIG_HOME or ~/.config.
 */
void ccache_config_read(const char *(*get)(const char *name), struct ccache_config *out);

/* Pure: whether a configuration gives `key` a value. */
bool ccache_config_has(const char *text, const char *key);

#endif
