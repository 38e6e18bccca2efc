/*
 * What step.c and step_files.c share: the search for steps of the optimizer in a file.
 */
#ifndef MITHRIL_STORE_ENCODE_STEPS_H
#define MITHRIL_STORE_ENCODE_STEPS_H

#include "store/encode/private.h"

#define STEP_REGION 16384u /* elements in a tensor's middle that stand for it; they lie in one chunk */
#define STEP_NEAR_BITS 12u /* an element may differ by so many */

/* One search: the middles of tensors, and what was found last. */
struct step_search {
	struct file_encoding *file;
	uint8_t *now, *m, *other;
	struct codec_step known[STEPS_KNOWN];
	size_t known_count, known_next;
	size_t first; /* pair of moments that has no weights yet */
};

/* Where the middle of a tensor of f32 begins, in bytes from its start, and how many elements it has. */
uint64_t step_middle(const struct tensor *t, size_t *n);
/* Errors of view.read. */
int step_read(struct step_search *search, size_t t, uint8_t *dst);
/* The chunk that begins with the middle of tensor t as it was in the file that lends bases; NULL: none. */
struct chunk_data *step_before(struct step_search *search, size_t t, const void **bytes);
/* Enters what was found for tensor t; the newest coefficients are tried first for what comes. -ENOMEM. */
int step_found(struct step_search *search, size_t t, const struct tensor_step *found);

/* --- step_files.c --- */

/* Of the `pairs` of moments found, those whose weights lie in other files that were encoded before. -ENOMEM,
 * errors of view.read. */
int step_find_elsewhere(struct step_search *search, size_t pairs);
/* The chunks of the weights of a FIRST, now and before, `at` bytes from the tensor's start. -ENXIO. */
int step_bases_elsewhere(const struct tensor_step *step, uint64_t at, size_t len, struct chunk_id ids[2]);
void step_close_files(struct steps *steps);

#endif
