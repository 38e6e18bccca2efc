/*
 * The read path: chunk id -> raw bytes, verified; and file ranges by recipe.
 *
 * chunk -> record -> frames down to the one that stands alone -> decode upwards -> verify XXH3-128. Decoded
 * chunks are kept in a bounded cache (least recently used, sharded), shared by all readers and by the
 * encoder; one thread decodes a chunk while others that want it wait. A chunk that fails any check is logged
 * with pack and offset, never cached, and gives -EBADMSG, which fs turns into EIO.
 *
 * Any thread. Workspaces are pooled.
 */
#ifndef MITHRIL_STORE_DECODE_DECODE_H
#define MITHRIL_STORE_DECODE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "store/chunks/chunks.h"
#include "store/packs/packs.h"
#include "store/recipes/recipes.h"

struct decoder;
struct chunk_data; /* a pinned entry of the cache */

/* cache_bytes 0: 128 MiB. read_ahead: threads that decode ahead of sequential readers and beside large reads;
 * 0: as many as cores, at most 8. The parts are borrowed until decoder_close, before which all readers are
 * closed and all chunks released. */
int decoder_open(struct chunks *chunks, struct packs *packs, struct recipes *recipes, size_t cache_bytes,
	unsigned read_ahead, struct decoder **out);
void decoder_close(struct decoder *decoder);

/* The raw bytes of a chunk; they stay good until decode_release. -ENOENT no such chunk; -EBADMSG; -EIO;
 * -ENOMEM. */
int decode_chunk(struct decoder *decoder, const struct chunk_id *id, struct chunk_data **out);
const void *chunk_data_bytes(const struct chunk_data *data, size_t *len);
void decode_release(struct decoder *decoder, struct chunk_data *data);

/* A reader of one recipe: for one open file or many; any thread. */
struct reader;
/* -ENOENT, -EBADMSG, -EIO, -ENOMEM. */
int reader_open(struct decoder *decoder, uint64_t recipe, struct reader **out);
void reader_close(struct reader *reader);
uint64_t reader_size(const struct reader *reader);
/* Up to len bytes at off; fewer only at the end. Sequential use starts read-ahead. Bytes read, -EBADMSG (also
 * when the recipe or a chunk of it is missing), -EIO, -ENOMEM. */
ssize_t reader_read(struct reader *reader, void *dst, size_t len, uint64_t off);

/* What reader_pin found: the bytes in order, in memory that stays good until reader_unpin. */
#define READER_PINS 32u
struct reader_pins {
	struct decoder *decoder;
	unsigned count;
	struct iovec parts[READER_PINS];
	struct chunk_data *data[READER_PINS];
	bool cold[READER_PINS];
};
/* reader_read without the copy. Also -ENOBUFS: in too many parts, or a hole is among them; read it. After a
 * failure nothing is pinned. */
ssize_t reader_pin(struct reader *reader, struct reader_pins *pins, size_t len, uint64_t off);
/* The reader may be closed by then, the decoder not. */
void reader_unpin(struct reader_pins *pins);
/* Decodes all chunks, and keeps them while there is room. Errors of reader_read. */
int reader_check(struct reader *reader);
/* Next data or hole at or after off, as lseek(2) SEEK_DATA / SEEK_HOLE (whence). Offset; -ENXIO; -EINVAL;
 * errors of reader_read. */
int64_t reader_seek(struct reader *reader, uint64_t off, int whence);

struct decoder_counts {
	uint64_t chunks_decoded, raw_bytes, cache_hits, failures;
};
void decoder_counts(struct decoder *decoder, struct decoder_counts *out);

#endif
