/*
 * The insides of the first pass: what its threads share, and what is done with each line. Private to scan.c,
 * note.c and stream.c.
 */
#ifndef MITHRIL_DEDUP_SCANNER_H
#define MITHRIL_DEDUP_SCANNER_H

#include <pthread.h>
#include <stdatomic.h>

#include "dedup/group/bloom.h"
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

/* Texts of the block at hand that wait for their turn at the Bloom filters. */
struct dedup_worker_pending {
	uint32_t *ids;
	uint64_t *keys; /* `bands` each */
	size_t count, capacity, keys_capacity;
};

/* One thread's. */
struct dedup_worker {
	struct dedup_block block;
	struct dedup_json *json;
	struct dedup_words words;
	struct dedup_shingles shingles;
	uint64_t *sketch;
	struct dedup_worker_texts texts;
	struct dedup_worker_faults faults;
	struct dedup_worker_pending pending;
	struct dedup_arena *arena;
	struct dedup_result seen;
	uint64_t mark; /* when the stage at hand began */
};

struct dedup_scanner {
	const struct dedup_options *options;
	struct dedup_outcome *outcome;
	struct dedup_ranks *ranks;
	struct dedup_scan *scan;
	struct dedup_reader *reader;
	pthread_mutex_t lock;	   /* of the reader together with the lines' room, and of progress */
	struct dedup_exact *exact; /* not with DEDUP_STREAM */
	struct dedup_bloom bloom;  /* only with DEDUP_STREAM, and so are: */
	struct dedup_turns turns;
	uint64_t put;	   /* texts in the filters */
	uint64_t seeds[2]; /* of the hashes: other ones each time, so that nobody can prepare collisions */
	struct dedup_sketcher sketcher;
	struct dedup_worker *workers;
	atomic_int stop;
	uint64_t done, of;   /* bytes */
	size_t failed_input; /* of an error that is no record's */
};

/* Adds the time since the last mark to a stage. */
void dedup_worker_lap(struct dedup_worker *worker, double *stage);

/* All lines of the worker's block. -EBADMSG: a fault, and options say stop; -ENOMEM. */
int dedup_note_block(struct dedup_scanner *scanner, struct dedup_worker *worker);

/* The text of a line, for the Bloom filters. -ENOMEM. */
int dedup_stream_note(struct dedup_scanner *scanner, struct dedup_worker *worker, uint32_t id,
	const char *text, size_t len);
/* The block's texts go through the filters after those of all blocks before it. -ERANGE: too many. */
int dedup_stream_put(struct dedup_scanner *scanner, struct dedup_worker *worker);

#endif
