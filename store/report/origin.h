/*
 * Where tensors that are kept as derived come from.
 */
#ifndef MITHRIL_STORE_REPORT_ORIGIN_H
#define MITHRIL_STORE_REPORT_ORIGIN_H

#include "store/store.h"

struct origin {
	/* asked: elements of the tensor and their width; one of its derived chunks, by its first element; the
	 * first of the chunks that it stands on */
	uint64_t elements, at;
	size_t width;
	struct chunk_id base;
	/* told: recipe 0 and NULL where nothing was found; the texts are the caller's to free */
	uint64_t recipe, ino;
	char *tensor, *path; /* path NULL: of a file that has no name any more */
};

/* Fills in what is known of each: looks among the newest files with tensors of as many elements of the other
 * width for one that has just that chunk at that place. Walks all inodes and entries once if anything was
 * found. 0, also when nothing is known; -ENOMEM, -EIO. */
int origins_find(struct store *store, struct origin *origins, size_t count);

#endif
