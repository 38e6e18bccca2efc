/*
 * The compilers whose caches Mithril keeps: how each is told where its cache is, and what its artifacts
 * depend on. The one table of it is in clients.c; mithril-cache(1) shows it.
 */
#ifndef MITHRIL_COMPILERS_CLIENTS_H
#define MITHRIL_COMPILERS_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/compilers/fingerprint.h"

#define CLIENT_VARIABLES 4u

/* An environment variable. */
struct client_variable {
	const char *name;
	const char *below; /* the cache's directory, or this below it ("": itself); NULL: `value` */
	const char *value;
};

struct client {
	const char *name;	/* of its directory: "inductor" */
	const char *components; /* of the fingerprint, that its artifacts depend on; "": its keys hold
				   everything */
	struct client_variable variables[CLIENT_VARIABLES];
};

extern const struct client clients[];
extern const size_t client_count;

/* By name; NULL. */
const struct client *client_find(const char *name, size_t len);

/* The variable by which the user has placed this cache, so that it is left alone; NULL: they have not. Only
 * variables that place count, those with a value do not. `get` is as getenv(3). */
const char *client_placed(const struct client *client, const char *(*get)(const char *name));

/* What the caller does with each setting; `value` is its only for the time of the call. */
typedef void client_setting(void *ctx, const char *name, const char *value);

/* The settings that put this cache into `dir`, without those that the environment has already. 0;
 * -ENAMETOOLONG. */
int client_settings(const struct client *client, const char *dir, const char *(*get)(const char *name),
	client_setting *each, void *ctx);

#endif
