#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>
#include <xxhash.h>

#include "store/packs/internal.h"
#include "store/util/io.h"

/* Header and payload in one call where the kernel gives them so. */
static int read_frame(int fd, uint8_t *header, uint32_t size, void *payload, uint32_t len, uint64_t offset)
{
	struct iovec parts[2] = {{header, size}, {payload, len}};
	ssize_t n = preadv(fd, parts, 2, (off_t)offset);
	int rc;

	if (n == (ssize_t)(size + len))
		return 0;
	if (n < 0 && errno != EINTR)
		return -errno;
	rc = io_pread_full(fd, header, size, offset);
	return rc ? rc : io_pread_full(fd, payload, len, offset + size);
}

static int check_frame(struct frame *frame, const uint8_t *header, const void *payload,
	const struct frame_place *place, const struct chunk_id *expect)
{
	uint64_t sum;
	int rc = frame_decode(frame, &sum, header, frame_header_size(place->bases));

	if (rc)
		return rc;
	if (frame->payload_len != place->payload_len || frame->bases.count != place->bases ||
		(expect && !chunk_id_equal(&frame->id, expect)))
		return -EBADMSG;
	return XXH3_64bits(payload, place->payload_len) == sum ? 0 : -EBADMSG;
}

int packs_read(struct packs *packs, const struct frame_place *place, const struct chunk_id *expect,
	struct frame *frame, void *payload, size_t capacity)
{
	uint8_t header[FRAME_HEADER_MAX];
	struct pack_file *file;
	uint32_t size;
	int rc = 0;

	if (place->payload_len > FRAME_PAYLOAD_MAX || place->bases > FRAME_BASES_MAX)
		return -EBADMSG;
	size = frame_header_size(place->bases);
	if (place->payload_len > capacity)
		return -ENOBUFS;
	file = pack_file_borrow(packs, place->pack, &rc);
	if (!file)
		return rc;
	rc = read_frame(file->fd, header, size, payload, place->payload_len, place->offset);
	pack_file_return(packs, file);
	if (rc)
		return rc == -ENODATA ? -EBADMSG : rc;
	atomic_fetch_add_explicit(&packs->bytes_read, size + place->payload_len, memory_order_relaxed);
	return check_frame(frame, header, payload, place, expect);
}
