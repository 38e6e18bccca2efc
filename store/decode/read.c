#include <errno.h>
#include <string.h>

#include "store/decode/reader.h"

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

/* Whether the read belongs to a stream that will hardly come back. */
static bool read_ahead(struct reader *reader, uint64_t off, size_t len)
{
	uint64_t from, to;
	struct stream *stream;
	bool streams;

	pthread_mutex_lock(&reader->lock);
	stream = streams_touch(&reader->streams, off, len);
	streams = stream->run >= STREAM_MIN;
	if (stream_window(stream, reader->decoder->window_max, reader->size, &from, &to))
		stream->ahead = scout_ahead(reader, from, to);
	pthread_mutex_unlock(&reader->lock);
	return streams;
}

/* The first chunk is decoded by this thread; others may begin with the rest. */
static void share(struct reader *reader, const struct extent *extents, size_t count)
{
	for (size_t i = count; i-- > 1;) {
		if (wanted(reader, extents + i))
			ahead_request(reader->decoder->ahead, reader, &extents[i].chunk, true);
	}
}

/* The part of an extent from `off` on, `len` bytes, pinned. */
static int pin_extent(struct reader *reader, const struct extent *extent, uint64_t off, size_t len,
	struct chunk_data **data, struct iovec *part)
{
	size_t have;
	int rc = decode_chunk(reader->decoder, &extent->chunk, data);

	if (rc)
		return rc;
	const uint8_t *bytes = chunk_data_bytes(*data, &have);
	if (extent->chunk_off > have || extent->len > have - extent->chunk_off) {
		decode_release(reader->decoder, *data);
		return -EBADMSG;
	}
	*part = (struct iovec){(uint8_t *)bytes + extent->chunk_off + (off - extent->off), len};
	return 0;
}

/* What a stream has read to its end is not wanted again: the kernel has it now. */
static bool is_cold(bool streams, const struct extent *extent, uint64_t off, size_t len)
{
	return streams && off + len == extent->off + extent->len;
}

static int copy_extent(
	struct reader *reader, const struct extent *extent, uint64_t off, void *dst, size_t len, bool streams)
{
	struct chunk_data *data;
	struct iovec part;
	int rc;

	if (chunk_id_is_zero(&extent->chunk)) {
		memset(dst, 0, len);
		return 0;
	}
	rc = pin_extent(reader, extent, off, len, &data, &part);
	if (rc)
		return rc;
	memcpy(dst, part.iov_base, len);
	cache_release(reader->decoder->cache, data, is_cold(streams, extent, off, len));
	return rc;
}

static size_t part_of(const struct extent *extent, uint64_t off, uint64_t end)
{
	uint64_t stop = extent->off + extent->len;

	return (size_t)((stop < end ? stop : end) - off);
}

/* *done grows by what was read. */
static int read_batch(
	struct reader *reader, uint8_t *dst, uint64_t off, uint64_t end, bool streams, uint64_t *done)
{
	struct extent extents[READER_PINS];
	size_t count;
	int rc = reader_look_up(reader, off, end, extents, &count);

	if (rc)
		return rc;
	share(reader, extents, count);
	for (size_t i = 0; i < count; i++) {
		size_t part = part_of(extents + i, off, end);
		rc = copy_extent(reader, extents + i, off, dst, part, streams);
		if (rc)
			return rc;
		dst += part;
		off += part;
		*done += part;
	}
	return 0;
}

static size_t clip(const struct reader *reader, size_t len, uint64_t off)
{
	if (off >= reader->size)
		return 0;
	return len < reader->size - off ? len : (size_t)(reader->size - off);
}

ssize_t reader_read(struct reader *reader, void *dst, size_t len, uint64_t off)
{
	uint64_t done = 0;
	int rc;

	len = clip(reader, len, off);
	if (!len)
		return 0;
	bool streams = read_ahead(reader, off, len);
	while (done < len) {
		rc = read_batch(reader, (uint8_t *)dst + done, off + done, off + len, streams, &done);
		if (rc)
			return reader_failed(reader, off + done, rc);
	}
	return (ssize_t)len;
}

static bool can_pin(const struct extent *extents, size_t count, uint64_t end)
{
	for (size_t i = 0; i < count; i++)
		if (chunk_id_is_zero(&extents[i].chunk))
			return false;
	return count && extents[count - 1].off + extents[count - 1].len >= end;
}

ssize_t reader_pin(struct reader *reader, struct reader_pins *pins, size_t len, uint64_t off)
{
	struct extent extents[READER_PINS];
	uint64_t at = off, end;
	size_t count;
	int rc;

	pins->decoder = reader->decoder;
	pins->count = 0;
	len = clip(reader, len, off);
	if (!len)
		return 0;
	end = off + len;
	rc = reader_look_up(reader, off, end, extents, &count);
	if (rc)
		return reader_failed(reader, off, rc);
	if (!can_pin(extents, count, end))
		return -ENOBUFS;
	bool streams = read_ahead(reader, off, len);
	share(reader, extents, count);
	for (size_t i = 0; i < count; i++) {
		size_t part = part_of(extents + i, at, end);
		rc = pin_extent(reader, extents + i, at, part, &pins->data[i], &pins->parts[i]);
		if (rc) {
			reader_unpin(pins);
			return reader_failed(reader, at, rc);
		}
		pins->cold[i] = is_cold(streams, extents + i, at, part);
		pins->count++;
		at += part;
	}
	return (ssize_t)len;
}

void reader_unpin(struct reader_pins *pins)
{
	while (pins->count) {
		unsigned i = --pins->count;
		cache_release(pins->decoder->cache, pins->data[i], pins->cold[i]);
	}
}
