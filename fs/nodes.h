/*
 * What the kernel holds: per inode, how often it was looked up and how it is open.
 *
 * The kernel reads and writes an inode in one of two modes at a time: through its page cache (requests come
 * to us) or passed through to a backing file. An open that disagrees with the mode the inode is in fails with
 * EIO, so the choice is made here, under one lock, and counts from the moment it is made until the handle's
 * release has arrived, which the kernel sends after it has left the mode.
 *
 * Any thread; one lock per stripe of inode numbers.
 */
#ifndef MITHRIL_FS_NODES_H
#define MITHRIL_FS_NODES_H

#include <stdbool.h>
#include <stdint.h>

struct nodes;

/* `dev_fd`: the FUSE device, for backing files. */
int nodes_new(struct nodes **out);
/* Calls `each` (may be NULL) for every inode that has lost its last name and was not forgotten yet, then
 * frees all. */
void nodes_free(struct nodes *nodes, void (*each)(void *ctx, uint64_t ino), void *ctx);

/* The reply about to be sent lets the kernel know the inode (once more). -ENOMEM. */
int nodes_add(struct nodes *nodes, uint64_t ino);
/* True when the kernel has now forgotten it entirely and it has no name: its content may go. */
bool nodes_forget(struct nodes *nodes, uint64_t ino, uint64_t times);
/* Notes that the inode has lost its last name, or has got one again. False: the kernel does not know it. */
bool nodes_set_unlinked(struct nodes *nodes, uint64_t ino, bool unlinked);
/* True while somebody may write to it without our seeing it. */
bool nodes_written_elsewhere(struct nodes *nodes, uint64_t ino);

/* Whether the kernel may have pages of that version from an open before. */
bool nodes_has_pages(struct nodes *nodes, uint64_t ino, uint64_t version);

struct node_open {
	bool passthrough, writer;
	bool direct;	    /* relayed past the kernel's page cache */
	bool keep_cache;    /* cached: the pages the kernel has are those of `version` */
	int32_t backing_id; /* passthrough */
	uint64_t version;   /* cached */
};

/* What an open asks for. */
struct node_ask {
	bool writer, reader;
	bool created;	 /* by this open: what its file holds is what it writes */
	bool may_direct; /* a file opened past the page cache can still be mapped, on this kernel */
	int dev_fd;	 /* -1: no passthrough */
	int content_fd;	 /* -1: the bytes are not in a file */
	uint64_t version;
};

/* Decides how an inode is opened. Who only writes, or made the file, is relayed past the page cache, unless
 * others have it open through that; and while such a writer is there, so is everybody else: their reads could
 * leave pages behind that his writes have overtaken. *denied is set when the kernel refuses backing files for
 * want of rights or for the file system below. */
int nodes_open(
	struct nodes *nodes, uint64_t ino, const struct node_ask *ask, struct node_open *out, bool *denied);
/* Undoes nodes_open after the handle's release. */
void nodes_close(struct nodes *nodes, uint64_t ino, int dev_fd, const struct node_open *open);

#endif
