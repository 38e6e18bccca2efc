/*
 * What the store tells about itself, as JSON objects that the tools print or the daemon sends. Field names
 * are those of mithril(1).
 */
#ifndef MITHRIL_STORE_REPORT_REPORT_H
#define MITHRIL_STORE_REPORT_REPORT_H

#include <jansson.h>

#include "store/store.h"

/* {"logical_bytes", "stored_bytes" (as du -s --block-size=1 of the store), "staged_bytes", "staged_files",
 * "kept_bytes", "kept_files", "queued_files", "pack_bytes", "kv_bytes", "reserve_bytes", "files",
 * "directories", "chunks", "ratio", "dedup_share", "delta_share", "encode_mib_s_per_core", "decoded_bytes",
 * "pack_bytes_read", "uuid", "version", "path", "read_only"}. logical_bytes: the sizes of all named regular
 * files; reserve_bytes: of the index's directory, what is held for deleting on a full disk, in stored_bytes
 * alone; ratio: logical_bytes by stored_bytes without it; dedup_share: of the bytes that files refer to as
 * chunks, those that need none of their own; delta_share: of the raw bytes of all chunks, those encoded
 * against a base; encode_mib_s_per_core, decoded_bytes, pack_bytes_read: since the store was opened. Walks
 * inodes, recipes and the chunk index: about a second for each million of them. The caller owns the
 * reference; NULL: no memory. */
json_t *report_stats(struct store *store);

/* How one file is kept: {"ino", "size", "state" ("inline", "staged", "encoded", "empty"), "stored_bytes" (its
 * chunks' payload, shared ones counted once here), "new_bytes", "format", "ratio", "segments": [{"name",
 * "dtype", "shape", "offset", "bytes", "chunks", "stored_bytes", "codecs": {"diff": 3, ...}, "base_share",
 * "depth_max", "derived_from": null or {"tensor", "file"}}]}. derived_from: the tensor of another width that
 * this one is computed from, as far as it is found; file null: it is deleted. Bytes outside segments are a
 * segment named "(headers and small tensors)"; new_bytes is what the file added when it was encoded. A chunk
 * that stands in several segments counts in the first. -ENOENT, -EISDIR, -EBADMSG. */
int report_info(struct store *store, uint64_t ino, json_t **out);

#endif
