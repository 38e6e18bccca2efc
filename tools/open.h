/*
 * From what a user names (a mount point, a file below one, a store) to the store: by way of the daemon that
 * has it open, or directly.
 */
#ifndef MITHRIL_TOOLS_OPEN_H
#define MITHRIL_TOOLS_OPEN_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>

#include "store/store.h"
#include "tools/tool.h"

struct open_target {
	const char *argument; /* what the user named; the caller's */
	char store[PATH_MAX];
	bool live; /* a daemon has it and answers */
};

/* tool_parse of a command whose one argument is MNT|STORE, and what that means. -1: go on; otherwise the
 * command ends now with that exit code, and what is wrong has been reported. */
int open_parse(const struct tool *tool, int argc, char **argv, const struct option *options,
	bool (*option)(void *ctx, int val, const char *value), void *ctx, struct open_target *target);
/* What MNT means, or anything below it. TOOL_OK, or the exit code of an error that has been reported. */
int open_mount(const char *argument, struct open_target *target);

/* Whether the store is on a read-only disk or snapshot, where a daemon keeps no socket: a store that is
 * mounted there can be read beside it. */
bool open_is_unwritable(const char *store);
/* As open_mount, for what only reads: also a target that is not live, on such a disk. */
int open_mount_to_read(const char *argument, struct open_target *target);

/* Opens a store that no daemon has. TOOL_OK, or the exit code of an error that has been reported. */
int open_store(const char *path, const struct store_options *options, struct store **store);

/* Asks the daemon; `line` as control_call. TOOL_OK, or the exit code of an error that has been reported. */
int open_call(const struct open_target *target, const char *request, void (*line)(void *ctx, json_t *object),
	void *ctx);
/* A `line` for it: keeps the first object in the json_t * that ctx points to, which was NULL; the caller
 * frees it. */
void open_keep(void *ctx, json_t *object);
/* An integer of an answer; 0 where there is none. */
uint64_t open_number(const json_t *answer, const char *name);

#endif
