/*
 * A column of strings in Arrow record batches: found by name in the schema, checked in each batch, read row
 * by row.
 *
 * What a batch says about itself (numbers of buffers and children, lengths, offsets) is checked; how long its
 * buffers are it does not say, so that nobody can check that.
 */
#ifndef MITHRIL_DEDUP_ARROW_COLUMN_H
#define MITHRIL_DEDUP_ARROW_COLUMN_H

#include <stddef.h>

#include "dedup/arrow/abi.h"

#define ARROW_DEPTH_MAX 64u /* of structs in structs */

enum arrow_strings_kind {
	ARROW_STRINGS,	     /* offsets of 32 bits */
	ARROW_STRINGS_LARGE, /* of 64 bits */
	ARROW_STRINGS_VIEW,
	ARROW_NUMBERS, /* and booleans, and dates and times, which are numbers */
};

/* Where the column is in every batch of a stream. */
struct arrow_column {
	int64_t path[ARROW_DEPTH_MAX]; /* which child, from the batch down */
	size_t depth;		       /* at least 1 */
	enum arrow_strings_kind kind;
	char index; /* of a dictionary: the format's letter, "cCsSiIlL"; 0: no dictionary; of numbers: their
		     * own, "bcCsSiIlLfg" */
};

/* `field` is a column's name, or names with dots between for one in structs; a column that is spelt so itself
 * comes first. -ENOENT: there is no such column; -EINVAL: it is no string, or the stream is not one of record
 * batches; *why is a line in static storage that says so. */
int arrow_column_find(
	struct arrow_column *column, const struct ArrowSchema *schema, const char *field, const char **why);
/* The same for a column of strings, numbers, booleans, dates or times. */
int arrow_column_find_value(
	struct arrow_column *column, const struct ArrowSchema *schema, const char *field, const char **why);

/* An array of strings. */
struct arrow_strings {
	enum arrow_strings_kind kind;
	int64_t offset, length;
	const uint8_t *valid; /* bits; NULL: all are */
	const void *offsets;  /* or views */
	const char *data;
	const void **buffers; /* of views: `buffer_count`, and their lengths */
	const void *lengths;
	int64_t buffer_count;
};

/* The column in one batch; points into it. */
struct arrow_texts {
	int64_t length; /* rows */
	struct {
		const uint8_t *valid;
		int64_t offset;
	} above[ARROW_DEPTH_MAX + 1]; /* the structs that it is in, where some of their rows are null */
	size_t above_count;
	int64_t first; /* the row of `strings`, or of `indices`, that the batch's row 0 is in */
	char index;
	const uint8_t *index_valid;
	const void *indices;
	struct arrow_strings strings;
};

/* -EBADMSG: the batch is not what its schema says; *why says how. */
int arrow_texts_of(struct arrow_texts *texts, const struct arrow_column *column,
	const struct ArrowArray *batch, const char **why);
/* 1, or 0: the row is null. -EBADMSG: its offsets, its index or its view are impossible. 0 <= row < length.
 */
int arrow_texts_at(const struct arrow_texts *texts, int64_t row, const char **text, size_t *len);

#define ARROW_NUMBER 40u
/* Of a column of numbers: 1, or 0: the row is null, or no finite number. The value as JSON has it, a number
 * (dates and times in their column's units), true or false. */
int arrow_number_at(const struct arrow_texts *texts, int64_t row, char json[static ARROW_NUMBER]);

#endif
