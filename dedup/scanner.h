/*
 * The insides of a pass over the inputs: what its threads share, and what is done with each line. Private to
 * those that make passes: scan.c, note.c and stream.c, sketch_stage.c and gather_stage.c.
 */
#ifndef MITHRIL_DEDUP_SCANNER_H
#define MITHRIL_DEDUP_SCANNER_H

#include <pthread.h>
#include <stdatomic.h>

#include "dedup/group/cuckoo.h"
#include "dedup/group/exact.h"
#include "dedup/json/json.h"
#include "dedup/ranks.h"
#include "dedup/read/reader.h"
#include "dedup/scan.h"
#include "dedup/text/shingles.h"
#include "dedup/turns.h"

struct dedup_worker_texts {
	struct dedup_text *v;
	size_t count, capacity;
};

struct dedup_worker_faults {
	struct dedup_scan_fault *v;
	size_t count, capacity;
};

/* Texts of the block at hand that wait for their turn at the filters. */
struct dedup_worker_pending {
	uint32_t *ids;
	uint64_t *keys; /* `bands` each */
	size_t count, capacity, keys_capacity;
};

/* What exact duplicates share: the text, or another field of the record. */
struct dedup_key {
	const char *bytes;
	size_t len;
	enum dedup_json_kind kind;
	bool none; /* a null field: like nothing */
};

/* One thread's. */
struct dedup_worker {
	unsigned number;
	struct dedup_block block;
	struct dedup_json *json;
	struct dedup_key key; /* of the record at hand */
	struct dedup_words words;
	struct dedup_shingles shingles;
	uint64_t *sketch, fingerprint;
	struct dedup_worker_texts texts;
	struct dedup_worker_faults faults;
	struct dedup_worker_pending pending;
	struct dedup_finder finder;
	struct dedup_arena *arena;
	struct dedup_result seen;
	uint64_t mark; /* when the stage at hand began */
};

struct dedup_scanner;

/* What a pass does with the lines. Each of them may be NULL; -ENOMEM and what else ends the run. */
struct dedup_pass {
	/* Lines up to `id` are about to come; one thread at a time. */
	int (*room)(struct dedup_scanner *scanner, uint32_t id);
	/* Whether the line is looked at; then all that are must be records. */
	bool (*wants)(const struct dedup_scanner *scanner, uint32_t id);
	/* The line is DEDUP_LINE_BLANK, DEDUP_LINE_BAD or DEDUP_LINE_AGAINST. */
	int (*mark)(struct dedup_scanner *scanner, struct dedup_worker *worker, uint32_t id, uint32_t mark);
	/* A record's text; its words are not known yet. */
	int (*text)(struct dedup_scanner *scanner, struct dedup_worker *worker, uint32_t id, const char *text,
		size_t len);
	int (*end_block)(struct dedup_scanner *scanner, struct dedup_worker *worker);
};

/* Zeroed, but for options, pass, outcome and ranks. */
struct dedup_scanner {
	const struct dedup_options *options;
	const struct dedup_pass *pass;
	void *ctx;		       /* the pass's own */
	const char *stage;	       /* for progress; NULL: the usual */
	struct dedup_outcome *outcome; /* gets the first lines of files */
	struct dedup_ranks *ranks;
	struct dedup_arena *arenas; /* of the workers; NULL: none */
	struct dedup_reader *reader;
	pthread_mutex_t lock;	   /* of the reader together with the lines' room, and of progress */
	struct dedup_exact *exact; /* not with DEDUP_STREAM */
	struct dedup_cuckoo bands; /* only with DEDUP_STREAM, and so are: */
	struct dedup_turns turns;
	uint64_t put;	   /* texts in the filters */
	uint64_t seeds[2]; /* of the hashes: other ones each time, so that nobody can prepare collisions */
	struct dedup_sketcher sketcher;
	struct dedup_worker *workers;
	atomic_int stop;
	uint64_t of;	     /* bytes of the files on disk */
	size_t failed_input; /* of an error that is no record's */
};

/* Prepares a pass over files [first, end), whose lines are numbered from 0. -ENOMEM. For dedup_scanner_close
 * also after a failure. */
int dedup_scanner_open(struct dedup_scanner *scanner, size_t first, size_t end);
/* Goes through them with all threads, and adds to result what was counted. Errors as dedup_run, with
 * result->fault where they are about an input. */
int dedup_scanner_run(struct dedup_scanner *scanner, struct dedup_result *result);
/* The faults that the workers have found, in order, to be freed; NULL: no memory. */
struct dedup_scan_fault *dedup_scanner_faults(const struct dedup_scanner *scanner, size_t *count);
void dedup_scanner_close(struct dedup_scanner *scanner);

/* The text and the key of a record; both stay until the next. Errors as dedup_record_text. */
int dedup_key_read(struct dedup_scanner *scanner, struct dedup_worker *worker, const struct dedup_line *line,
	const char **text, size_t *len, const char **why);
/* The two hashes of the key, by which keys are told apart. */
void dedup_key_hash(const struct dedup_scanner *scanner, const struct dedup_worker *worker, uint64_t *hash,
	uint32_t *check);

/* What is kept of a text with so many shingles, beside its band keys, and compared: the shingles; with
 * DEDUP_SIMHASH the fingerprint, and the shingles only where they decide too. */
size_t dedup_text_words(const struct dedup_options *options, size_t shingles);
/* The band keys of the worker's shingles, at least one. */
void dedup_text_keys(const struct dedup_scanner *scanner, struct dedup_worker *worker, uint64_t *keys);
/* After that: these words. */
void dedup_text_copy(const struct dedup_options *options, const struct dedup_worker *worker, uint64_t *words);

/* Words and shingles of a text. -ENOMEM. */
int dedup_shingle(struct dedup_scanner *scanner, struct dedup_worker *worker, const char *text, size_t len);
/* The rank of the record at hand, by the policy of keeping. */
uint64_t dedup_rank_here(const struct dedup_scanner *scanner, const struct dedup_worker *worker, size_t len);

void dedup_times_add(struct dedup_times *to, const struct dedup_times *from); /* what workers count */
/* Adds the time since the last mark to a stage. */
void dedup_worker_lap(struct dedup_worker *worker, double *stage);

/* All lines of the worker's block. -EBADMSG: a fault, and options say stop; -ESTALE: a line that was to be a
 * record is none any more; what the pass says; -ENOMEM. */
int dedup_note_block(struct dedup_scanner *scanner, struct dedup_worker *worker);

/* Lines in the outcome, as the passes in memory need them. */
int dedup_note_room(struct dedup_scanner *scanner, uint32_t id);
int dedup_note_mark(struct dedup_scanner *scanner, struct dedup_worker *worker, uint32_t id, uint32_t mark);

extern const struct dedup_pass dedup_note_pass;	  /* in memory; exact is there */
extern const struct dedup_pass dedup_stream_pass; /* bands are there */

#endif
