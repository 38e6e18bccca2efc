#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "store/packs/internal.h"
#include "store/util/io.h"
#include "store/util/log.h"

static void seal_locked(struct packs *packs)
{
	if (!packs->append)
		return;
	pack_file_put(packs, packs->append);
	packs->append = NULL;
}

static int start_pack(struct packs *packs)
{
	int rc = 0;
	struct pack_file *file = pack_file_create(packs, packs->next_id, &rc);

	if (!file)
		return rc;
	packs->dir_dirty = true;
	rc = packs_add_id(packs, packs->next_id);
	if (rc) {
		pack_file_put(packs, file);
		packs->next_id++;
		return rc;
	}
	packs->next_id++;
	packs->append = file;
	packs->append_end = PACK_HEADER_SIZE;
	return 0;
}

/* Takes the next `span` bytes of the append pack; the file comes with a reference and counts a writer. */
static int reserve(struct packs *packs, uint64_t span, struct pack_file **file, uint64_t *offset)
{
	int rc = 0;

	pthread_mutex_lock(&packs->lock);
	if (!packs->append)
		rc = start_pack(packs);
	if (!rc) {
		*file = packs->append;
		*offset = packs->append_end;
		(*file)->refs++;
		(*file)->writers++;
		packs->append_end += span;
		if (packs->append_end > PACK_TARGET)
			seal_locked(packs);
	}
	pthread_mutex_unlock(&packs->lock);
	return rc;
}

/* A failed append gives its place back if nobody took the next one; otherwise it stays a gap. */
static void finish(struct packs *packs, struct pack_file *file, uint64_t offset, uint64_t span, int rc)
{
	pthread_mutex_lock(&packs->lock);
	if (rc && packs->append == file && packs->append_end == offset + span)
		packs->append_end = offset;
	if (!rc && !file->dirty) {
		file->dirty = true;
		file->refs++;
		file->next_dirty = packs->dirty;
		packs->dirty = file;
	}
	if (!--file->writers)
		pthread_cond_broadcast(&packs->settled);
	pack_file_put(packs, file);
	pthread_mutex_unlock(&packs->lock);
}

static int write_frame(
	int fd, const uint8_t *header, uint32_t size, const void *payload, uint32_t len, uint64_t offset)
{
	struct iovec parts[2] = {{(void *)header, size}, {(void *)payload, len}};
	ssize_t n = pwritev(fd, parts, 2, (off_t)offset);
	size_t done = n < 0 ? 0 : (size_t)n;
	int rc;

	if (n < 0 && errno != EINTR)
		return -errno;
	if (done < size) {
		rc = io_pwrite_full(fd, header + done, size - done, offset + done);
		if (rc)
			return rc;
		done = size;
	}
	return io_pwrite_full(fd, (const uint8_t *)payload + (done - size), len + size - done, offset + done);
}

static int append_encoded(
	struct packs *packs, const struct frame *frame, const void *payload, struct frame_place *place)
{
	uint8_t header[FRAME_HEADER_MAX];
	uint32_t size = frame_encode(frame, payload, header);
	uint64_t span, offset;
	struct pack_file *file;
	int rc = packs->read_only ? -EROFS : atomic_load(&packs->failed);

	if (rc)
		return rc;
	place->payload_len = frame->payload_len;
	place->bases = frame->bases.count;
	span = frame_span(place);
	rc = reserve(packs, span, &file, &offset);
	if (rc)
		return rc;
	rc = write_frame(file->fd, header, size, payload, frame->payload_len, offset);
	place->pack = file->id;
	place->offset = (uint32_t)offset;
	finish(packs, file, offset, span, rc);
	return rc;
}

int packs_append(
	struct packs *packs, const struct frame *frame, const void *payload, struct frame_place *place)
{
	if (frame->raw_len < 1 || frame->raw_len > FRAME_RAW_MAX || frame->payload_len > FRAME_PAYLOAD_MAX ||
		chunk_id_is_zero(&frame->id) || !chunk_bases_sound(&frame->bases))
		return -EINVAL;
	return append_encoded(packs, frame, payload, place);
}

int packs_move(struct packs *packs, const struct frame_place *from, struct frame_place *to)
{
	struct frame frame;
	void *payload = malloc(from->payload_len ? from->payload_len : 1);
	int rc;

	if (!payload)
		return -ENOMEM;
	rc = packs_read(packs, from, NULL, &frame, payload, from->payload_len);
	if (!rc)
		rc = append_encoded(packs, &frame, payload, to);
	free(payload);
	return rc;
}

/* Takes what is to be synced now: the dirty packs, with their references, and whether the directory is dirty.
 */
static struct pack_file *take_dirty(struct packs *packs, bool *dir)
{
	struct pack_file *list;

	pthread_mutex_lock(&packs->lock);
	list = packs->dirty;
	for (struct pack_file *file = list; file; file = file->next_dirty) {
		file->next_sync = file->next_dirty;
		file->dirty = false;
	}
	packs->dirty = NULL;
	*dir = packs->dir_dirty;
	packs->dir_dirty = false;
	pthread_mutex_unlock(&packs->lock);
	return list;
}

static int sync_files(struct packs *packs, struct pack_file *list)
{
	int rc = 0;

	while (list) {
		struct pack_file *next = list->next_sync;
		if (fdatasync(list->fd) && !rc)
			rc = -errno;
		pack_file_return(packs, list);
		list = next;
	}
	return rc;
}

int packs_sync(struct packs *packs)
{
	struct pack_file *list;
	bool dir;
	int rc;

	pthread_mutex_lock(&packs->sync_lock);
	list = take_dirty(packs, &dir);
	rc = sync_files(packs, list);
	if (!rc && dir && fsync(packs->dir_fd))
		rc = -errno;
	if (rc) {
		log_error("syncing packs: %s; no more is written to them until the store is reopened",
			strerror(-rc));
		atomic_store(&packs->failed, -EIO);
	}
	rc = atomic_load(&packs->failed);
	pthread_mutex_unlock(&packs->sync_lock);
	return rc;
}

int packs_seal(struct packs *packs)
{
	pthread_mutex_lock(&packs->lock);
	seal_locked(packs);
	pthread_mutex_unlock(&packs->lock);
	return 0;
}
