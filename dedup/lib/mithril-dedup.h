/*
 * libmithril-dedup: exact and near duplicates among the rows of Arrow record batches. The rows that Parquet,
 * pandas, Polars or DuckDB hold come in through the Arrow C stream interface; a mask of the rows that stay,
 * what each of the others goes for, or a stream of the rows that stay comes out.
 *
 *	struct mithril_dedup_options options;
 *	struct mithril_dedup *dedup;
 *
 *	mithril_dedup_defaults(&options, sizeof options);
 *	options.threshold = 0.7;
 *	if (mithril_dedup_new(&options, &dedup) || mithril_dedup_run(dedup, &stream))
 *		puts(mithril_dedup_error(dedup));
 *	else
 *		use(mithril_dedup_mask(dedup), mithril_dedup_rows(dedup));
 *	mithril_dedup_free(dedup);
 *
 * A handle is for one thread at a time. Functions return 0 or a negative errno. The options mean what those
 * of mithril-dedup(1) with the same names mean; rows take the place of lines, and are numbered from 0
 * through all batches.
 */
#ifndef MITHRIL_DEDUP_LIB_H
#define MITHRIL_DEDUP_LIB_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mithril_dedup;
struct ArrowArrayStream; /* of the Arrow C stream interface */

enum mithril_dedup_method { MITHRIL_DEDUP_NEAR, MITHRIL_DEDUP_EXACT };
enum mithril_dedup_keep { MITHRIL_DEDUP_KEEP_FIRST, MITHRIL_DEDUP_KEEP_LONGEST };
enum mithril_dedup_sketch { MITHRIL_DEDUP_FAST, MITHRIL_DEDUP_PERMUTATIONS };
enum mithril_dedup_normalise { MITHRIL_DEDUP_NFC = 1, MITHRIL_DEDUP_LOWER = 2, MITHRIL_DEDUP_PUNCT = 4 };

struct mithril_dedup_options {
	uint32_t size;	      /* of this structure, as mithril_dedup_defaults was told */
	uint32_t method;      /* enum mithril_dedup_method */
	const char *field;    /* a column of strings; names with dots between for one in structs. Copied */
	double threshold;     /* above 0, at most 1 */
	uint32_t normalise;   /* of enum mithril_dedup_normalise */
	uint32_t ngram;	      /* words a shingle, 1 to 64 */
	uint32_t sketch;      /* enum mithril_dedup_sketch */
	uint32_t values;      /* of a sketch, 1 to 1024 */
	uint32_t bands, rows; /* 0: from the threshold */
	uint32_t keep;	      /* enum mithril_dedup_keep */
	uint32_t threads;     /* 1 to 256 */
	uint32_t skip;	      /* rows that are no text (invalid UTF-8, over 64 MiB): 0: an error; 1: go */
	uint32_t stream;      /* 1: batches are kept in memory, for mithril_dedup_stream */
};

struct mithril_dedup_result {
	uint64_t rows, documents; /* all, and those that are not null */
	uint64_t text_bytes;
	uint64_t exact, near;	       /* texts that go */
	uint64_t candidates, rejected; /* pairs compared, and those below the threshold */
	uint64_t bad;		       /* rows that are no text */
	uint64_t kept;		       /* rows that stay, null ones too */
	uint64_t memory;	       /* bytes of tables and shingles at most */
	double seconds;
};

enum mithril_dedup_how {
	MITHRIL_DEDUP_STAYS,
	MITHRIL_DEDUP_NULL,    /* no text; the row stays */
	MITHRIL_DEDUP_BAD,     /* goes: it is no text */
	MITHRIL_DEDUP_SAME,    /* goes: its keeper has the same text */
	MITHRIL_DEDUP_SIMILAR, /* goes: its keeper has a similar one */
};

#define MITHRIL_DEDUP_API __attribute__((visibility("default")))

/* "0.1.0"; static storage. */
MITHRIL_DEDUP_API const char *mithril_dedup_version(void);

/* Sets what the caller's header knows of; `size` is sizeof *options there. */
MITHRIL_DEDUP_API void mithril_dedup_defaults(struct mithril_dedup_options *options, size_t size);
/* *dedup is set also after a failure but -ENOMEM, for mithril_dedup_error. -EINVAL: an option is out of its
 * range. */
MITHRIL_DEDUP_API int mithril_dedup_new(
	const struct mithril_dedup_options *options, struct mithril_dedup **dedup);
/* NULL is fine. */
MITHRIL_DEDUP_API void mithril_dedup_free(struct mithril_dedup *dedup);
/* What was wrong with the last call, in one line; "" where nothing was. Lives as long as the handle. */
MITHRIL_DEDUP_API const char *mithril_dedup_error(const struct mithril_dedup *dedup);

/* Reads the stream of record batches to its end and decides; once for a handle. The stream is taken over and
 * its release pointer set to NULL, whatever happens; it may be called from other threads than this one, one
 * at a time. -ENOENT: no such column; -EINVAL: it is no string (utf8, large_utf8, utf8_view, or a dictionary
 * of them), or this was called before; -EBADMSG: a row is no text, or a batch is not what its schema says;
 * -EOVERFLOW: over 4,294,967,280 rows; -ENOMEM; errors of the stream. */
MITHRIL_DEDUP_API int mithril_dedup_run(struct mithril_dedup *dedup, struct ArrowArrayStream *stream);

/* After mithril_dedup_run; before, or after it failed, these say that there are no rows. */
MITHRIL_DEDUP_API void mithril_dedup_get_result(
	const struct mithril_dedup *dedup, struct mithril_dedup_result *result);
MITHRIL_DEDUP_API uint64_t mithril_dedup_rows(const struct mithril_dedup *dedup);
/* A bit for each row, lowest bit of a byte first (the data buffer of an Arrow array of booleans): 1 for one
 * that stays. Lives as long as the handle. NULL: there are no rows. */
MITHRIL_DEDUP_API const uint8_t *mithril_dedup_mask(const struct mithril_dedup *dedup);
/* What became of `count` rows from `first` on, into arrays of the caller's, each of which may be NULL: how
 * (enum mithril_dedup_how), the row that stays for it (itself where it stays), and how similar that one is.
 * -ERANGE: there are no such rows. */
MITHRIL_DEDUP_API int mithril_dedup_fates(const struct mithril_dedup *dedup, uint64_t first, uint64_t count,
	uint8_t *how, uint32_t *keeper, float *similarity);
/* The rows that stay as a stream of record batches with the schema that they came with, once, and only with
 * options.stream. *stream is the caller's to release and outlives the handle. -EINVAL: there is none;
 * -EOPNOTSUPP: a column is a union, run-end encoded or a view of lists; -ENOMEM. */
MITHRIL_DEDUP_API int mithril_dedup_stream(struct mithril_dedup *dedup, struct ArrowArrayStream *stream);

#ifdef __cplusplus
}
#endif

#endif
