/*
 * Small files of caches: many to a chunk. Part of private.h, for the files of store/encode and the tests.
 */
#ifndef MITHRIL_STORE_ENCODE_SMALL_H
#define MITHRIL_STORE_ENCODE_SMALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/encode/encode.h"

struct file_encoding;

/* --- kind.c --- */

/* Of small files: those of a kind have bytes in common. The order is that in which they stand together. */
enum small_kind {
	SMALL_ELF, /* shared objects */
	SMALL_CUBIN,
	SMALL_PICKLE, /* FX graphs */
	SMALL_SOURCE, /* C++, Python */
	SMALL_IR,     /* ttir, ttgir, llir */
	SMALL_PTX,
	SMALL_JSON,
	SMALL_OTHER,
	SMALL_KINDS
};
enum small_kind small_kind_of(const uint8_t *bytes, size_t len);

/* --- alike.c --- */

#define SKETCH_MAX 512u
#define ALIKE_CHUNKS 1024u

/* Hashes of places that the content chooses: bytes in common make hashes in common. */
struct sketch {
	uint64_t marks[SKETCH_MAX];
	unsigned count;
};
/* Pure. */
void sketch_take(struct sketch *sketch, const uint8_t *bytes, size_t len);

/* The sketches of chunks, the oldest of like ones first. In memory only: a hint. One thread. */
struct alike;
struct alike *alike_new(void); /* NULL: no memory */
void alike_free(struct alike *alike);
void alike_add(struct alike *alike, const struct chunk_id *id, const struct sketch *sketch);
/* Up to `capacity` chunks, those with most in common last. What they cost to decode, as `chunks` has it,
 * keeps within bounds; those that are gone are forgotten. */
unsigned alike_find(struct alike *alike, struct chunks *chunks, const struct sketch *sketch,
	struct chunk_id *ids, unsigned capacity);

/* --- known.c --- */

/* Enters a small file's bytes under their digest into the index, by the recipe that is built. `first`: it is
 * the first of a chunk, and is found by small_chunks_recent. -EINVAL, -ENOMEM. */
int small_enter(struct recipe_builder *builder, uint64_t digest[2], uint64_t size, bool first);
/* The extents of a file that has just these bytes already, its chunks pinned (the caller unpins). 1; 0 none,
 * or no longer; -ENOMEM. */
#define SMALL_EXTENTS 16u
struct small_extents {
	struct extent list[SMALL_EXTENTS];
	unsigned count;
};
int small_find(struct encoder *encoder, const uint64_t digest[2], const uint8_t *bytes, size_t len,
	struct small_extents *found);
/* Takes the newest chunks of small files into `alike`, the oldest of them first. */
void small_chunks_recent(struct encoder *encoder, struct alike *alike);

/* --- pool.c --- */

#define POOL_FILES 256u
#define POOL_BYTES (8u << 20)
#define POOL_FILE_MAX (2u << 20)

/* Jobs that wait for more: until no more has come for a moment, so that a compiler that is at work is left
 * the processors, and files that are like each other come together. What goes then is searched through for
 * longer than what fills a pool, or what a sync waits for. */
struct pool {
	struct stage_job jobs[POOL_FILES];
	size_t count;
	uint64_t bytes, since_ms, last_ms; /* the first and the last of them came */
	uint64_t closed_until_ms;	   /* something went wrong: until then files go alone */
	struct alike *alike;		   /* made at the first use */
};
/* Whether the file is one of those. */
bool pool_wants(const struct pool *pool, const struct stage_job *job);
/* The job is the pool's. */
void pool_add(struct pool *pool, const struct stage_job *job);
bool pool_is_full(const struct pool *pool);
/* Pure: whether no more has come for five quiet times (at most five seconds), or the first came a minute ago.
 */
bool pool_has_waited(const struct pool *pool, unsigned quiet_ms, uint64_t now_ms);
/* Or somebody waits for it. */
bool pool_is_due(const struct pool *pool, struct stage *stage);
/* Encodes all: publications[0..*count) and their files are set, those that failed are given back. *files and
 * the carrier, which holds the chunks, are for file_release and free after publication. The pool is empty
 * then. */
void pool_encode(struct encoder *encoder, struct pool *pool, struct stage_publication *publications,
	struct file_encoding **files, size_t *count, struct file_encoding **carrier);
/* Gives all back. */
void pool_release(struct encoder *encoder, struct pool *pool);

#endif
