/*
 * Small files that are encoded together, what they are put into, and what is published of each.
 *
 * packing.c  files to chunks: which begins where, which earlier chunks it may stand on
 * packed.c   one file's recipe
 *
 * The coordinator's: one thread.
 */
#ifndef MITHRIL_STORE_ENCODE_PACKING_H
#define MITHRIL_STORE_ENCODE_PACKING_H

#include "store/encode/private.h"

/* One of the files that are encoded together. */
struct small {
	struct stage_job job;
	uint8_t *bytes;
	size_t len, twin; /* twin: an earlier one with the same bytes, or its own index */
	enum small_kind kind;
	uint64_t digest[2];
	struct small_extents extents;
	uint64_t payload; /* its share of what was appended */
	bool known, first;
	int rc;
};

struct packing {
	struct encoder *encoder;
	struct alike *alike;
	struct file_encoding *carrier;
	struct small *files;
	size_t count;
	uint8_t *arena;
	struct chunk_job *job;	  /* being filled, or NULL */
	size_t from;		  /* the first file that is in it */
	enum small_kind kind;	  /* of its first file */
	struct chunk_id previous; /* chunk of that kind; zero: none */
	struct sketch sketch;
	enum codec_level level;
};

/* Appends file `at`, which is not in an earlier one and not known, to the chunk at hand, or to as many as it
 * takes. 0; -EFBIG it would be in more than SMALL_EXTENTS; errors of packing_finish. */
int packing_put(struct packing *p, size_t at);
/* Encodes the chunk at hand, if there is one, and tells the files where they are in it. Errors of
 * file_collect. */
int packing_finish(struct packing *p);
/* What is published of a file whose extents are known. On success *out is the caller's, for file_release and
 * free after publication, and holds the batch. -ENOMEM, errors of the recipe's builder. */
int packing_publication(struct packing *p, struct small *file, struct stage_publication *publication,
	struct file_encoding **out);

#endif
