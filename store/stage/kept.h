/*
 * Raw copies of the newest files that are encoded already, in STORE/kept/: to read one costs no decoding, and
 * to write to one no copying back.
 *
 * Off unless there is a budget. What is kept may go at any time while nobody has it open: oldest first (by
 * the time of the last change) when the budget is exceeded, and when more is kept than is free on the disk
 * besides, so that who fills the disk gets all of it.
 *
 * A copy outlives the mount, a crash and a loss of power, if it was *sealed*: made durable, and then a record
 * written to the index that names the content and the copy (kept_record.h). At start a copy is used only if
 * its record fits both; what else is in kept/ is removed, and so are records without a copy. So before a
 * sealed copy may change, the index says so, durably: it moves back to staging/ first, then the batch that
 * makes the file staged drops the record.
 *
 * While the store is open nothing checks the bytes of a copy, only that it is still the file that it was: it
 * is as safe as a file on the disk below is. What is in kept/ means nothing to the store otherwise: the bytes
 * are in the packs as well.
 *
 * kept_list.c which there are; kept.c from staging/ to kept/ and back; kept_start.c what an earlier run left;
 * kept_seal.c the two threads: one seals, one watches the disk.
 *
 * Any thread; one lock inside, below all others but those of store/kv.
 */
#ifndef MITHRIL_STORE_STAGE_KEPT_H
#define MITHRIL_STORE_STAGE_KEPT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/stage/kept_list.h"

#define KEPT_MIN (1u << 20) /* bytes; smaller files are decoded as fast as they are read */

struct kv;
struct kv_batch;
struct names;

struct kept_options {
	int staging_fd;	     /* the directory staging/; borrowed */
	struct kv *kv;	     /* borrowed, as is: */
	struct names *names; /* what the files are */
	uint64_t budget;     /* bytes; 0: none, and those that there are go */
	bool as_is;	     /* those that there are serve, and nothing is changed: budget says nothing */
};

struct kept {
	struct kept_options options;
	int dir_fd; /* -1: nothing is kept */

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	pthread_t watcher, sealer;
	bool running, stop; /* running: there are both threads */
	uint64_t serials;
	struct kept_list list;
};

/* The content of a file that is encoded. */
struct kept_content {
	uint64_t ino, version, recipe, size;
};

/* Takes up what an earlier run left, newest first as far as the budget goes, and removes the rest. Where
 * kept/ cannot be had nothing is kept. */
void kept_init(struct kept *kept, const struct kept_options *options);
/* Seals what is not sealed yet, and lets go of all. No copy is held any more. */
void kept_release(struct kept *kept);

/* Takes the content's copy from staging/, which `fd` has open; it may be dropped at once, for others of other
 * files. `held`: as after kept_open. False: not wanted, and where it was. `fd` stays the caller's. */
bool kept_give(struct kept *kept, const struct kept_content *content, int fd, bool held);
/* A descriptor of the copy, read-only, the caller's to close. It is held until kept_close or kept_take: it
 * does not go. -ENOENT there is none of this version; any other is none now. */
int kept_open(struct kept *kept, uint64_t ino, uint64_t version);
void kept_close(struct kept *kept, uint64_t ino);
/* Puts a copy that is held, and that `fd` has open, back into staging/, durably. The caller drops the record
 * (kept_record_delete) in the batch that says that the file is staged, and has that batch be durable, before
 * a byte changes. *moved: it is in staging/, also after a failure. -ENOENT, -EIO, -ENOSPC, -EROFS. */
int kept_take(struct kept *kept, uint64_t ino, int fd, bool *moved);
/* The file or its content is gone. */
void kept_drop(struct kept *kept, uint64_t ino);

/* Seals all that there are now. Those that cannot be stay until the end of the run. */
void kept_seal(struct kept *kept);

struct kept_sums {
	uint64_t files, bytes;
	uint64_t idle_bytes; /* of those that nobody holds: they make room for whoever wants it */
};
void kept_sums(struct kept *kept, struct kept_sums *out);

/* --- for the files of kept itself; with the lock held --- */

/* Forgets it and removes its copy and its record. Nobody holds it. */
void kept_remove(struct kept *kept, struct kept_file *file);
/* Drops older ones until a copy of so many bytes and that time fits the budget. False: they are newer. */
bool kept_make_room(struct kept *kept, uint64_t bytes, struct timespec mtime);
/* Drops the oldest until no more is kept than is free besides. */
void kept_fit_disk(struct kept *kept);
/* Takes up what is there and sound; with options.as_is false removes the rest. */
void kept_load(struct kept *kept);
/* Without the lock. False: no threads could be made. */
bool kept_threads_start(struct kept *kept);
void kept_threads_stop(struct kept *kept);

#endif
