#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/packs/internal.h"
#include "store/util/io.h"

#define WINDOW (1u << 20)

struct scan {
	int fd;
	uint64_t size;
	uint8_t *window; /* made at the first gap */
};

/* Whether the header at `src` (len bytes are there) is sound and its frame ends inside the file. */
static bool sound_at(
	const struct scan *scan, const uint8_t *src, size_t len, uint64_t offset, struct frame *frame)
{
	uint64_t sum;

	return !frame_decode(frame, &sum, src, len) &&
	       offset + frame_header_size(frame->bases.count) + frame->payload_len <= scan->size;
}

/* Reads the header at `offset`. 1 sound, 0 not, -errno. */
static int header_at(const struct scan *scan, uint64_t offset, struct frame *frame)
{
	uint8_t header[FRAME_HEADER_MAX];
	ssize_t got = io_pread_some(scan->fd, header, sizeof header, offset);

	return got < 0 ? (int)got : sound_at(scan, header, (size_t)got, offset, frame);
}

/* Moves *offset to the next sound header, or to the end. Windows overlap by the longest header less one step,
 * but for the last. */
static int resynchronise(struct scan *scan, uint64_t *offset)
{
	static const char magic[8] = FRAME_MAGIC;
	struct frame frame;

	if (!scan->window)
		scan->window = malloc(WINDOW);
	if (!scan->window)
		return -ENOMEM;
	while (*offset + FRAME_HEADER_MIN <= scan->size) {
		ssize_t got = io_pread_some(scan->fd, scan->window, WINDOW, *offset);
		size_t at = 0, need;
		if (got < 0)
			return (int)got;
		if ((size_t)got < FRAME_HEADER_MIN)
			break;
		need = *offset + (size_t)got < scan->size && (size_t)got >= FRAME_HEADER_MAX
			       ? FRAME_HEADER_MAX
			       : FRAME_HEADER_MIN;
		for (; at + need <= (size_t)got; at += FRAME_ALIGN) {
			if (!memcmp(scan->window + at, magic, sizeof magic) &&
				sound_at(scan, scan->window + at, (size_t)got - at, *offset + at, &frame)) {
				*offset += at;
				return 0;
			}
		}
		*offset += at;
	}
	*offset = scan->size;
	return 0;
}

/* *offset: where the first frame may be. A damaged pack header is a loss; a sound one of another pack is an
 * error. */
static int check_start(struct packs *packs, uint64_t pack, struct scan *scan, uint64_t *lost)
{
	uint8_t header[PACK_HEADER_SIZE];
	bool foreign;
	int rc = io_pread_full(scan->fd, header, sizeof header, 0);

	if (rc == -ENODATA) {
		*lost += scan->size;
		return 0;
	}
	if (rc)
		return rc;
	rc = pack_header_check(header, packs->uuid, pack, &foreign);
	if (rc && foreign)
		return rc;
	if (rc)
		*lost += PACK_HEADER_SIZE;
	return 0;
}

static int scan_frames(struct scan *scan, uint64_t pack,
	int (*each)(void *ctx, const struct frame *frame, const struct frame_place *place), void *ctx,
	uint64_t *lost)
{
	uint64_t offset = PACK_HEADER_SIZE;
	struct frame frame;
	int rc = 0;

	while (offset < scan->size) {
		rc = header_at(scan, offset, &frame);
		if (rc < 0)
			return rc;
		if (!rc) {
			uint64_t from = offset;
			offset += FRAME_ALIGN;
			rc = resynchronise(scan, &offset);
			if (rc)
				return rc;
			*lost += (offset < scan->size ? offset : scan->size) - from;
			continue;
		}
		struct frame_place place = {pack, (uint32_t)offset, frame.payload_len, frame.bases.count};
		rc = each(ctx, &frame, &place);
		if (rc)
			return rc;
		offset += frame_span(&place);
	}
	return 0;
}

static void wait_for_writers(struct packs *packs, struct pack_file *file)
{
	pthread_mutex_lock(&packs->lock);
	while (file->writers && file != packs->append)
		pthread_cond_wait(&packs->settled, &packs->lock);
	pthread_mutex_unlock(&packs->lock);
}

int packs_scan(struct packs *packs, uint64_t pack,
	int (*each)(void *ctx, const struct frame *frame, const struct frame_place *place), void *ctx,
	uint64_t *lost_bytes)
{
	struct scan scan = {0};
	uint64_t lost = 0;
	struct stat st;
	int rc = 0;
	struct pack_file *file = pack_file_borrow(packs, pack, &rc);

	if (!file)
		return rc;
	wait_for_writers(packs, file);
	scan.fd = file->fd;
	if (fstat(file->fd, &st)) {
		rc = -errno;
		goto out;
	}
	/* nothing that a place can name lies further */
	scan.size = (uint64_t)st.st_size > UINT32_MAX ? UINT32_MAX : (uint64_t)st.st_size;
	rc = check_start(packs, pack, &scan, &lost);
	if (!rc)
		rc = scan_frames(&scan, pack, each, ctx, &lost);
out:
	if (lost_bytes)
		*lost_bytes = lost;
	free(scan.window);
	pack_file_return(packs, file);
	return rc;
}
