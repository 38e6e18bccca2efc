/*
 * Files of the stages between: bytes in runs, each of a numbered part, in blocks with checksums; written
 * under a temporary name, made durable, and renamed, so that a file that has its name is whole. The format is
 * in mithril-dedup-stages(5). All that is read is checked; what is not as written is -EBADMSG.
 */
#ifndef MITHRIL_DEDUP_SPILL_TABLE_H
#define MITHRIL_DEDUP_SPILL_TABLE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEDUP_TABLE_BLOCK (1u << 17) /* bytes a block at most */
#define DEDUP_TABLE_COUNTS 8u
#define DEDUP_TABLE_PARTS_MAX (1u << 20) /* runs a file */

/* On disk; numbers are never used again. */
enum dedup_table_kind {
	DEDUP_TABLE_NOTES = 1,
	DEDUP_TABLE_TEXTS,
	DEDUP_TABLE_BANDS,
	DEDUP_TABLE_EDGES,
	DEDUP_TABLE_LINES,
	DEDUP_TABLE_COMPONENTS,
	DEDUP_TABLE_SHINGLES,
	DEDUP_TABLE_TIES,
	DEDUP_TABLE_OUTCOME,
	DEDUP_TABLE_PLAN,
	DEDUP_TABLE_OUTPUT,
	DEDUP_TABLE_TRIPLES,
};

/* What a file was made for: of another plan it is of no use. */
struct dedup_digest {
	uint8_t bytes[16];
};

struct dedup_table_run {
	uint32_t part;
	uint64_t off, bytes; /* in the file, with the blocks' heads */
};

struct dedup_table_writer {
	char path[PATH_MAX], temporary[PATH_MAX];
	int fd; /* -1: none */
	struct dedup_table_run *runs;
	size_t run_count, run_capacity;
	uint8_t *block;
	size_t len;
	uint64_t off;
	uint64_t counts[DEDUP_TABLE_COUNTS]; /* the caller's; in the file's foot */
};

/* Begins dir/name. -EBUSY: another process is writing it; -ENAMETOOLONG, -ENOMEM, errors of open(2) and
 * pwrite(2). For dedup_table_drop also after a failure. */
int dedup_table_create(struct dedup_table_writer *w, const char *dir, const char *name,
	enum dedup_table_kind kind, const struct dedup_digest *digest);
/* What is put from here on is a run of its own. -ENOMEM, -EOVERFLOW too many, errors of pwrite(2). */
int dedup_table_begin(struct dedup_table_writer *w, uint32_t part);
/* More of the run. Errors of pwrite(2). */
int dedup_table_put(struct dedup_table_writer *w, const void *data, size_t len);
/* The foot, fsync(2), the name. Errors of pwrite(2), fsync(2), rename(2). */
int dedup_table_finish(struct dedup_table_writer *w);
/* Closes, and removes what has not been finished. One with fd = -1 is fine. */
void dedup_table_drop(struct dedup_table_writer *w);

struct dedup_table {
	int fd; /* -1: none */
	struct dedup_table_run *runs;
	size_t run_count;
	uint64_t counts[DEDUP_TABLE_COUNTS];
};

/* -ENOENT; -ESTALE: of another plan; -EBADMSG; -ENOMEM; errors of open(2) and pread(2). */
int dedup_table_open(struct dedup_table *t, const char *dir, const char *name, enum dedup_table_kind kind,
	const struct dedup_digest *digest);
void dedup_table_close(struct dedup_table *t);

/* Goes through one run. */
struct dedup_cursor {
	int fd;
	uint64_t off, end; /* what has not been read */
	uint8_t *buffer;
	size_t at, len, capacity;
};

/* Takes little memory until it is used. */
void dedup_cursor_open(struct dedup_cursor *c, const struct dedup_table *t, size_t run);
void dedup_cursor_close(struct dedup_cursor *c);
/* 1: *bytes are the next `want` > 0 bytes, until the next call; 0: the run ends here; -EBADMSG: it ends
 * before that, or is damaged; -ENOMEM, errors of pread(2). */
int dedup_cursor_peek(struct dedup_cursor *c, size_t want, const uint8_t **bytes);
/* Moves past bytes that were peeked at. */
void dedup_cursor_skip(struct dedup_cursor *c, size_t len);
/* The next `len` bytes into dst, at once or -EBADMSG. */
int dedup_cursor_read(struct dedup_cursor *c, void *dst, size_t len);

#endif
