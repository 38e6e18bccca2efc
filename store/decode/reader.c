#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/decode/internal.h"
#include "store/decode/streams.h"
#include "store/util/log.h"

#define BATCH 32u /* extents looked up at a time */

struct reader {
	struct decoder *decoder;
	uint64_t recipe, size;
	pthread_mutex_t lock;	      /* protects what follows */
	struct recipe_cursor *cursor; /* for what is being read */
	struct recipe_cursor *scout;  /* for what is read ahead; made when first needed */
	struct streams streams;
};

int reader_open(struct decoder *decoder, uint64_t recipe, struct reader **out)
{
	struct reader *reader;
	struct recipe_head head;
	int rc = recipe_head_get(decoder->recipes, recipe, &head);

	if (rc)
		return rc;
	reader = calloc(1, sizeof *reader);
	if (!reader)
		return -ENOMEM;
	reader->decoder = decoder;
	reader->recipe = recipe;
	reader->size = head.size;
	reader->cursor = recipe_cursor_new(decoder->recipes, recipe);
	if (!reader->cursor) {
		free(reader);
		return -ENOMEM;
	}
	pthread_mutex_init(&reader->lock, NULL);
	*out = reader;
	return 0;
}

void reader_close(struct reader *reader)
{
	if (!reader)
		return;
	ahead_cancel(reader->decoder->ahead, reader);
	recipe_cursor_free(reader->cursor);
	recipe_cursor_free(reader->scout);
	pthread_mutex_destroy(&reader->lock);
	free(reader);
}

uint64_t reader_size(const struct reader *reader)
{
	return reader->size;
}

static bool wanted(struct reader *reader, const struct extent *extent)
{
	return !chunk_id_is_zero(&extent->chunk) && !cache_has(reader->decoder->cache, &extent->chunk);
}

/* Asks for the chunks of from..to. Where it stopped. Locked. */
static uint64_t scout_ahead(struct reader *reader, uint64_t from, uint64_t to)
{
	struct extent extent;

	if (!reader->scout)
		reader->scout = recipe_cursor_new(reader->decoder->recipes, reader->recipe);
	if (!reader->scout)
		return from;
	while (from < to) {
		if (recipe_cursor_at(reader->scout, from, &extent))
			return to;
		if (wanted(reader, &extent) &&
			!ahead_request(reader->decoder->ahead, reader, &extent.chunk, false))
			return from;
		from = extent.off + extent.len;
	}
	return from;
}

static void read_ahead(struct reader *reader, uint64_t off, size_t len)
{
	uint64_t from, to;
	struct stream *stream;

	pthread_mutex_lock(&reader->lock);
	stream = streams_touch(&reader->streams, off, len);
	if (stream_window(stream, reader->decoder->window_max, reader->size, &from, &to))
		stream->ahead = scout_ahead(reader, from, to);
	pthread_mutex_unlock(&reader->lock);
}

/* Looks up the extents of off..end, as many as fit. */
static int look_up(struct reader *reader, uint64_t off, uint64_t end, struct extent *extents, size_t *count)
{
	int rc = 0;

	*count = 0;
	pthread_mutex_lock(&reader->lock);
	while (off < end && *count < BATCH) {
		struct extent *extent = extents + *count;
		rc = recipe_cursor_at(reader->cursor, off, extent);
		if (rc)
			break;
		off = extent->off + extent->len;
		++*count;
	}
	pthread_mutex_unlock(&reader->lock);
	return rc;
}

/* The first chunk is decoded by this thread; others may begin with the rest. */
static void share(struct reader *reader, const struct extent *extents, size_t count)
{
	for (size_t i = count; i-- > 1;) {
		if (wanted(reader, extents + i))
			ahead_request(reader->decoder->ahead, reader, &extents[i].chunk, true);
	}
}

static int copy_extent(
	struct reader *reader, const struct extent *extent, uint64_t off, void *dst, size_t len)
{
	struct chunk_data *data;
	const uint8_t *bytes;
	size_t have;
	int rc;

	if (chunk_id_is_zero(&extent->chunk)) {
		memset(dst, 0, len);
		return 0;
	}
	rc = decode_chunk(reader->decoder, &extent->chunk, &data);
	if (rc)
		return rc;
	bytes = chunk_data_bytes(data, &have);
	if (extent->chunk_off > have || extent->len > have - extent->chunk_off)
		rc = -EBADMSG;
	else
		memcpy(dst, bytes + extent->chunk_off + (off - extent->off), len);
	decode_release(reader->decoder, data);
	return rc;
}

/* *done grows by what was read. */
static int read_batch(struct reader *reader, uint8_t *dst, uint64_t off, uint64_t end, uint64_t *done)
{
	struct extent extents[BATCH];
	size_t count;
	int rc = look_up(reader, off, end, extents, &count);

	if (rc)
		return rc;
	share(reader, extents, count);
	for (size_t i = 0; i < count; i++) {
		uint64_t stop = extents[i].off + extents[i].len;
		size_t part = (size_t)((stop < end ? stop : end) - off);
		rc = copy_extent(reader, extents + i, off, dst, part);
		if (rc)
			return rc;
		dst += part;
		off += part;
		*done += part;
	}
	return 0;
}

static int failed(const struct reader *reader, uint64_t off, int error)
{
	if (error != -ENOENT && error != -ENXIO && error != -EBADMSG)
		return error;
	log_error("recipe %llu offset %llu: its data is damaged or missing",
		(unsigned long long)reader->recipe, (unsigned long long)off);
	return -EBADMSG;
}

ssize_t reader_read(struct reader *reader, void *dst, size_t len, uint64_t off)
{
	uint64_t done = 0;
	int rc;

	if (off >= reader->size || !len)
		return 0;
	if (len > reader->size - off)
		len = (size_t)(reader->size - off);
	read_ahead(reader, off, len);
	while (done < len) {
		rc = read_batch(reader, (uint8_t *)dst + done, off + done, off + len, &done);
		if (rc)
			return failed(reader, off + done, rc);
	}
	return (ssize_t)len;
}

static int check_extent(struct reader *reader, const struct extent *extent)
{
	struct chunk_data *data;
	size_t have;
	int rc = decode_chunk(reader->decoder, &extent->chunk, &data);

	if (rc)
		return rc;
	chunk_data_bytes(data, &have);
	if (extent->chunk_off > have || extent->len > have - extent->chunk_off)
		rc = -EBADMSG;
	decode_release(reader->decoder, data);
	return rc;
}

int reader_check(struct reader *reader)
{
	struct extent extents[BATCH];
	uint64_t off = 0;
	size_t count;
	int rc = 0;

	while (!rc && off < reader->size) {
		rc = look_up(reader, off, reader->size, extents, &count);
		for (size_t i = 0; !rc && i < count; i++)
			if (!chunk_id_is_zero(&extents[i].chunk))
				rc = check_extent(reader, &extents[i]);
		if (!rc)
			off = extents[count - 1].off + extents[count - 1].len;
	}
	return rc ? failed(reader, off, rc) : 0;
}

int64_t reader_seek(struct reader *reader, uint64_t off, int whence)
{
	bool want_hole = whence == SEEK_HOLE;
	struct extent extent;
	int rc = 0;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return -EINVAL;
	if (off >= reader->size)
		return -ENXIO;
	pthread_mutex_lock(&reader->lock);
	while (off < reader->size) {
		rc = recipe_cursor_at(reader->cursor, off, &extent);
		if (rc || chunk_id_is_zero(&extent.chunk) == want_hole)
			break;
		off = extent.off + extent.len;
	}
	pthread_mutex_unlock(&reader->lock);
	if (rc)
		return failed(reader, off, rc);
	return off < reader->size || want_hole ? (int64_t)off : -ENXIO;
}
