#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dedup/spill/layout.h"
#include "dedup/spill/table.h"
#include "store/util/bytes.h"
#include "store/util/io.h"

static int read_head(int fd, enum dedup_table_kind kind, const struct dedup_digest *digest)
{
	uint8_t head[HEAD];
	int rc = io_pread_full(fd, head, HEAD, 0);

	if (rc)
		return rc == -ENODATA ? -EBADMSG : rc;
	if (memcmp(head, MAGIC, 8) || get_le32(head + HEAD_VERSION) != VERSION ||
		get_le64(head + HEAD_SUM) != XXH3_64bits(head, HEAD_SUM))
		return -EBADMSG;
	if (memcmp(head + HEAD_DIGEST, digest->bytes, sizeof digest->bytes))
		return -ESTALE;
	return get_le32(head + HEAD_KIND) == kind ? 0 : -EBADMSG;
}

/* Runs lie one after the other, between head and foot. */
static int take_runs(struct dedup_table *t, const uint8_t *at, uint64_t foot)
{
	uint64_t end = HEAD;

	t->runs = calloc(t->run_count + 1, sizeof *t->runs);
	if (!t->runs)
		return -ENOMEM;
	for (size_t i = 0; i < t->run_count; i++, at += RUN) {
		struct dedup_table_run *run = &t->runs[i];

		*run = (struct dedup_table_run){get_le32(at), get_le64(at + 4), get_le64(at + 12)};
		if (run->off != end || run->bytes > foot - end)
			return -EBADMSG;
		end += run->bytes;
	}
	for (unsigned i = 0; i < DEDUP_TABLE_COUNTS; i++, at += 8)
		t->counts[i] = get_le64(at);
	return end == foot ? 0 : -EBADMSG;
}

static int read_foot(struct dedup_table *t, uint64_t size)
{
	uint8_t tail[TAIL], *bytes;
	uint64_t runs, foot, len;
	int rc;

	if (size < HEAD + DEDUP_TABLE_COUNTS * 8 + TAIL)
		return -EBADMSG;
	rc = io_pread_full(t->fd, tail, TAIL, size - TAIL);
	if (rc)
		return rc == -ENODATA ? -EBADMSG : rc;
	runs = get_le64(tail);
	foot = get_le64(tail + TAIL_OFF);
	if (memcmp(tail + TAIL_MAGIC, FOOT_MAGIC, 8) || runs > DEDUP_TABLE_PARTS_MAX)
		return -EBADMSG;
	len = runs * RUN + DEDUP_TABLE_COUNTS * 8 + TAIL;
	if (len > size - HEAD || foot != size - len)
		return -EBADMSG;
	bytes = malloc(len);
	if (!bytes)
		return -ENOMEM;
	t->run_count = runs;
	rc = io_pread_full(t->fd, bytes, len, foot);
	if (!rc && get_le64(tail + TAIL_SUM) != XXH3_64bits(bytes, len - TAIL + TAIL_SUM))
		rc = -EBADMSG;
	rc = rc ? rc : take_runs(t, bytes, foot);
	free(bytes);
	return rc == -ENODATA ? -EBADMSG : rc;
}

int dedup_table_open(struct dedup_table *t, const char *dir, const char *name, enum dedup_table_kind kind,
	const struct dedup_digest *digest)
{
	char path[PATH_MAX];
	struct stat st;
	int rc;

	*t = (struct dedup_table){.fd = -1};
	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= PATH_MAX)
		return -ENAMETOOLONG;
	t->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (t->fd < 0 || fstat(t->fd, &st))
		rc = -errno;
	else
		rc = read_head(t->fd, kind, digest);
	rc = rc ? rc : read_foot(t, (uint64_t)st.st_size);
	if (rc)
		dedup_table_close(t);
	return rc;
}

void dedup_table_close(struct dedup_table *t)
{
	if (t->fd >= 0)
		close(t->fd);
	free(t->runs);
	t->runs = NULL;
	t->run_count = 0;
	t->fd = -1;
}

void dedup_cursor_open(struct dedup_cursor *c, const struct dedup_table *t, size_t run)
{
	*c = (struct dedup_cursor){
		.fd = t->fd, .off = t->runs[run].off, .end = t->runs[run].off + t->runs[run].bytes};
}

void dedup_cursor_close(struct dedup_cursor *c)
{
	free(c->buffer);
	*c = (struct dedup_cursor){.fd = -1};
}

/* Appends the next block to the buffer, which has room for a whole one. */
static int read_block(struct dedup_cursor *c)
{
	uint8_t head[BLOCK_HEAD];
	uint64_t place = c->off;
	uint32_t len;
	int rc;

	if (c->end - c->off < BLOCK_HEAD)
		return -EBADMSG;
	rc = io_pread_full(c->fd, head, BLOCK_HEAD, place);
	if (rc)
		return rc;
	len = get_le32(head);
	if (!len || len > DEDUP_TABLE_BLOCK || len > c->end - c->off - BLOCK_HEAD)
		return -EBADMSG;
	rc = io_pread_full(c->fd, c->buffer + c->len, len, place + BLOCK_HEAD);
	if (rc)
		return rc;
	if (get_le64(head + BLOCK_SUM) != XXH3_64bits_withSeed(c->buffer + c->len, len, place))
		return -EBADMSG;
	c->len += len;
	c->off += BLOCK_HEAD + len;
	return 0;
}

static int make_room(struct dedup_cursor *c, size_t room)
{
	uint8_t *grown;

	if (c->at)
		memmove(c->buffer, c->buffer + c->at, c->len - c->at);
	c->len -= c->at;
	c->at = 0;
	if (room <= c->capacity)
		return 0;
	grown = realloc(c->buffer, room);
	if (!grown)
		return -ENOMEM;
	c->buffer = grown;
	c->capacity = room;
	return 0;
}

int dedup_cursor_peek(struct dedup_cursor *c, size_t want, const uint8_t **bytes)
{
	int rc = 0;

	if (c->len - c->at < want) {
		if (c->at == c->len && c->off == c->end)
			return 0;
		if (want - (c->len - c->at) > c->end - c->off)
			return -EBADMSG;
		rc = make_room(c, want + DEDUP_TABLE_BLOCK);
	}
	while (!rc && c->len - c->at < want)
		rc = c->off == c->end ? -EBADMSG : read_block(c);
	*bytes = c->buffer + c->at;
	return rc ? (rc == -ENODATA ? -EBADMSG : rc) : 1;
}

void dedup_cursor_skip(struct dedup_cursor *c, size_t len)
{
	c->at += len;
}

int dedup_cursor_read(struct dedup_cursor *c, void *dst, size_t len)
{
	uint8_t *to = dst;

	while (len) {
		size_t n = len < DEDUP_TABLE_BLOCK ? len : DEDUP_TABLE_BLOCK;
		const uint8_t *bytes;
		int rc = dedup_cursor_peek(c, n, &bytes);

		if (rc <= 0)
			return rc ? rc : -EBADMSG;
		memcpy(to, bytes, n);
		dedup_cursor_skip(c, n);
		to += n;
		len -= n;
	}
	return 0;
}
