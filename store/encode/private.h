/*
 * What the files of store/encode share. Not for others.
 *
 * encode.c  the service and its table of contents: take, encode, publish
 * file.c    one file: label, skeleton, pieces in order, recipe
 * collect.c what workers have done, in order: frames to packs, chunks to extents
 * plan.c    pure: a layout and a size to pieces
 * base.c    which earlier file lends bases, and which chunk of it
 * source.c  which tensors of another width a tensor is the rounding of, or is rounded to, and which chunks
 * step.c    which tensors of the file a tensor is a function of by a step of the optimizer, and which chunks
 * step_files.c  the same of weights that lie in another file
 * kinds.c   pure: which tensors are worth a search, by how those of like names fared
 * placed.c  the chunks of the file itself, by offset
 * segments.c  the tensors of an encoded file, in memory
 * window.c  chunks under way: the ring between the coordinator and the workers
 * chunk.c   one chunk: hash, share or encode
 * pool.c    small files of caches: gathered, sorted by kind
 * packing.c what of them is in a chunk; packed.c  what is published of each
 * known.c   whether a small file's bytes are there already
 * kind.c    pure: what kind of file it is
 * alike.c   which earlier chunks have bytes in common with one: its sketch, and those of chunks before it
 */
#ifndef MITHRIL_STORE_ENCODE_PRIVATE_H
#define MITHRIL_STORE_ENCODE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "store/codec/cdc.h"
#include "store/codec/codec.h"
#include "store/encode/encode.h"
#include "store/encode/small.h"
#include "store/formats/formats.h"

/* Constant, whatever the number of cores: what is known when a chunk is begun depends on it, and output must
 * not depend on cores. */
#define WINDOW 32u
#define CLASSES_MAX 64u

struct file_encoding;

/* --- plan.c --- */

enum piece_kind {
	PIECE_SKELETON, /* a range that is gathered into the file's skeleton */
	PIECE_TENSOR,	/* part of one tensor: a chunk */
	PIECE_OPAQUE,	/* a large range of unknown bytes: cut by content, or fixed */
	PIECE_END,
};

struct piece {
	enum piece_kind kind;
	uint64_t off, len;
	size_t tensor; /* index in the layout, of PIECE_TENSOR */
	bool first;    /* the first piece of its tensor */
};

/* Walks a file of `size` bytes in order; pieces cover it without gaps. Tensors come in chunks of ENCODE_CHUNK
 * from their start. */
struct plan {
	const struct layout *layout;
	uint64_t size, at;
	size_t tensor;
};
void plan_init(struct plan *plan, const struct layout *layout, uint64_t size);
void plan_next(struct plan *plan, struct piece *piece);
/* Gaps up to this many bytes between tensors go to the skeleton. */
#define PLAN_GAP_MAX (64u << 10)

/* --- chunk.c --- */

/* How chunks of one kind of tensor (last part of the name, dtype) fared with bases in this file. */
struct class_stats {
	uint64_t key; /* 0: free */
	unsigned tried, used, skipped;
	int hint;
};

/* Chunks that a chunk is a function of. */
struct source {
	struct chunk_bases bases; /* count 0: there are none */
	struct codec_function function;
};

enum job_kind {
	JOB_CHUNK,    /* for a worker */
	JOB_SMALL,    /* likewise: the bytes of small files of a cache */
	JOB_SKELETON, /* a range whose bytes are in the skeleton: only an extent, in its turn */
	JOB_EARLY,    /* a range that was encoded in an earlier pass; likewise */
	JOB_HOLE,     /* likewise */
};

/* One step of a file: most are chunks on their way through a worker. */
struct chunk_job {
	enum job_kind kind;
	uint8_t *raw; /* ENCODE_CHUNK bytes */
	uint8_t *payload;
	size_t len;
	enum dtype dtype;
	struct chunk_id base;	 /* candidate, or zero */
	struct source source;	 /* likewise */
	struct chunk_bases near; /* of JOB_SMALL: chunks with like bytes */
	enum codec_level level;	 /* likewise */
	int hint;
	struct class_stats *class; /* of the tensor; NULL: opaque */
	uint64_t off, span;	   /* range of the file */

	int rc;
	bool shared; /* already there, bytes compared */
	struct chunk_id id;
	struct chunk_bases used;
	uint8_t salt;
	struct codec_result result;
	struct chunk_record used_records[FRAME_BASES_MAX];

	enum { JOB_FREE, JOB_READY, JOB_TAKEN, JOB_DONE } state;
};

/* Hashes, shares or encodes. Unless job->rc is set: job->id and all of job->used are pinned (the coordinator
 * unpins). */
void chunk_encode(struct encoder *encoder, struct codec_workspace *ws, struct chunk_job *job);
/* Whether the chunk `id`, if it exists, has just these bytes. 1 yes, 0 other bytes, -ENOENT, -errno. */
int chunk_compare(struct encoder *encoder, const struct chunk_id *id, const void *raw, size_t len);

/* --- window.c --- */

struct window {
	pthread_mutex_t lock;
	pthread_cond_t ready, done;
	struct chunk_job jobs[WINDOW];
	uint64_t head, next, tail; /* filled; next for a worker; next to collect */
	bool stop;
};
int window_init(struct window *window);
void window_release(struct window *window);
/* The slot to fill, or NULL when the ring is full: collect first. */
struct chunk_job *window_slot(struct window *window);
/* What is no chunk is done at once. */
void window_submit(struct window *window);
/* The oldest job, once it is done; NULL when none is under way. The slot is free again after
 * window_collected. */
struct chunk_job *window_oldest(struct window *window);
void window_collected(struct window *window);
/* For workers. NULL: stop. */
struct chunk_job *window_take(struct window *window);
void window_finish(struct window *window, struct chunk_job *job);
void window_stop(struct window *window);

/* --- segments.c --- */

/* Tensors of f32, f16 and bf16 of a file, in memory, in the order of their offsets. */
struct segments {
	uint64_t recipe;
	struct segment_entry {
		uint64_t off, len;
		uint64_t shape; /* the same for the same dims */
		size_t name;	/* in `names` */
		enum dtype dtype;
		unsigned used; /* bits, 1 << dtype: it is what a tensor of that is a function of */
	} * list;
	size_t count, capacity;
	char *names;
	size_t names_len, names_capacity;
};
/* Fills a zeroed one from a recipe. 0, also when it is damaged or gone: it has none then; -ENOMEM, -EIO. */
int segments_load(struct recipes *recipes, uint64_t recipe, struct segments *segments);
/* Fills a zeroed one from a layout. -ENOMEM. */
int segments_of_layout(const struct layout *layout, struct segments *segments);
uint64_t segments_shape(const uint64_t *dims, uint32_t ndims);
void segments_release(struct segments *segments);

/* --- kinds.c --- */

#define KINDS_MAX 64u

/* Tensors whose names differ in digits only, and how searches for them fared. */
struct tensor_kinds {
	struct tensor_kind {
		uint64_t key;
		unsigned tried, found, skipped;
	} list[KINDS_MAX];
};
struct tensor_kind *kind_of(struct tensor_kinds *kinds, const struct tensor *tensor);
/* A kind for which nothing is found is asked only now and then. */
bool kind_wanted(struct tensor_kind *kind);

/* --- placed.c --- */

/* Chunks that were collected, in the order of their offsets. */
struct placed_list {
	struct placed {
		uint64_t off, end;
		struct chunk_id id;
	} * list;
	size_t count, capacity;
};
/* -ENOMEM. */
int placed_note(struct placed_list *list, uint64_t off, uint64_t len, const struct chunk_id *id);
bool placed_find(const struct placed_list *list, uint64_t off, struct extent *extent);
/* The chunk of the file itself that has `off`, which lies before what is under way in this pass, or was
 * encoded early; waits for it. -ENXIO: there is none; errors of file_collect. */
int placed_extent(struct file_encoding *file, uint64_t off, struct extent *extent);
void placed_release(struct placed_list *list);

/* --- step.c --- */

#define STEPS_KNOWN 4u
#define STEP_FILES 16u

/* Which tensors are what a step of the optimizer makes of others: found before any is encoded. */
struct steps {
	struct tensor_step {
		size_t m;  /* the first moment; the second is the tensor behind it */
		bool used; /* MOMENT: weights of the file are found for it */
		struct codec_step step;
		/* of FIRST: where the weights are, in bytes from the start of the files */
		const struct step_files *files;
		uint64_t w, w_before;
	} * list;
	size_t count, capacity;
	/* Files that have weights of this one's moments. */
	struct step_files {
		struct segments segments;
		struct recipe_cursor *cursor, *before;
		uint64_t before_recipe; /* the file that has them as they were before */
		size_t first;		/* that is not found yet */
	} files[STEP_FILES];
	size_t files_count;
	uint32_t *of; /* by tensor: place in the list + 1; 0: none. NULL: there are none at all */
	bool *early;  /* by tensor: weights before it stand on it; NULL: none */
	struct tensor_kinds moments, weights, firsts;
};
/* Compares samples of the file's tensors with what a step makes of them as they were in the file that lends
 * bases: second moments, then weights, or, where there are none, first moments of weights in other files.
 * -ENOMEM, errors of view.read. */
int steps_find(struct file_encoding *file);
/* The chunks that `len` bytes at `off` of tensor `t` follow from. It may collect chunks under way. *source
 * is not touched when there are none. 0, errors of file_collect. */
int step_source(struct file_encoding *file, size_t t, uint64_t off, size_t len, struct source *source);
void steps_release(struct steps *steps);

/* --- source.c --- */

#define SOURCE_FILES 8u

/* A file whose tensors may be what others are derived from. */
struct source_file {
	struct segments segments; /* recipe 0: the file that is being encoded itself */
	struct recipe_cursor *cursor;
	size_t found, last; /* the tensor that was one last; and the last that was a large one */
	uint64_t used;
};

/* The search of one file's encoding. */
struct sources {
	bool started, own_pairs; /* own_pairs: the file has both widths itself */
	struct source_file own, files[SOURCE_FILES];
	struct source_file *lucky; /* the one that had the last source, or NULL */
	uint64_t clock;
	struct tensor_kinds kinds;
	uint8_t *mine, *theirs; /* elements of a sample */
	/* of the tensor at hand: */
	size_t tensor;
	struct source_file *file; /* NULL: it has no source */
	uint64_t off;
	enum dtype dtype;
};

/* Looks for what `len` bytes at `off` of tensor `t` are the rounding of, or are rounded to: in earlier
 * tensors of the file itself and in the newest files with tensors of as many elements of the other width. A
 * sample decides. It may collect chunks under way. *source is not touched when nothing is found. 0, -ENOMEM,
 * errors of file_collect. */
int source_find(struct file_encoding *file, size_t t, uint64_t off, size_t len, struct source *source);
void source_release(struct sources *sources);

/* --- file.c --- */

struct id_list {
	struct chunk_id *ids;
	size_t count, capacity;
};

/* A file is gone through three times: its small parts, what others stand on that lie before it, and all. */
enum pass {
	PASS_SKELETON, /* collected chunks are the skeleton's, not yet extents */
	PASS_EARLY,    /* collected chunks are noted, not yet extents */
	PASS_MAIN,
};

/* One file under way. */
struct file_encoding {
	struct encoder *encoder;
	struct stage_job *job;
	struct view view;
	struct layout layout;
	struct family_id family;
	struct kv_batch *batch;
	struct recipe_builder *builder;
	uint64_t base_recipe; /* 0: none */
	struct recipe_cursor *base_cursor;
	size_t base_tensor; /* the tensor whose place in it is remembered */
	int64_t base_tensor_off;
	struct sources sources;
	struct id_list pins, announced, skeleton;
	struct class_stats classes[CLASSES_MAX];
	uint64_t new_bytes;
	enum pass pass;
	bool noting;		   /* chunks of the main pass are noted */
	struct placed_list placed; /* those; */
	struct placed_list early;  /* and those of the early one */
	struct steps steps;
	size_t skeleton_at; /* next skeleton chunk, in the second pass */
	uint32_t skeleton_off;
	struct chunk_job *gather; /* the slot that skeleton bytes are gathered in, or NULL */
};

/* Encodes a staged file. On success p->batch, recipe and blocks are set. 0; -ESTALE it was changed;
 * -ESHUTDOWN; -errno. */
int file_encode(struct encoder *encoder, struct file_encoding *file, struct stage_publication *p);
/* Unpins, retracts, frees; after publication or failure. */
void file_release(struct file_encoding *file);

/* --- collect.c --- */

/* Takes the oldest step off the window: its extent is in the recipe then. -EAGAIN: there is none. */
int file_collect(struct file_encoding *file);
/* All that are under way, also after a failure; the first error. */
int file_collect_all(struct file_encoding *file);
/* The pin of `id` is the file's now, or gone. */
int file_keep_pin(struct file_encoding *file, const struct chunk_id *id);
/* Another file announced the chunk, and may be given up after all: this one puts its record too, and those of
 * what it stands on as far as they are announced. The chunk is pinned. */
int put_announced(struct file_encoding *file, const struct chunk_id *id, const struct chunk_record *record);

/* --- base.c --- */

/* Chooses the earlier file that lends bases best, judged on samples of a few large tensors. Sets
 * file->base_recipe and base_cursor. */
int base_choose(struct file_encoding *file, struct codec_workspace *ws);
/* The candidate base chunk for `len` bytes at `off` of tensor `t` (layout index) or of opaque bytes
 * (SIZE_MAX); zero id: none. */
struct chunk_id base_chunk(struct file_encoding *file, size_t t, uint64_t off, size_t len);
/* A layout's tensor in the recipe's terms. */
void segment_of(const struct tensor *tensor, struct segment *segment);
struct family_id family_of(const struct layout *layout);

struct encoder {
	struct stage *stage;
	struct chunks *chunks;
	struct packs *packs;
	struct recipes *recipes;
	struct decoder *decoder;
	struct kv *kv;
	struct cdc cdc;
	struct window window;
	unsigned threads;
	enum codec_level level;
	struct pool pool; /* the coordinator's */
	pthread_t *workers, coordinator;
	bool coordinator_started;
	unsigned workers_started;
	_Atomic bool stop;
	pthread_mutex_t again_lock;   /* guards again_ws */
	pthread_mutex_t publish_lock; /* held from a publication to the last unpin of its files */
	struct codec_workspace *again_ws, *ws;
	struct {
		_Atomic uint64_t files, raw, payload, dedup, delta, zero, busy_ns, wasted;
	} counts;
};

#endif
