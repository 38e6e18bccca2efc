/*
 * The content of regular files while they are open or await encoding. fs sees file content only through this.
 *
 * One `struct content` an inode that is open, shared by its handles. Its bytes are in one of the states of
 * enum content_state (names.h), or both encoded and still staged ("lingering": published while somebody has
 * the staged copy open; removed, or kept (kept.h), at the last close).
 *
 *   open for writing  the bytes are in staging/<ino>; an encoded or inline file is put back there first,
 *                     whole, or not at all with O_TRUNC. A file that is expected to stay small is not: each
 *                     write makes it inline anew
 *   last close        the inode enters the queue; after a quiet time the encoder takes it
 *   published         recipe and inode record in one batch; the staged copy is unlinked when nobody has it
 *                     open
 *
 * The descriptor of a staged file is what fs hands to the kernel for passthrough. A write by passthrough is
 * not seen here; so size and times of staged files are those of fstat(2), and a file open for writing counts
 * as changed. A shared writable mapping may outlive its descriptor (the kernel keeps only the backing file
 * then): content_busy asks with a read lease, and the encoder does not take what somebody can still write.
 *
 * Any thread. Lock order: content lock -> names stripe.
 */
#ifndef MITHRIL_STORE_STAGE_STAGE_H
#define MITHRIL_STORE_STAGE_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/decode/decode.h"
#include "store/names/names.h"

#define INLINE_MAX (32u << 10) /* bytes; files up to this size are kept in KV_INLINE */

struct stage;
struct content;

struct stage_options {
	uint64_t budget;   /* staged bytes above which opens for writing are slowed; 0: a quarter of the file
			      system's free space at start */
	uint64_t keep_raw; /* bytes of raw copies that are kept of encoded files (kept.h); 0: none, and those
			      that an earlier run left go */
	bool keep_as_is;   /* those that an earlier run left serve, none come and none go; so also if
			      read_only */
	unsigned quiet_ms; /* time after the last close before a file may be encoded; 0: 1000 */
	bool read_only;	   /* nothing is written or queued: what would change a file gives -EROFS */
};

/* What the staged copy of an inode is called, and in kept/ its raw copy: the number in hexadecimal. */
#define STAGED_NAME 17
void staged_name(uint64_t ino, char name[STAGED_NAME]);
/* The number that such a name says; 0: it is none. */
uint64_t staged_ino(const char *name);

int stage_open(const char *dir, struct kv *kv, struct names *names, struct recipes *recipes,
	struct decoder *decoder, const struct stage_options *options, struct stage **out);
void stage_close(struct stage *stage);

/* At start: removes staged files that no inode refers to, drops orphans with their content, and queues the
 * rest. Counts of what was swept may be NULL. */
int stage_recover(struct stage *stage, uint64_t *swept_files, uint64_t *dropped_orphans);

/* --- files, as fs uses them --- */

/* Makes a new regular file, open. `parent` and `name` as names_make (name NULL: O_TMPFILE). flags: O_* of
 * open(2). *inode is filled. */
int content_create(struct stage *stage, uint64_t parent, const char *name, uint32_t mode,
	const struct names_owner *owner, int flags, struct content **out, struct inode *inode);
/* Opens. O_TRUNC is done here. Counts as one handle (a writer if flags say O_WRONLY or O_RDWR) until
 * content_release with the same flags. -ESTALE: the entry of a cache has gone with its group, of which the
 * kernel is only about to hear: it looks the name up again then, and a reader misses the group as a whole.
 * What somebody has open was not gone when that was opened. */
int content_open(struct stage *stage, uint64_t ino, int flags, struct content **out);
void content_release(struct stage *stage, struct content *content, int flags);

/* A read-only descriptor of the staged file (owned by the content, valid while it is open) or -1 when the
 * bytes are inline or encoded. Constant while any handle that saw it >= 0 is open. The kernel takes it for a
 * passthrough backing file as it is: it opens the path anew with each opener's own flags. */
int content_fd(struct content *content);
/* Grows whenever the bytes may have changed by another way than through this mount's page cache (fs compares
 * it to know whether the kernel's cached pages are still right). */
uint64_t content_version(struct content *content);

/* Bytes, now. */
uint64_t content_size(struct content *content);
/* The cache that the file belongs to, or 0. */
uint64_t content_cache(const struct content *content);
/* Whether a handle is open. Takes no lock that is held over calls of store/names. */
bool content_is_open(struct stage *stage, uint64_t ino);
/* Decodes what is inline or encoded, up to `max` bytes, so that damage is found at once and the reads that
 * follow are quick. 0 also for longer and for staged files; -EBADMSG; -EIO, -ENOMEM. */
int content_check(struct content *content, uint64_t max);

ssize_t content_read(struct content *content, void *dst, size_t len, uint64_t off);
/* reader_pin for encoded content; -ENOBUFS for any other: read it. */
ssize_t content_pin(struct content *content, struct reader_pins *pins, size_t len, uint64_t off);
/* Relay writes. -EBADF no writer has it open; -ENOSPC, -EFBIG, -EIO. append: at the end, whatever off says.
 */
ssize_t content_write(struct content *content, const void *src, size_t len, uint64_t off, bool append);
/* mode: FALLOC_FL_*. -EOPNOTSUPP for what the file system below cannot. */
int content_fallocate(struct content *content, int mode, uint64_t off, uint64_t len);
/* SEEK_DATA, SEEK_HOLE. */
int64_t content_seek(struct content *content, uint64_t off, int whence);
/* copy_file_range(2) within the store. Bytes copied, or -errno. */
ssize_t content_copy(
	struct content *from, uint64_t from_off, struct content *to, uint64_t to_off, size_t len);
/* Data durable, then the names. datasync: only data and size. A failed one is sticky for the content: -EIO
 * until all handles are closed. */
int content_fsync(struct content *content, bool datasync);

/* --- by inode number, open or not --- */

/* names_get with live size, blocks, mtime and ctime. */
int content_getattr(struct stage *stage, uint64_t ino, struct inode *out);
/* Fills the live fields of a record that was just read. */
void content_fill(struct stage *stage, struct inode *inode);
/* Truncates or extends. */
int content_truncate(struct stage *stage, uint64_t ino, uint64_t size);
/* names_setattr, with mtime passed on to a staged file. */
int content_setattr(
	struct stage *stage, uint64_t ino, const struct inode *attr, unsigned fields, struct inode *out);
/* Begins to write a staged file's bytes to disk, without waiting: called when the file's name has replaced
 * another, so that after a power cut the name does not come back before the bytes (as ext4's auto_da_alloc).
 * Nothing to do for other content. */
void content_writeout(struct stage *stage, uint64_t ino);
/* The kernel has forgotten the inode and it has no name: its content and record go. 0 also when it has a name
 * again. */
int content_drop(struct stage *stage, uint64_t ino);

/* --- the queue, as the encoder uses it --- */

/* A staged file, or an inline one of a cache, that nobody is writing, taken for encoding. */
struct stage_job {
	uint64_t ino;
	int fd;		 /* open for reading until the job ends; -1: inline, see stage_read */
	uint64_t size;	 /* at the time it was taken */
	uint64_t ticket; /* changes when anybody opens it for writing, truncates or drops it */
	struct inode inode;
	struct content *content;
};
/* Waits up to wait_ms for a job. 0; -EAGAIN none came; -ESHUTDOWN after stage_stop. The job must be ended by
 * stage_publish or stage_giveback. */
int stage_take(struct stage *stage, struct stage_job *job, unsigned wait_ms);
/* All bytes of a job of at most INLINE_MAX, or of any staged one, into dst of job->size. -ESTALE: they have
 * changed. */
int stage_read(const struct stage_job *job, void *dst);
/* True while the ticket is still good: cheap, to stop early. */
bool stage_still(struct stage *stage, const struct stage_job *job);
/* A file to publish. recipe 0: inline, with the bytes given (len = job->size <= INLINE_MAX). */
struct stage_publication {
	struct stage_job job;
	struct kv_batch *batch; /* its chunk records and recipe pages, or NULL; the caller's */
	uint64_t recipe;
	const void *inline_bytes;
	uint64_t blocks; /* to show in st_blocks */
	int result; /* set: 0; -ESTALE the file was changed meanwhile, and nothing of the batch was written;
		       -errno */
};
/* Publishes a group: each file's batch together with its inode's new content in one write, then one WAL sync
 * for all, then the staged copies are removed (or linger while open). What the batches refer to in the packs
 * must be durable before. Ends the jobs of all; the unpublished go back to the queue unless they were
 * dropped. One thread at a time. 0, or the first error other than -ESTALE. */
int stage_publish(struct stage *stage, struct stage_publication *group, size_t count);
/* Has `published` called, from the encoder's thread and with no lock of a file held, after each file that was
 * published by recipe: what it takes has changed, not its bytes. NULL: nobody any more; a call under way has
 * returned then. */
void stage_watch(struct stage *stage, void (*published)(void *ctx, uint64_t ino), void *ctx);
/* Returns a job unpublished because of `error`; it is tried again after `delay_ms`. */
void stage_giveback(struct stage *stage, struct stage_job *job, unsigned delay_ms, int error);
/* As the options had it. */
unsigned stage_quiet_ms(const struct stage *stage);
/* Whether somebody waits in stage_drain. */
bool stage_is_draining(struct stage *stage);
/* Wakes takers with -ESHUTDOWN. */
void stage_stop(struct stage *stage);
/* Waits until nothing awaits encoding, without regard to quiet times. Files that somebody can still write are
 * not waited for, nor those whose encoding failed (then the last failure is returned). progress (may be NULL)
 * is called about every 200 ms with what is left; non-zero ends the wait with -EINTR. */
int stage_drain(struct stage *stage, int (*progress)(void *ctx, uint64_t files, uint64_t bytes), void *ctx);

struct stage_counts {
	uint64_t staged_files, staged_bytes; /* files and bytes (st_blocks) in staging/ */
	uint64_t kept_files, kept_bytes;     /* encoded, and kept raw as well */
	uint64_t kept_idle_bytes;	     /* of those that nobody has open: they make room for others */
	uint64_t queued_files;		     /* closed, awaiting encoding */
};
void stage_counts(struct stage *stage, struct stage_counts *out);

#endif
