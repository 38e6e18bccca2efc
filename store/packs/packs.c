#include "store/packs/packs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/packs/internal.h"

/* The id in a pack's name, or 0. */
static uint64_t parse_name(const char *name)
{
	uint64_t id = 0;

	if (strlen(name) != PACK_NAME_LEN || strcmp(name + 16, ".pack"))
		return 0;
	for (int i = 0; i < 16; i++) {
		const char *digits = "0123456789abcdef", *digit = strchr(digits, name[i]);
		if (!digit)
			return 0;
		id = id << 4 | (uint64_t)(digit - digits);
	}
	return id;
}

static int compare_ids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static int push_id(struct packs *packs, uint64_t id)
{
	if (packs->count == packs->capacity) {
		size_t capacity = packs->capacity ? 2 * packs->capacity : 16;
		uint64_t *ids = realloc(packs->ids, capacity * sizeof *ids);
		if (!ids)
			return -ENOMEM;
		packs->ids = ids;
		packs->capacity = capacity;
	}
	packs->ids[packs->count++] = id;
	return 0;
}

int packs_add_id(struct packs *packs, uint64_t id)
{
	int rc = push_id(packs, id);

	if (!rc && packs->count > 1 && packs->ids[packs->count - 2] > id)
		qsort(packs->ids, packs->count, sizeof *packs->ids, compare_ids);
	return rc;
}

static int list_directory(struct packs *packs, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	uint64_t id;
	int rc = 0;

	if (!dir)
		return -errno;
	while (!rc && (entry = readdir(dir))) {
		id = parse_name(entry->d_name);
		if (id)
			rc = push_id(packs, id);
	}
	closedir(dir);
	if (rc || !packs->count)
		return rc;
	qsort(packs->ids, packs->count, sizeof *packs->ids, compare_ids);
	packs->next_id = packs->ids[packs->count - 1] + 1;
	return packs->next_id ? 0 : -EOVERFLOW;
}

int packs_open(const char *dir, const uint8_t store_uuid[16], bool read_only, struct packs **out)
{
	struct packs *packs = calloc(1, sizeof *packs);
	int rc;

	if (!packs)
		return -ENOMEM;
	pthread_mutex_init(&packs->lock, NULL);
	pthread_mutex_init(&packs->sync_lock, NULL);
	pthread_cond_init(&packs->settled, NULL);
	memcpy(packs->uuid, store_uuid, 16);
	packs->read_only = read_only;
	packs->next_id = 1;
	packs->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = packs->dir_fd < 0 ? -errno : list_directory(packs, dir);
	if (rc) {
		packs_close(packs);
		return rc;
	}
	*out = packs;
	return 0;
}

void packs_close(struct packs *packs)
{
	if (!packs)
		return;
	if (packs->append)
		pack_file_put(packs, packs->append);
	while (packs->open_count)
		pack_file_drop(packs, packs->open[0]->id);
	if (packs->dir_fd >= 0)
		close(packs->dir_fd);
	free(packs->open);
	free(packs->ids);
	pthread_cond_destroy(&packs->settled);
	pthread_mutex_destroy(&packs->sync_lock);
	pthread_mutex_destroy(&packs->lock);
	free(packs);
}

int packs_list(struct packs *packs, uint64_t **ids, size_t *count, uint64_t *append)
{
	uint64_t *copy;

	pthread_mutex_lock(&packs->lock);
	copy = malloc((packs->count ? packs->count : 1) * sizeof *copy);
	if (copy && packs->count)
		memcpy(copy, packs->ids, packs->count * sizeof *copy);
	*count = packs->count;
	if (append)
		*append = packs->append ? packs->append->id : 0;
	pthread_mutex_unlock(&packs->lock);
	*ids = copy;
	return copy ? 0 : -ENOMEM;
}

int packs_size(struct packs *packs, uint64_t pack, uint64_t *bytes)
{
	char name[PACK_NAME_LEN + 1];
	struct stat st;

	pack_name(pack, name);
	if (fstatat(packs->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	*bytes = (uint64_t)st.st_blocks * 512;
	return 0;
}

uint64_t packs_bytes(struct packs *packs)
{
	uint64_t *ids, total = 0, bytes;
	size_t count;

	if (packs_list(packs, &ids, &count, NULL))
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (!packs_size(packs, ids[i], &bytes))
			total += bytes;
	}
	free(ids);
	return total;
}

uint64_t packs_bytes_read(struct packs *packs)
{
	return atomic_load_explicit(&packs->bytes_read, memory_order_relaxed);
}

static bool has_writers(const struct packs *packs, uint64_t pack)
{
	for (size_t i = 0; i < packs->open_count; i++) {
		if (packs->open[i]->id == pack)
			return packs->open[i]->writers;
	}
	return false;
}

/* Takes the id out of the list, unless the pack may still be written. */
static int retire(struct packs *packs, uint64_t pack)
{
	int rc = -ENOENT;

	pthread_mutex_lock(&packs->lock);
	if ((packs->append && packs->append->id == pack) || has_writers(packs, pack)) {
		rc = -EBUSY;
	} else {
		for (size_t i = 0; i < packs->count && rc; i++) {
			if (packs->ids[i] != pack)
				continue;
			memmove(packs->ids + i, packs->ids + i + 1,
				(--packs->count - i) * sizeof *packs->ids);
			rc = 0;
		}
	}
	pthread_mutex_unlock(&packs->lock);
	return rc;
}

int packs_remove(struct packs *packs, uint64_t pack)
{
	char name[PACK_NAME_LEN + 1];
	int rc = packs->read_only ? -EROFS : retire(packs, pack);

	if (rc)
		return rc;
	pack_name(pack, name);
	if (unlinkat(packs->dir_fd, name, 0))
		rc = -errno;
	pthread_mutex_lock(&packs->lock);
	if (rc && rc != -ENOENT)
		packs_add_id(packs, pack);
	else
		pack_file_drop(packs, pack);
	pthread_mutex_unlock(&packs->lock);
	return rc;
}

/* Whole blocks inside from..to; the size stays. */
static int punch(int fd, uint64_t from, uint64_t to)
{
	struct stat st;
	uint64_t block;

	if (fstat(fd, &st))
		return -errno;
	block = (uint64_t)st.st_blksize;
	if (to > (uint64_t)st.st_size)
		to = ((uint64_t)st.st_size + block - 1) / block * block;
	from = (from + block - 1) / block * block;
	to = to / block * block;
	if (from >= to)
		return 0;
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)(to - from))
		       ? -errno
		       : 0;
}

int packs_punch(struct packs *packs, uint64_t pack, uint64_t from, uint64_t to)
{
	char name[PACK_NAME_LEN + 1];
	int fd, rc = packs->read_only ? -EROFS : 0;

	pthread_mutex_lock(&packs->lock);
	if (!rc && ((packs->append && packs->append->id == pack) || has_writers(packs, pack)))
		rc = -EBUSY;
	pthread_mutex_unlock(&packs->lock);
	if (rc)
		return rc;
	pack_name(pack, name);
	fd = openat(packs->dir_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	rc = punch(fd, from, to);
	close(fd);
	return rc;
}
