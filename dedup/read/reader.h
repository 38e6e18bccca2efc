/*
 * Many files as one sequence of blocks of whole lines, handed out in order to any number of threads. Every
 * line has a number that counts through all files: which thread gets a block does not matter for what is
 * found.
 */
#ifndef MITHRIL_DEDUP_READ_READER_H
#define MITHRIL_DEDUP_READ_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dedup/read/inputs.h"

#define DEDUP_BLOCK (1u << 20)	    /* bytes a block, unless a line is longer */
#define DEDUP_LINE_MAX (64u << 20)  /* bytes a line; longer ones are faults */
#define DEDUP_LINES_MAX 0xfffffff0u /* lines a run */

/* Zero it first; reuse keeps the memory. data[len..] is readable for DEDUP_JSON_PADDING bytes more. */
struct dedup_block {
	char *data; /* lines, each with its '\n', but for the last of a file; or texts with lengths */
	size_t len, capacity;
	const char *why; /* a fault: this block stands for one line that cannot be had, and has no data */
	size_t input;	 /* index of the file */
	uint32_t id;	 /* of the first line, through all files */
	uint64_t line;	 /* of the first line, in its file, from 0 */
	uint32_t lines;
	bool framed; /* texts that a source has put in */
};
/* Makes room for `capacity` bytes of data. -ENOMEM. */
int dedup_block_room(struct dedup_block *block, size_t capacity);
/* Adds a text to a block of a source; NULL is a row without one, which is no record. `len` is at most
 * DEDUP_LINE_MAX. -ENOMEM. */
int dedup_block_add(struct dedup_block *block, const char *text, size_t len);
void dedup_block_release(struct dedup_block *block);

/* Texts that come from elsewhere than a file. They are numbered like lines. */
struct dedup_source {
	/* Adds texts to the empty block, about DEDUP_BLOCK bytes: 1; 0: there are no more. Or sets block->why
	 * and adds nothing: a text that cannot be had. One call at a time, by any thread. Errors are
	 * passed on. */
	int (*next)(void *ctx, struct dedup_block *block);
	void *ctx;
};

struct dedup_reader;
/* `inputs` is kept; files [first, end) of it are read. -ENOMEM. */
int dedup_reader_new(const struct dedup_inputs *inputs, size_t first, size_t end, uint32_t id,
	struct dedup_reader **reader);
void dedup_reader_free(struct dedup_reader *reader);

/* The next block; thread-safe. 1, or 0 at the end. -EOVERFLOW: more lines than DEDUP_LINES_MAX; -ENOMEM;
 * -ESTALE and errors of open(2) and pread(2), about the file *block->input. A compressed file that is damaged
 * is a fault of the line where it is noticed, and the rest of that file is not read. */
int dedup_reader_next(struct dedup_reader *reader, struct dedup_block *block);

/* Bytes on disk that have been read, compressed as they are, of all files together; thread-safe. */
uint64_t dedup_reader_done(struct dedup_reader *reader);

/* Takes the next line from a block: true, and *at moves past it. *line does not have its '\n' (nor a '\r'
 * before it); *whole does. Start with *at = 0. */
struct dedup_line {
	const char *text;
	size_t len, whole;
	bool framed; /* text NULL: no record */
};
bool dedup_block_line(const struct dedup_block *block, size_t *at, struct dedup_line *line);
/* Bytes of the mark that some editors put before a file (U+FEFF), which is no JSON: 3 or 0. */
size_t dedup_line_mark(const struct dedup_line *line);
/* Nothing, or blanks: no record. */
bool dedup_line_is_blank(const struct dedup_line *line);

#endif
