/*
 * libmithril-dedup: what mithril-dedup(1) does, for other programs. The rows that Parquet, pandas, Polars or
 * DuckDB hold come in through the Arrow C stream interface; a mask of the rows that stay, what each of the
 * others goes for, what is cut out of texts, or a stream of the rows that stay comes out. Or files come in,
 * and files come out.
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
 * through all batches, or all files.
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

enum mithril_dedup_method {
	MITHRIL_DEDUP_NEAR, /* exact ones too */
	MITHRIL_DEDUP_EXACT,
	MITHRIL_DEDUP_SIMHASH, /* exact ones too */
	MITHRIL_DEDUP_STREAM,
};
enum mithril_dedup_keep {
	MITHRIL_DEDUP_KEEP_FIRST,
	MITHRIL_DEDUP_KEEP_LONGEST,
	MITHRIL_DEDUP_KEEP_NEWEST, /* by keep_by, a date or a number */
	MITHRIL_DEDUP_KEEP_BEST,   /* by keep_by, a number */
	MITHRIL_DEDUP_KEEP_PREFER, /* of the files that match keep_by, globs with commas between */
};
enum mithril_dedup_sketch { MITHRIL_DEDUP_FAST, MITHRIL_DEDUP_PERMUTATIONS };
enum mithril_dedup_normalise { MITHRIL_DEDUP_NFC = 1, MITHRIL_DEDUP_LOWER = 2, MITHRIL_DEDUP_PUNCT = 4 };
enum mithril_dedup_overlap { MITHRIL_DEDUP_ANY, MITHRIL_DEDUP_SHARE, MITHRIL_DEDUP_JACCARD };
enum mithril_dedup_on_error { MITHRIL_DEDUP_STOP, MITHRIL_DEDUP_SKIP, MITHRIL_DEDUP_QUARANTINE };
enum mithril_dedup_format { MITHRIL_DEDUP_AUTO, MITHRIL_DEDUP_JSONL, MITHRIL_DEDUP_TEXT };

/* All that mithril-dedup(1) can be told, which fills this structure too. Strings are copied; NULL is none.
 * Where 0 stands for a default, that is said. */
struct mithril_dedup_options {
	uint32_t size; /* of this structure, as mithril_dedup_defaults was told */
	/* What is compared. */
	uint32_t format;     /* enum mithril_dedup_format: of files */
	const char *field;   /* a column of strings; names with dots between for one in structs */
	uint32_t normalise;  /* of enum mithril_dedup_normalise */
	uint32_t ngram;	     /* words a shingle, 1 to 64 */
	uint32_t characters; /* 1: they are characters */
	/* What is looked for. */
	uint32_t method;	    /* enum mithril_dedup_method */
	const char *exact_field;    /* what exact duplicates share; NULL: the text */
	uint64_t line, paragraph;   /* bytes from which on they are cut; 0: they are not */
	uint64_t substring;	    /* the same, 16 to 4096 */
	uint64_t substring_words;   /* instead: so many words, 2 to 512 */
	double drop;		    /* above 0, below 1: nothing is cut; rows go of which more would be */
	double threshold;	    /* at most 1; 0: 0.8, with SIMHASH any */
	uint32_t distance;	    /* SIMHASH: bits, at most 16 */
	uint32_t sketch;	    /* enum mithril_dedup_sketch */
	uint32_t values;	    /* of a sketch, 1 to 1024 */
	uint32_t bands, rows;	    /* 0: from the threshold */
	uint32_t keep;		    /* enum mithril_dedup_keep */
	const char *keep_by;	    /* a column, or globs */
	uint64_t expect;	    /* STREAM: texts at most */
	double false_positives;	    /* STREAM: above 0, below 1 */
	const char *const *against; /* `against_count` files or patterns: the second set */
	uint64_t against_count;
	const char *against_field; /* NULL: as `field` */
	uint32_t overlap;	   /* enum mithril_dedup_overlap */
	uint32_t overlap_ngram;	   /* 1 to 64 */
	double overlap_least;	   /* SHARE, JACCARD: at most 1; 0 with JACCARD: as threshold */
	/* How. */
	uint32_t threads;  /* 1 to 256 */
	uint32_t on_error; /* enum mithril_dedup_on_error: of what is no text (invalid UTF-8, over 64 MiB) */
	uint64_t memory;   /* bytes that tables and buffers take, the rest is in $TMPDIR or `work`; 0: all,
			    * or, for files that are larger, half of the machine's */
	const char *work;  /* for files */
	uint32_t shards;   /* 0: 1 */
	/* What comes out. */
	uint32_t stream;    /* 1: batches are kept in memory, for mithril_dedup_stream */
	const char *output; /* for files: a directory, or one file */
	uint32_t force;	    /* 1: files that are there may be replaced; inputs never are */
	uint32_t no_record; /* 1: of a run with output nothing is left for reports */
	const char *duplicates, *clusters, *mask, *quarantine, *record; /* files, but for `record` */
	/* Both may be NULL, and are called by one thread at a time. Progress: the stage, in static storage,
	 * and how much of it is done; what it returns, if not 0, ends the run with -EINTR. Fault: what is no
	 * text, in order, unless the first ends the run. */
	int (*progress)(void *ctx, const char *stage, uint64_t done, uint64_t of);
	void (*fault)(void *ctx, const char *file, uint64_t line, const char *why);
	void *ctx;
};

struct mithril_dedup_result {
	uint64_t rows, documents; /* all, and those that are not null */
	uint64_t text_bytes;
	uint64_t against;	       /* documents that go because they hit the second set */
	uint64_t exact, near;	       /* texts that go */
	uint64_t candidates, rejected; /* pairs compared, and those below the threshold */
	uint64_t cut, cut_bytes;       /* documents that something is cut out of, and how much */
	uint64_t cut_away;	       /* documents that go because too little would be left */
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
	MITHRIL_DEDUP_SHARES,  /* goes: it shares a band with an earlier one (STREAM) */
	MITHRIL_DEDUP_HITS,    /* goes: it hits the second set */
	MITHRIL_DEDUP_REPEATS, /* goes: what it has stands in earlier ones */
};

/* Bytes [from, to) of a row's text. */
struct mithril_dedup_cut {
	uint32_t row, from, to;
};

/* Of two texts; MITHRIL_DEDUP_SIMHASH goes by the distance. */
struct mithril_dedup_explanation {
	uint64_t bytes[2], words[2], shingles[2]; /* shingles: distinct */
	uint64_t common;			  /* shingles */
	double jaccard;
	uint32_t same; /* 1: byte for byte */
	uint32_t distance;
	uint32_t values, values_equal, bands, bands_equal; /* of their sketches */
};

#define MITHRIL_DEDUP_API __attribute__((visibility("default")))

/* "0.1.0"; static storage. */
MITHRIL_DEDUP_API const char *mithril_dedup_version(void);

/* Sets what the caller's header knows of; `size` is sizeof *options there. */
MITHRIL_DEDUP_API void mithril_dedup_defaults(struct mithril_dedup_options *options, size_t size);
/* *dedup is set also after a failure but -ENOMEM, for mithril_dedup_error. -EINVAL: an option is out of its
 * range, or does not go with another. */
MITHRIL_DEDUP_API int mithril_dedup_new(
	const struct mithril_dedup_options *options, struct mithril_dedup **dedup);
/* NULL is fine. */
MITHRIL_DEDUP_API void mithril_dedup_free(struct mithril_dedup *dedup);
/* What was wrong with the last call, in one line; "" where nothing was. Lives as long as the handle. */
MITHRIL_DEDUP_API const char *mithril_dedup_error(const struct mithril_dedup *dedup);

/* Reads the stream of record batches to its end and decides; once for a handle. The stream is taken over and
 * its release pointer set to NULL, whatever happens; it may be called from other threads than this one, one
 * at a time. `output` and `work` are for files, KEEP_PREFER too; the other files tell of rows as
 * "the stream:LINE", lines counted from 1. Where texts must be seen again (to cut, or with a bound of memory,
 * files, or columns that records are kept or compared by), the columns that matter are copied to an unnamed
 * file in $TMPDIR first. Columns to keep or compare by are strings, numbers, booleans, dates or times.
 * -ENOENT: no such column; -EINVAL: it is of none of these types (the text: no string, that is utf8,
 * large_utf8, utf8_view, or a dictionary of them), an option is not for streams, or this was called before;
 * -EBADMSG: a row is no text, or a batch is not what its schema says; -EEXIST: a file is there already;
 * -EOVERFLOW: over 4,294,967,280 rows; -ERANGE: more texts than expected; -EINTR: `progress` ended it;
 * -ENOMEM; errors of the stream and of files. */
MITHRIL_DEDUP_API int mithril_dedup_run(struct mithril_dedup *dedup, struct ArrowArrayStream *stream);
/* The same for files, as mithril-dedup(1) takes them, "-" and patterns too; once for a handle. Without any
 * file that comes out nothing is written. -ENOENT, -EISDIR, -EEXIST (named twice, or an output is there or is
 * an input), -ESTALE (changed meanwhile) and as above. */
MITHRIL_DEDUP_API int mithril_dedup_files(
	struct mithril_dedup *dedup, const char *const *files, size_t count);

/* After a run; before, or after it failed, these say that there are no rows. */
MITHRIL_DEDUP_API void mithril_dedup_get_result(
	const struct mithril_dedup *dedup, struct mithril_dedup_result *result);
MITHRIL_DEDUP_API uint64_t mithril_dedup_rows(const struct mithril_dedup *dedup);
/* What mithril-dedup --json prints. Lives as long as the handle. NULL: there was no run; no memory. */
MITHRIL_DEDUP_API const char *mithril_dedup_summary(struct mithril_dedup *dedup);
/* A bit for each row, lowest bit of a byte first (the data buffer of an Arrow array of booleans): 1 for one
 * that stays. Lives as long as the handle. NULL: there are no rows. */
MITHRIL_DEDUP_API const uint8_t *mithril_dedup_mask(const struct mithril_dedup *dedup);
/* What became of `count` rows from `first` on, into arrays of the caller's, each of which may be NULL: how
 * (enum mithril_dedup_how), the row that stays for it (itself where it stays, and where nobody knows), and
 * how similar that one is. -ERANGE: there are no such rows. */
MITHRIL_DEDUP_API int mithril_dedup_fates(const struct mithril_dedup *dedup, uint64_t first, uint64_t count,
	uint8_t *how, uint32_t *keeper, float *similarity);
/* What is cut out of texts, by row and place, *count of them; live as long as the handle. A character of
 * which they take a part only stays. With `drop`, what would be cut. */
MITHRIL_DEDUP_API const struct mithril_dedup_cut *mithril_dedup_cuts(
	const struct mithril_dedup *dedup, uint64_t *count);
/* The rows that stay, texts without what is cut out of them, as a stream of record batches with the schema
 * that they came with, once, and only with options.stream. *stream is the caller's to release and outlives
 * the handle. -EINVAL: there is none; -EOPNOTSUPP: a column is a union, run-end encoded or a view of lists,
 * or texts of a dictionary are to be cut; -ENOMEM. */
MITHRIL_DEDUP_API int mithril_dedup_stream(struct mithril_dedup *dedup, struct ArrowArrayStream *stream);
/* The same, without options.stream, of the same rows once more: `again` is taken over, as mithril_dedup_run
 * does, and read as *stream is; a batch at a time is in memory. May be called again. */
MITHRIL_DEDUP_API int mithril_dedup_filter(
	struct mithril_dedup *dedup, struct ArrowArrayStream *again, struct ArrowArrayStream *stream);

/* Why two texts are or are not duplicates by the options of the handle, which needs no run. -EBADMSG: one is
 * not UTF-8; -ENOMEM. */
MITHRIL_DEDUP_API int mithril_dedup_explain(struct mithril_dedup *dedup, const char *const texts[2],
	const size_t lengths[2], struct mithril_dedup_explanation *explanation);

/* What mithril-dedup report --json prints of the run that has left its record at `place` (a directory of
 * records, an output directory or file), with the `largest` clusters. The handle need not have run. Lives
 * until the next call. NULL: there is none, it is damaged, or there is no memory. */
MITHRIL_DEDUP_API const char *mithril_dedup_report(
	struct mithril_dedup *dedup, const char *place, uint64_t largest);
/* The page of mithril-dedup report --html. As mithril_dedup_report, whose text it takes the place of. */
MITHRIL_DEDUP_API const char *mithril_dedup_report_html(
	struct mithril_dedup *dedup, const char *place, uint64_t largest);

/* What mithril_dedup_side_by_side shows. 0 and NULL are the defaults. */
struct mithril_dedup_view {
	uint32_t size;		    /* sizeof of this structure */
	uint32_t width;		    /* columns, at least 20; 0: 120 */
	uint32_t colour;	    /* 1: for a terminal, instead of [-only left-] and {+only right+} */
	uint32_t whole;		    /* 1: all words, not only those around differences */
	uint32_t json;		    /* 1: one object */
	uint64_t largest;	    /* clusters; 0: 10 */
	uint64_t members;	    /* of each, the least similar first; 0: 3 */
	const char *const *records; /* `record_count` FILE:LINE, whose clusters are shown instead */
	uint64_t record_count;
};
/* What mithril-dedup clusters prints: records that go beside those that stay for them. `view` may be NULL.
 * The files that were read must be as they were. As mithril_dedup_report, whose text it takes the place of;
 * NULL also where a record is in no cluster. */
MITHRIL_DEDUP_API const char *mithril_dedup_side_by_side(
	struct mithril_dedup *dedup, const char *place, const struct mithril_dedup_view *view);

#ifdef __cplusplus
}
#endif

#endif
