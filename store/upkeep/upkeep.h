/*
 * Upkeep: space comes back, and damage is found.
 *
 * gc: purge dead recipes; mark every chunk that a recipe refers to; get what lives off bases that do not
 * (each chunk is encoded anew against the best of what lives at the same place of the same tensor, or alone,
 * where that shrinks the store); records of what is neither marked nor pinned go; packs whose dead share is
 * above a threshold are rewritten by moving the live frames, and unlinked. Order as everywhere: packs
 * durable, then the batch that refers to them (durable), then removal. On a full disk, where nothing can be
 * moved, the dead ranges of packs are punched out. Works while mounted; a reader whose chunk changed its
 * place between two looks looks again. Memory: 43 to 86 bytes a live chunk (256 KiB of a tensor), 80 for each
 * that stands on a dead base.
 */
#ifndef MITHRIL_STORE_UPKEEP_UPKEEP_H
#define MITHRIL_STORE_UPKEEP_UPKEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/encode/encode.h"
#include "store/stage/stage.h"

/* The parts of an open store (store/store.h opens and owns them). */
struct parts {
	const char *path; /* of the store's directory */
	struct kv *kv;
	struct names *names;
	struct packs *packs;
	struct chunks *chunks;
	struct recipes *recipes;
	struct decoder *decoder;
	struct stage *stage;	 /* NULL when read-only */
	struct encoder *encoder; /* NULL when read-only */
};

struct gc_result {
	uint64_t recipes_purged, chunks_removed, chunks_rebased, frames_moved, packs_removed;
	uint64_t files_restaged; /* small files to be packed anew: the next collection has what they leave */
	uint64_t bytes_before, bytes_after; /* of all packs */
};
/* One collection at a time (-EBUSY). dead_percent: packs with at least that share of dead bytes are rewritten
 * (0: 5). progress may be NULL: called with a phase name and a share 0..1; non-zero ends it early with
 * -EINTR, leaving a sound store. */
int gc_run(const struct parts *parts, unsigned dead_percent,
	int (*progress)(void *ctx, const char *phase, double share), void *ctx, struct gc_result *result);

/* The background thread. Every 5 s it looks whether there are dead recipes, and collects: at once when less
 * than 5 % of the disk is free; when what they added is 64 MiB or more and a tenth of the packs, as soon as
 * nothing waits for the encoder (or after 10 minutes); otherwise when nothing has waited for 30 s. */
struct upkeep;
int upkeep_start(const struct parts *parts, struct upkeep **out);
void upkeep_stop(struct upkeep *upkeep);

/* fsck: checks that every record decodes, entries and link counts agree, recipes cover their files, chunks
 * and bases exist, frames have sound headers and lie inside their packs, staged files and staged inodes
 * agree, raw copies that are kept fit their records; with `data` every frame is decoded and verified, and
 * every kept copy compared. Each finding is passed to `report` as one line; `repair` also fixes what loses
 * nothing (link counts, leaked staging files, a lost chunk index: rebuilt from packs). Number of findings
 * (not repaired ones), or -errno. */
struct fsck_options {
	bool data, repair;
	int (*progress)(void *ctx, const char *phase, double share);
	void (*report)(void *ctx, const char *line);
	void *ctx;
};
int64_t fsck_run(const struct parts *parts, const struct fsck_options *options);

/* scrub: decodes and verifies every live chunk, while mounted. Reports the files that are hurt, by chunk.
 * Number of bad chunks, or -errno. */
int64_t scrub_run(const struct parts *parts, const struct fsck_options *options);

#endif
