/*
 * Raw copies of the newest files that are encoded already, in STORE/kept/: to read one costs no decoding, and
 * to write to one no copying back.
 *
 * Off unless there is a budget. What is kept may go at any time: oldest first (by the time of the last
 * change) when the budget is exceeded, and when more is kept than is free on the disk besides, so that who
 * fills the disk gets all of it. A file that is open is not here but in staging/, and comes back when it is
 * closed.
 *
 * What is in kept/ means nothing to the store: the bytes are in the packs as well. It is removed at open and
 * at close, so that no copy is trusted that a power cut may have left torn. While the store is open nothing
 * checks a copy: it is as safe as a file on the disk below is.
 *
 * Any thread; one lock inside, below all others.
 */
#ifndef MITHRIL_STORE_STAGE_KEPT_H
#define MITHRIL_STORE_STAGE_KEPT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define KEPT_MIN (1u << 20) /* bytes; smaller files are decoded as fast as they are read */
#define KEPT_BUCKETS 1024u

struct kept_file;

struct kept {
	int staging_fd; /* borrowed */
	int dir_fd;	/* -1: nothing is kept */
	uint64_t budget;

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	pthread_t watcher; /* looks at the disk while anything is kept */
	bool watched, stop;
	struct kept_file *buckets[KEPT_BUCKETS];
	struct kept_file *newest, *oldest;
	uint64_t files, bytes;
};

/* Removes what an earlier run left. staging_fd: the directory staging/; it stays the caller's; -1:
 * nothing is kept, and nothing is changed on disk. Where kept/ cannot be had, nothing is kept either. */
void kept_init(struct kept *kept, int staging_fd, uint64_t budget);
/* Removes all of it. */
void kept_release(struct kept *kept);

/* Takes the file's copy from staging/, of version `version`, which `fd` has open; it may be dropped at once,
 * for others of other files. False: not wanted, and where it was. `fd` stays the caller's. */
bool kept_give(struct kept *kept, uint64_t ino, uint64_t version, int fd);
/* Puts the copy back into staging/. False: there is none of this version, nor any other now. */
bool kept_take(struct kept *kept, uint64_t ino, uint64_t version);
/* The file is gone. */
void kept_drop(struct kept *kept, uint64_t ino);
void kept_sums(struct kept *kept, uint64_t *files, uint64_t *bytes);

#endif
