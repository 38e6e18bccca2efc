/*
 * A file that is there as a whole or not at all: written under another name, made durable, and renamed.
 */
#ifndef MITHRIL_DEDUP_WRITE_OUTFILE_H
#define MITHRIL_DEDUP_WRITE_OUTFILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dedup/codec/codec.h"
#include "dedup/read/inputs.h"

#define DEDUP_FILE_IS_THERE "the file is there already" /* why an output is not begun, without force */

struct dedup_outfile {
	char path[PATH_MAX], temporary[PATH_MAX];
	int fd;				 /* -1: not open */
	bool is_there;			 /* the temporary file */
	const struct dedup_coder *coder; /* NULL: as it is */
	void *state;
	uint8_t *buffer; /* what waits to be written */
	size_t len;
	uint8_t *pieces; /* small ones that wait for the coder */
	size_t pieces_len;
	uint64_t off;
};

/* Whether a file may be put at dir/name (dir NULL: name is the path). 0; -EEXIST: it is one of the inputs
 * (*is_input), or there is a file and `force` is not given; -EISDIR; -ENAMETOOLONG. */
int dedup_outfile_check(
	const char *dir, const char *name, const struct dedup_inputs *inputs, bool force, bool *is_input);

/* Begins dir/name; directories of `name` below `dir` are made, and `dir` itself. `file` is set, for
 * dedup_outfile_drop, also after a failure. -ENOMEM, errors of mkdir(2) and open(2). */
int dedup_outfile_open(struct dedup_outfile *file, const char *dir, const char *name, enum dedup_codec codec);
/* -ENOSPC and other errors of pwrite(2), -ENOMEM. */
int dedup_outfile_write(struct dedup_outfile *file, const char *data, size_t len);
/* For a file without a coder that is written by many threads: the place of the next `len` bytes, for one
 * thread at a time; and bytes put into such a place, by any. Nothing else writes that file. As
 * dedup_outfile_write. */
uint64_t dedup_outfile_claim(struct dedup_outfile *file, size_t len);
int dedup_outfile_put_at(const struct dedup_outfile *file, uint64_t off, const char *data, size_t len);
/* Nothing more follows: writes what waits, and fsync(2). As dedup_outfile_write. */
int dedup_outfile_finish(struct dedup_outfile *file);
/* Gives it its name, durably. -EEXIST: another is there now, and not `force`. Errors of rename(2). */
int dedup_outfile_publish(struct dedup_outfile *file, bool force);
/* Removes what process `pid` has left of it, if that was killed. */
void dedup_outfile_remove_left(const char *dir, const char *name, uint64_t pid);
/* Closes, and removes what has not been published. A zeroed one is fine. */
void dedup_outfile_drop(struct dedup_outfile *file);

#endif
