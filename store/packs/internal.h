/*
 * What the files of store/packs share. Nobody else includes this.
 */
#ifndef MITHRIL_STORE_PACKS_INTERNAL_H
#define MITHRIL_STORE_PACKS_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/packs/packs.h"

#define PACKS_IDLE_MAX 64u /* open packs that nobody is using */
#define PACK_NAME_LEN 21u  /* 16 hex digits, ".pack" */

/* One open pack. Unless it is said otherwise, protected by packs->lock; id and fd are constant. */
struct pack_file {
	uint64_t id;
	int fd;
	unsigned refs;
	unsigned writers; /* appends under way */
	bool dirty;	  /* in packs->dirty, which holds a reference */
	bool removed;	  /* no longer in packs->open: closed at the last put */
	uint64_t used;	  /* packs->clock at the last use */
	struct pack_file *next_dirty;
	struct pack_file *next_sync; /* protected by packs->sync_lock */
};

struct packs {
	int dir_fd;
	uint8_t uuid[16];
	bool read_only;

	pthread_mutex_t lock;
	pthread_cond_t settled; /* some pack's writers became 0 */
	uint64_t *ids;		/* ascending */
	size_t count, capacity;
	uint64_t next_id;
	struct pack_file **open; /* all that are open and not removed */
	size_t open_count, open_capacity;
	uint64_t clock;
	struct pack_file *append; /* holds a reference; NULL: none */
	uint64_t append_end;
	struct pack_file *dirty;
	bool dir_dirty; /* a pack was made since the directory was last synced */

	pthread_mutex_t sync_lock; /* before lock; one sync at a time */
	_Atomic int failed;	   /* 0, or what every append gets since a sync failed */
	_Atomic uint64_t bytes_read;
};

/* Enters a pack's id into the list. With packs->lock held. -ENOMEM. */
int packs_add_id(struct packs *packs, uint64_t id);

void pack_name(uint64_t id, char name[PACK_NAME_LEN + 1]);

/* Pure: the 64 bytes at the start of a pack. */
void pack_header_encode(uint8_t dst[PACK_HEADER_SIZE], const uint8_t uuid[16], uint64_t id);
/* -EBADMSG damaged, or sound and of another store or pack (*foreign is then set). */
int pack_header_check(
	const uint8_t src[PACK_HEADER_SIZE], const uint8_t uuid[16], uint64_t id, bool *foreign);

/* With packs->lock held. get: the pack, open for reading, with one more reference; NULL with *rc set. */
struct pack_file *pack_file_get(struct packs *packs, uint64_t id, int *rc);
void pack_file_put(struct packs *packs, struct pack_file *file);
/* Makes a new pack with its header, open for appending, with one reference. */
struct pack_file *pack_file_create(struct packs *packs, uint64_t id, int *rc);
/* Forgets the open file of a pack that was unlinked; who uses it goes on. */
void pack_file_drop(struct packs *packs, uint64_t id);

/* The same, taking the lock. */
struct pack_file *pack_file_borrow(struct packs *packs, uint64_t id, int *rc);
void pack_file_return(struct packs *packs, struct pack_file *file);

#endif
