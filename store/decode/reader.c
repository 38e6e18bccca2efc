#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/decode/reader.h"
#include "store/util/log.h"

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

int reader_look_up(struct reader *reader, uint64_t off, uint64_t end, struct extent *extents, size_t *count)
{
	int rc = 0;

	*count = 0;
	pthread_mutex_lock(&reader->lock);
	while (off < end && *count < READER_PINS) {
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

int reader_failed(const struct reader *reader, uint64_t off, int error)
{
	if (error != -ENOENT && error != -ENXIO && error != -EBADMSG)
		return error;
	log_error("recipe %llu offset %llu: its data is damaged or missing",
		(unsigned long long)reader->recipe, (unsigned long long)off);
	return -EBADMSG;
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
	struct extent extents[READER_PINS];
	uint64_t off = 0;
	size_t count;
	int rc = 0;

	while (!rc && off < reader->size) {
		rc = reader_look_up(reader, off, reader->size, extents, &count);
		for (size_t i = 0; !rc && i < count; i++)
			if (!chunk_id_is_zero(&extents[i].chunk))
				rc = check_extent(reader, &extents[i]);
		if (!rc)
			off = extents[count - 1].off + extents[count - 1].len;
	}
	return rc ? reader_failed(reader, off, rc) : 0;
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
		return reader_failed(reader, off, rc);
	return off < reader->size || want_hole ? (int64_t)off : -ENXIO;
}
