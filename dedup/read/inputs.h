/*
 * The files that are read, in the order in which they were named. Each is read twice (once to look for
 * duplicates, once to copy what stays), so what cannot be read twice, standard input or a pipe, is copied to
 * an unnamed file in $TMPDIR first.
 */
#ifndef MITHRIL_DEDUP_READ_INPUTS_H
#define MITHRIL_DEDUP_READ_INPUTS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "dedup/codec/codec.h"

enum dedup_format {
	DEDUP_FORMAT_AUTO,  /* by name: .txt and .text are text, everything else JSON lines */
	DEDUP_FORMAT_JSONL, /* a record is a line that is a JSON object */
	DEDUP_FORMAT_TEXT,  /* a line is a document */
	DEDUP_FORMAT_TEXTS, /* of a source */
};

struct dedup_source; /* reader.h */

struct dedup_input {
	char *path; /* as it was named; "-" is standard input */
	char *name; /* below the output directory; no "..", no leading slash */
	enum dedup_format format;
	enum dedup_codec codec;
	int spool;     /* the copy of what cannot be read twice; -1: open path */
	uint64_t size; /* on disk; this and the rest tell whether a file is the same when it is read again */
	dev_t dev;
	ino_t ino;
	struct timespec mtime;
	const struct dedup_source *source; /* NULL: it is a file. The caller's */
};

struct dedup_inputs {
	struct dedup_input *v;
	size_t count, capacity;
};

/* Adds a file, standard input ("-"), or the files that a glob pattern matches, sorted, where no file has that
 * name. -ENOENT, -EISDIR a directory, -EEXIST it is there already, -ENOMEM, errors of open(2), read(2) and of
 * writing the copy. */
int dedup_inputs_add(struct dedup_inputs *inputs, const char *pattern, enum dedup_format format);
/* Adds a source, which stands by itself and is read once; `path` names it in messages. -ENOMEM. */
int dedup_inputs_add_source(struct dedup_inputs *inputs, const char *path, const struct dedup_source *source);
/* Adds JSON lines in an unnamed file of the caller's (dedup_spool_open), whose descriptor is taken over,
 * after a failure too; `path` names it in messages. -ENOMEM; errors of fstat(2) and pread(2). */
int dedup_inputs_add_spool(struct dedup_inputs *inputs, const char *path, int fd);
/* An unnamed file in $TMPDIR for reading and writing: its descriptor, the caller's. Errors of open(2). */
int dedup_spool_open(void);
/* Gives each its name: its path below the deepest directory that all of them share, so that in one directory
 * they keep their names. Once, after the last was added. -EEXIST: two would have the same. -ENOMEM. */
int dedup_inputs_name(struct dedup_inputs *inputs);
void dedup_inputs_release(struct dedup_inputs *inputs);

/* A descriptor at its start, the caller's. -ESTALE: it is another file now, or was written to since. Errors
 * of open(2). */
int dedup_input_open(const struct dedup_input *input);

#endif
