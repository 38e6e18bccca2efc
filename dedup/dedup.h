/*
 * Datasets without duplicates: reads files of records, finds those whose text others have too, exactly or
 * nearly, and writes the others as they came. dedup.c is the table of contents.
 */
#ifndef MITHRIL_DEDUP_DEDUP_H
#define MITHRIL_DEDUP_DEDUP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dedup/against/against.h"
#include "dedup/read/inputs.h"
#include "dedup/sketch/sketch.h"
#include "dedup/text/words.h"

enum dedup_method {
	DEDUP_NEAR, /* exact ones too */
	DEDUP_EXACT,
	DEDUP_SIMHASH, /* near by the distance of fingerprints; exact ones too */
	DEDUP_STREAM,  /* whatever shares a band with an earlier text, by filters of a fixed size */
};
enum dedup_keep {
	DEDUP_KEEP_FIRST,
	DEDUP_KEEP_LONGEST, /* text */
	DEDUP_KEEP_NEWEST,  /* by a field: a date, or a number */
	DEDUP_KEEP_BEST,    /* by a field, the highest number */
	DEDUP_KEEP_PREFER,  /* by the first of some globs that the file's path or name matches */
};
enum dedup_on_error { DEDUP_STOP, DEDUP_SKIP, DEDUP_QUARANTINE };

/* A record that cannot be used, or a file: where, and why. */
struct dedup_fault {
	const struct dedup_input *input; /* NULL: none */
	uint64_t line;			 /* from 1; 0: the file as a whole */
	const char *why;		 /* static storage; NULL: strerror of the error says it */
};

/* What is cut out of texts because it stands earlier: bytes at least, 0: that is not looked for. */
struct dedup_cutting {
	size_t line, paragraph, substring;
	bool words;  /* substring counts words instead */
	double drop; /* above 0: nothing is cut, but texts go of which more than this share would be */
};

struct dedup_options {
	const struct dedup_inputs *inputs; /* named already */
	const char *field;		   /* of a JSON record */
	enum dedup_method method;
	const char *exact_field; /* what exact duplicates share; NULL: the text */
	struct dedup_cutting cutting;
	unsigned normalise; /* of enum dedup_normalise */
	unsigned ngram;	    /* words a shingle, or characters, 1..DEDUP_NGRAM_MAX */
	double threshold;   /* above 0, at most 1; with DEDUP_SIMHASH also 0: the distance alone decides */
	unsigned distance;  /* DEDUP_SIMHASH: bits in which fingerprints may differ, <= DEDUP_DISTANCE_MAX */
	enum dedup_sketch_kind sketch;
	struct dedup_bands
		bands;	      /* bands * rows <= DEDUP_SKETCH_MAX; with DEDUP_SIMHASH its keys, of 1 row */
	unsigned values;      /* of a sketch, >= bands * rows */
	enum dedup_keep keep; /* with DEDUP_STREAM, the first */
	const char *keep_by;  /* the field, or the globs with commas between */
	uint64_t expect;      /* DEDUP_STREAM: texts at most */
	double wrong;	      /* DEDUP_STREAM: share of texts that may go for no reason, above 0, below 1 */
	const struct dedup_against *against; /* texts that hit it go; NULL: none */
	enum dedup_on_error on_error;
	uint64_t memory;    /* bytes that tables and buffers may take, the rest on disk; 0: all in memory */
	const char *work;   /* with memory: the directory for the rest, kept for going on; NULL: in $TMPDIR */
	unsigned shards;    /* with memory: pieces of the work; 0: one */
	unsigned threads;   /* 1..DEDUP_THREADS_MAX */
	const char *output; /* a directory, made if need be; NULL: no records are written */
	bool single;	    /* output is one file for all records, compressed as its name says */
	bool force;	    /* files there may be replaced, but for inputs */
	/* Files for what beside.h tells of; NULL: none. */
	const char *duplicates, *clusters, *mask;
	const char *quarantine; /* with DEDUP_QUARANTINE */
	const char *record;	/* a directory, made if need be */
	/* Both may be NULL and are called by one thread at a time. progress: bytes of the files read;
	 * non-zero ends the run with -EINTR. fault: each, in order, unless the first ends the run. */
	int (*progress)(void *ctx, const char *stage, uint64_t done, uint64_t of);
	void (*fault)(void *ctx, const struct dedup_fault *fault);
	void *ctx;
};

/* Seconds of all threads together. */
struct dedup_times {
	double parse, against, exact, normalise, sketch, band, verify, cut, write;
	double wall;
};

/* Documents and the bytes of their lines. */
struct dedup_amount {
	uint64_t documents, bytes;
};

/* Ways in which a document goes; outcome.h. */
enum {
	DEDUP_GONE_EXACT,
	DEDUP_GONE_NEAR,
	DEDUP_GONE_STREAM,
	DEDUP_GONE_AGAINST,
	DEDUP_GONE_CUT,
	DEDUP_GONE_BAD,
	DEDUP_GONE_COUNT
};

struct dedup_result {
	uint64_t documents, bytes; /* read: records, and uncompressed bytes of all lines */
	uint64_t text_bytes;	   /* of the texts */
	uint64_t faults;
	uint64_t against;  /* documents that go because they hit options->against */
	uint64_t exact;	   /* of the others, documents that have another's text */
	uint64_t near;	   /* of the distinct texts, those that go */
	uint64_t distinct; /* texts */
	uint64_t candidates, rejected;
	uint64_t cut, cut_bytes;   /* documents that something is cut out of and stay, and how much */
	uint64_t cut_away;	   /* documents that go because too little would be left */
	uint64_t kept, kept_bytes; /* documents that stay and the bytes of their lines */
	struct dedup_amount gone[DEDUP_GONE_COUNT];
	uint64_t memory; /* bytes of the tables and shingles at most */
	struct dedup_times times;
	struct dedup_fault fault; /* what ended the run */
	char path[PATH_MAX];	  /* the file that it is about, if that is no input; otherwise empty */
};

/* Whether texts are compared with each other beyond being the same. */
static inline bool dedup_method_compares(enum dedup_method method)
{
	return method == DEDUP_NEAR || method == DEDUP_SIMHASH;
}

/* Whether a record's text matters, and not only a field of its own for exact duplicates. */
static inline bool dedup_needs_text(const struct dedup_options *o)
{
	return o->method != DEDUP_EXACT || !o->exact_field || o->against || o->cutting.line ||
	       o->cutting.paragraph || o->cutting.substring;
}

/* 0; -EBADMSG: a record cannot be used (options->on_error is DEDUP_STOP); -EEXIST: a file of the output is
 * there already, or is an input; -ESTALE: an input was changed meanwhile; -EINTR; -ENOMEM; -EOVERFLOW: more
 * than DEDUP_LINES_MAX lines; -ERANGE: more texts than expected; errors of the files. After a failure no file
 * of the output is there but whole ones (all are renamed at the end), and result->fault and path say where it
 * was. */
int dedup_run(const struct dedup_options *options, struct dedup_result *result);

struct dedup_outcome;
struct dedup_cuts;
/* dedup_run, which tells what becomes of each line, into `outcome`, an initialised one, and what is cut out
 * of those that stay, into `cuts`, zeroed before, or NULL; both are the caller's to release, after a failure
 * too. Whatever options->memory says, both are in memory. */
int dedup_run_to(const struct dedup_options *options, struct dedup_outcome *outcome, struct dedup_cuts *cuts,
	struct dedup_result *result);

/* The part of dedup_run that decides and writes nothing: what becomes of each line, into `outcome`, an
 * initialised one. Adds to result. Inputs are read once, and may be sources. Errors as
 * dedup_run. */
int dedup_decide(
	const struct dedup_options *options, struct dedup_outcome *outcome, struct dedup_result *result);

#endif
