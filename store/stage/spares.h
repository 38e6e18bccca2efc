/*
 * Files of staging/ that have served, emptied and kept in STORE/spare/ to serve again.
 *
 * A small file is staged, encoded and unstaged within seconds. To make and remove a file for each costs the
 * file system below more than writing the bytes does: ext4 without a journal looks at every inode that was
 * freed in the last minute before it takes one. So the file moves to spare/ and comes back under another
 * name.
 *
 * A spare costs an inode and a name below, and no block; four bytes here. Where inodes run short below, no
 * more are kept, and those that there are go one by one.
 *
 * A file is kept only if nobody has it open or mapped any more. What is in spare/ means nothing: it is
 * removed at open and at close.
 *
 * Any thread.
 */
#ifndef MITHRIL_STORE_STAGE_SPARES_H
#define MITHRIL_STORE_STAGE_SPARES_H

#include <pthread.h>
#include <stdint.h>

#define SPARES_MAX 65536u
#define SPARES_BYTES (1u << 20) /* larger files are removed at once */
#define SPARES_LEFT 4096u	/* inodes that others find free below, or there are fewer spares */

struct spares {
	int staging_fd; /* borrowed */
	int dir_fd;	/* -1: none are kept */
	pthread_mutex_t lock;
	uint32_t ids[SPARES_MAX];
	unsigned count;
	uint32_t next;
};

/* staging_fd: the directory staging/; it stays the caller's. Where spare/ cannot be had, none are kept; -1:
 * none, and nothing is changed on disk. */
void spares_init(struct spares *spares, int staging_fd);
void spares_release(struct spares *spares);

/* Makes staging/NAME, empty, with times of now, from a spare one or anew. Its descriptor, read-only, or
 * -errno. */
int spares_take(struct spares *spares, const char *name);

/* Removes staging/NAME, which `fd` (-1: nobody here) has open; it may be kept. `fd` stays the caller's, who
 * must not use it any more but close it. */
void spares_give(struct spares *spares, const char *name, int fd);

#endif
