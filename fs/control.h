/*
 * The control socket STORE/control (mode 0600): how tools speak to the daemon that has the store open.
 *
 * One connection, one request: a line of words. The answer is lines, each one JSON object, the last of which
 * is
 * {"done": true} or {"error": errno, "message": "..."}; then the connection is closed.
 *
 *   ping          {"pid", "mountpoint", "passthrough", "version"}
 *   stats         report_stats, and "requests": meter_json
 *   info INO      report_info
 *   sync          {"files_left", "bytes_left"} about every 200 ms; done when all closed files are encoded
 *                 and durable
 *   gc [PERCENT]  {"phase", "share"}, at last {"recipes_purged", "chunks_removed", ..., "bytes_after"};
 *                 waits for a collection under way
 *   scrub         {"phase", "share"}, {"finding": text}, at last {"bad_chunks"}
 *
 * Of caches, directories with the cache profile (store/names). INO is the inode number of one, or of a
 * directory below one, and then only what is below it counts; 0: of all.
 *
 *   cache-stats           a cache each: {"ino", "path", "max_size", "files", "bytes", "stored_bytes",
 *                         "groups"}, and since the daemon's start {"hits", "misses", "evicted_groups",
 *                         "evicted_bytes", "quarantined"}
 *   cache-list INO        a group each, least recently used first: {"path", "files", "bytes", "last_use",
 *                         "kind", "names"}
 *   cache-prune INO BYTES {"phase", "share"}; evicts until BYTES are left in each cache; at last
 *                         {"evicted_groups", "evicted_files", "evicted_bytes", "busy_groups", "bytes"}
 *   cache-verify INO      {"phase", "share"}, {"finding", "path"}, at last {"files", "bytes", "damaged",
 *                         "quarantined"}
 *
 * A client that hangs up ends its sync, gc, scrub, prune or verify.
 */
#ifndef MITHRIL_FS_CONTROL_H
#define MITHRIL_FS_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/store.h"

#define CONTROL_NAME "control"

/* The daemon's side. */
struct control;
struct drops;
struct keeper;
struct meter;
int control_start(struct store *store, struct drops *drops, struct keeper *keeper, const struct meter *meter,
	const char *mountpoint, bool passthrough, struct control **out);
/* Ends requests under way, waits for them, removes the socket. NULL is fine. */
void control_stop(struct control *control);

/* The tools' side (fs/control_client.c). */

/* Sends `request` to the daemon of the store in directory `store`; `line` (may be NULL) gets each object but
 * the last; it is the caller's for the time of the call. 0; -ECONNREFUSED or -ENOENT no daemon has it;
 * -EACCES not your store; -EPIPE the daemon went away; -EBADMSG not an answer; else the daemon's -errno,
 * whose message is logged unless it is the number's own. */
int control_call(const char *store, const char *request, void (*line)(void *ctx, json_t *object), void *ctx);

/* The store of the Mithril mount that `path` (a mount point or anything below it) is on, copied to dst.
 * -ENOTTY it is not on a Mithril mount; -ENOBUFS; -errno. Works while the daemon is dead only when `path` is
 * the mount point itself. */
int control_store_of(const char *path, char *dst, size_t capacity);

#endif
