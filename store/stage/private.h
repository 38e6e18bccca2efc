/*
 * What the files of store/stage share. Not for others.
 *
 * stage.c       the service
 * table.c       contents by inode: which there are, and what they have open
 * restage.c     from inline or encoded back to staged
 * content.c     opens and closes
 * content_io.c  bytes of what is open
 * small.c       bytes of small files, written without a staged copy
 * content_ino.c attributes, size and the end of an inode, open or not
 * jobs.c        what the encoder takes and gives back; queue.c  in which order; publish.c  what came of it
 * tally.c       what staged copies take
 * spares.c      empty staged files for those to come
 * kept*.c       raw copies of encoded ones (kept.h)
 */
#ifndef MITHRIL_STORE_STAGE_PRIVATE_H
#define MITHRIL_STORE_STAGE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/stage/kept.h"
#include "store/stage/spares.h"
#include "store/stage/stage.h"
#include "store/stage/tally.h"

#define TABLE_BUCKETS 4096u
#define TABLE_STRIPES 64u

struct content {
	struct content *next; /* in its bucket */
	struct stage *stage;
	uint64_t ino;
	unsigned refs; /* under the bucket's stripe: handles, jobs and operations under way */

	/* Reads and relay writes hold it shared; whatever changes the state below holds it exclusively. */
	pthread_rwlock_t lock;
	bool loaded;
	_Atomic unsigned opens; /* read without the lock by content_is_open */
	unsigned writers;
	uint64_t cache; /* of the inode */
	enum content_state state;
	bool lingering;	       /* encoded or inline, and the staged copy is still there */
	bool unsynced;	       /* so, and until the log is durable the staged copy is what would count */
	bool kept;	       /* encoded, and the raw copy in kept/ is held */
	bool hot;	       /* rewritten soon after it was written: encode later */
	bool synced;	       /* by fsync, since it was opened first */
	bool dir_synced;       /* the staged file's name is durable */
	_Atomic bool small;    /* open, and written without a staged copy while that is possible */
	uint64_t made_in;      /* the directory, of a file that was made by this open; or 0 */
	int fd;		       /* staged or kept copy, read-only; -1 */
	int wfd;	       /* staged copy, read-write; opened when the daemon itself must write; -1 */
	int sync_error;	       /* of the first failed fsync */
	struct reader *reader; /* of encoded content, opened at the first read */
	uint64_t recipe, size, version; /* of the record, when not staged */
	void *inline_bytes;		/* of inline content, read at the first read or as written */
	_Atomic uint64_t ticket;	/* see struct stage_job */
};

struct queue_entry {
	uint64_t soft, hard; /* milliseconds of CLOCK_MONOTONIC: due; not before, even when draining */
	uint64_t ino;
};

struct queue_slot {
	uint64_t ino; /* 0: free */
	uint64_t soft;
	bool deferred; /* not waited for by a drain */
};

/* Inodes that await encoding: a heap by due time over a hash map that says which entries still hold. */
struct queue {
	struct queue_entry *heap;
	size_t count, capacity;
	struct queue_slot *slots;
	size_t used, slots_capacity, deferred;
};

struct stage {
	int dir_fd;
	struct kv *kv;
	struct names *names;
	struct recipes *recipes;
	struct decoder *decoder;
	uint64_t budget;
	unsigned quiet_ms;
	bool read_only;
	_Atomic uint64_t tickets;
	struct tally tally; /* of staged copies */
	struct spares spares;
	struct kept kept;
	_Atomic uint64_t *made; /* small.c */

	pthread_mutex_t stripes[TABLE_STRIPES];
	struct content *buckets[TABLE_BUCKETS];

	pthread_mutex_t watch_lock; /* guards the two below, and is held over the call */
	void (*published)(void *ctx, uint64_t ino);
	void *watch_ctx;

	pthread_mutex_t queue_lock; /* guards what follows; taken inside content locks */
	pthread_cond_t queue_cond;  /* something was queued, ended or stopped */
	struct queue queue;
	uint64_t last_queued; /* milliseconds of CLOCK_MONOTONIC */
	size_t running;	      /* jobs taken and not ended */
	unsigned draining;
	int last_error;
	bool stopped;
};

/* table.c: the contents in use, by inode number. */
struct content *table_ref(struct stage *stage, uint64_t ino);
void table_unref(struct content *content);
/* Reads the record and opens the staged copy, once. With the content's lock held exclusively. -ENOENT,
 * -EINVAL not a regular file. */
int content_load(struct content *content);
/* Has the raw copy that is kept, if one is, read from now on. With the lock held exclusively. */
void content_open_kept(struct content *content);
/* Lets it go. With the lock held exclusively. */
void content_close_kept(struct content *content);
/* A descriptor of the staged copy, which open(2)'s flags may make, or -errno. */
int content_open_staged(struct content *content, int flags);
/* Reads what a read of inline or encoded content needs. With the lock held exclusively. -EBADMSG, -EIO,
 * -ENOMEM.
 */
int content_load_bytes(struct content *content);
/* Lets go what was read of inline or encoded content. With the lock held exclusively. */
void content_forget_bytes(struct content *content);
/* The descriptor to write the staged copy with. With the lock held exclusively. */
int content_wfd(struct content *content);
/* Frees what the state no longer needs after the last close. With the lock held exclusively. */
void content_settle(struct content *content);
/* With the lock held. */
uint64_t content_live_size(const struct content *content);
/* Brings the tally up to date with the staged copy. */
void content_count(struct content *content);

/* restage.c */

/* Makes the bytes be in staging/, the first `keep` of them. With the content's lock held exclusively. */
int content_restage(struct content *content, uint64_t keep);

/*
 * small.c. A file of at most INLINE_MAX bytes that is expected to stay so is written into the index as it
 * will be kept, each write with the inode's record in one batch: nothing is made, encoded and removed in
 * staging/. It is relayed, since there is no file to pass through to. Files of caches begin so, and those in
 * a directory whose last 32 were small; what grows beyond, or is used otherwise than by reads, writes and
 * truncation, is restaged as any inline file is that is opened for writing.
 */
int small_init(struct stage *stage);
void small_release(struct stage *stage);
/* A file made in that directory was closed, small or not. */
void small_made(struct stage *stage, uint64_t dir, bool small);
/* Whether the next file made there will be small. */
bool small_expected(struct stage *stage, uint64_t dir);
/* Whether a file that is there and shall have `size` bytes should be written so from here on: one of a cache,
 * or one that is inline and not emptied, which anything may follow. With the lock held. */
bool small_suits(const struct content *content, uint64_t size);
/* Cuts or extends what small_suits says yes to. With the lock held exclusively. */
int small_resize(struct content *content, uint64_t size);
/* content_write. Takes the lock. -ENOTSUP: it cannot be done so. */
int small_write(struct content *content, const void *src, size_t len, uint64_t off, bool append);

/* content.c: gives it a new ticket. With the lock held exclusively. */
void content_touch(struct content *content);

/* queue.c */
int queue_put(struct queue *queue, uint64_t ino, uint64_t soft, uint64_t hard, bool deferred);
void queue_remove(struct queue *queue, uint64_t ino);
/* The next entry that is due, removed; false if none is. `urgent` ignores soft times. *wait_ms: until the
 * next one is. */
bool queue_pop(struct queue *queue, uint64_t now, bool urgent, uint64_t *ino, uint64_t *wait_ms);
void queue_release(struct queue *queue);

/* jobs.c */

/* Whether it may be taken for encoding, if nobody is writing it. With the lock held. */
bool content_suits_job(const struct content *content);
/* Somebody can still write through a descriptor or a shared mapping that fs does not know of any more. */
bool staged_has_writers(int fd);
/* The job is over, published or given back. */
void job_end(struct stage *stage, struct stage_job *job);
void stage_enqueue(struct stage *stage, uint64_t ino, unsigned soft_ms, unsigned hard_ms, bool deferred);

#endif
