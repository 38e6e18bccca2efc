#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "store/packs/internal.h"
#include "store/util/io.h"

#define EXTENT (1u << 20)

void pack_name(uint64_t id, char name[PACK_NAME_LEN + 1])
{
	snprintf(name, PACK_NAME_LEN + 1, "%016llx.pack", (unsigned long long)id);
}

static void take_out(struct packs *packs, size_t i)
{
	packs->open[i] = packs->open[--packs->open_count];
}

static void close_file(struct pack_file *file)
{
	close(file->fd);
	free(file);
}

/* Closes the idle pack that was used longest ago. False: all are in use. */
static bool evict_one(struct packs *packs)
{
	size_t oldest = packs->open_count;

	for (size_t i = 0; i < packs->open_count; i++) {
		if (packs->open[i]->refs)
			continue;
		if (oldest == packs->open_count || packs->open[i]->used < packs->open[oldest]->used)
			oldest = i;
	}
	if (oldest == packs->open_count)
		return false;
	struct pack_file *file = packs->open[oldest];
	take_out(packs, oldest);
	close_file(file);
	return true;
}

static int make_room(struct packs *packs)
{
	if (packs->open_count < packs->open_capacity)
		return 0;
	size_t capacity = packs->open_capacity ? 2 * packs->open_capacity : 16;
	struct pack_file **open = realloc(packs->open, capacity * sizeof(struct pack_file *));
	if (!open)
		return -ENOMEM;
	packs->open = open;
	packs->open_capacity = capacity;
	return 0;
}

static int open_fd(struct packs *packs, uint64_t id, int flags)
{
	char name[PACK_NAME_LEN + 1];
	int fd;

	pack_name(id, name);
	do {
		fd = openat(packs->dir_fd, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	} while (fd < 0 && (errno == EINTR || ((errno == EMFILE || errno == ENFILE) && evict_one(packs))));
	return fd < 0 ? -errno : fd;
}

static struct pack_file *open_file(struct packs *packs, uint64_t id, int flags, int *rc)
{
	struct pack_file *file;
	int fd;

	while (packs->open_count >= PACKS_IDLE_MAX && evict_one(packs))
		;
	*rc = make_room(packs);
	if (*rc)
		return NULL;
	file = calloc(1, sizeof *file);
	if (!file) {
		*rc = -ENOMEM;
		return NULL;
	}
	fd = open_fd(packs, id, flags);
	if (fd < 0) {
		free(file);
		*rc = fd;
		return NULL;
	}
	file->id = id;
	file->fd = fd;
	file->refs = 1;
	file->used = ++packs->clock;
	packs->open[packs->open_count++] = file;
	return file;
}

struct pack_file *pack_file_get(struct packs *packs, uint64_t id, int *rc)
{
	for (size_t i = 0; i < packs->open_count; i++) {
		struct pack_file *file = packs->open[i];
		if (file->id == id) {
			file->refs++;
			file->used = ++packs->clock;
			return file;
		}
	}
	return open_file(packs, id, O_RDONLY, rc);
}

void pack_file_put(struct packs *packs, struct pack_file *file)
{
	if (--file->refs)
		return;
	if (file->removed)
		close_file(file);
	else if (packs->open_count > PACKS_IDLE_MAX)
		evict_one(packs);
}

/* XFS would reserve as much again as a growing file has, and keep it while the file is open; with a hint of
 * how much to take at a time it does not. Where there are no such hints, nothing is lost. */
static void take_little(int fd)
{
	struct fsxattr attributes;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes))
		return;
	attributes.fsx_xflags |= FS_XFLAG_EXTSIZE;
	attributes.fsx_extsize = EXTENT;
	ioctl(fd, FS_IOC_FSSETXATTR, &attributes);
}

struct pack_file *pack_file_create(struct packs *packs, uint64_t id, int *rc)
{
	uint8_t header[PACK_HEADER_SIZE];
	char name[PACK_NAME_LEN + 1];
	struct pack_file *file = open_file(packs, id, O_RDWR | O_CREAT | O_EXCL, rc);

	if (!file)
		return NULL;
	take_little(file->fd);
	pack_header_encode(header, packs->uuid, id);
	*rc = io_pwrite_full(file->fd, header, sizeof header, 0);
	if (!*rc)
		return file;
	pack_name(id, name);
	unlinkat(packs->dir_fd, name, 0);
	pack_file_drop(packs, id);
	pack_file_put(packs, file);
	return NULL;
}

/* What is unlinked need not become durable, and must not keep its space until then. */
static void drop_dirty(struct packs *packs, struct pack_file *file)
{
	struct pack_file **link = &packs->dirty;

	if (!file->dirty)
		return;
	while (*link != file)
		link = &(*link)->next_dirty;
	*link = file->next_dirty;
	file->dirty = false;
	file->refs--; /* the caller has one more */
}

void pack_file_drop(struct packs *packs, uint64_t id)
{
	for (size_t i = 0; i < packs->open_count; i++) {
		struct pack_file *file = packs->open[i];
		if (file->id != id)
			continue;
		file->refs++;
		take_out(packs, i);
		file->removed = true;
		drop_dirty(packs, file);
		pack_file_put(packs, file);
		return;
	}
}

struct pack_file *pack_file_borrow(struct packs *packs, uint64_t id, int *rc)
{
	pthread_mutex_lock(&packs->lock);
	struct pack_file *file = pack_file_get(packs, id, rc);
	pthread_mutex_unlock(&packs->lock);
	return file;
}

void pack_file_return(struct packs *packs, struct pack_file *file)
{
	pthread_mutex_lock(&packs->lock);
	pack_file_put(packs, file);
	pthread_mutex_unlock(&packs->lock);
}
