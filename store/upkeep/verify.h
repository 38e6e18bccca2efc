/*
 * Checks one chunk from the disk up: frame checksums, decoding, and that the bytes are those the id names.
 * Bases come through the decoder (they are checked themselves when their turn comes). One thread a verifier.
 */
#ifndef MITHRIL_STORE_UPKEEP_VERIFY_H
#define MITHRIL_STORE_UPKEEP_VERIFY_H

#include "store/upkeep/upkeep.h"

struct verifier;

struct verifier *verifier_new(const struct parts *parts); /* NULL: no memory */
void verifier_free(struct verifier *verifier);

/* 0 sound; -EBADMSG damaged; -ENOENT the index has no such chunk (any more); -EIO and other errors of
 * pread(2). */
int verify_chunk(struct verifier *verifier, const struct chunk_id *id);

#endif
