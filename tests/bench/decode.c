// links: m_store
/*
 * Decoding without a mount: reads files of a store that nobody has mounted, each from its start in reads of
 * 1 MiB, and throws the bytes away. What a mount can be measured against.
 *
 * usage: bench_decode STORE PATH...         (paths below the root of the store)
 *        bench_decode STORE PATH@OFF+LEN    that range of the file only
 *
 * Prints four numbers: bytes, seconds, seconds of processor time, bytes read from the packs.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/store.h"

#define BLOCK (1u << 20)

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int find(struct names *names, char *path, uint64_t *ino)
{
	struct inode inode;
	char *rest = NULL;
	int rc = 0;

	*ino = NAMES_ROOT;
	for (char *name = strtok_r(path, "/", &rest); name && !rc; name = strtok_r(NULL, "/", &rest))
		if (!(rc = names_lookup(names, *ino, name, &inode)))
			*ino = inode.ino;
	return rc;
}

static int read_range(struct content *content, void *block, uint64_t off, uint64_t len, uint64_t *bytes)
{
	struct reader_pins pins;
	ssize_t n = 1;

	for (uint64_t end = off + len; off < end && n > 0; off += (uint64_t)n) {
		size_t want = end - off < BLOCK ? (size_t)(end - off) : BLOCK;
		n = content_pin(content, &pins, want, off);
		if (n >= 0)
			reader_unpin(&pins);
		else if (n == -ENOBUFS)
			n = content_read(content, block, want, off);
		*bytes += n > 0 ? (uint64_t)n : 0;
	}
	return n < 0 ? (int)n : 0;
}

static int read_file(struct store *store, char *path, void *block, uint64_t *bytes)
{
	struct stage *stage = store->parts.stage;
	struct content *content;
	uint64_t ino, off = 0, len = INT64_MAX;
	char *range = strrchr(path, '@');
	int rc;

	if (range && sscanf(range, "@%" SCNu64 "+%" SCNu64, &off, &len) == 2)
		*range = 0;
	if ((rc = find(store->parts.names, path, &ino)) ||
		(rc = content_open(stage, ino, O_RDONLY, &content)))
		return rc;
	rc = read_range(content, block, off, len, bytes);
	content_release(stage, content, O_RDONLY);
	return rc;
}

int main(int argc, char **argv)
{
	struct store_options options = {.no_background = true};
	struct store_error error;
	struct store *store;
	uint64_t bytes = 0;
	void *block = malloc(BLOCK);

	if (argc < 3) {
		fprintf(stderr, "usage: bench_decode STORE PATH...\n");
		return 2;
	}
	if (store_open(argv[1], &options, &store, &error)) {
		fprintf(stderr, "bench_decode: %s\n", error.text);
		return 3;
	}
	double start = now(CLOCK_MONOTONIC), busy = now(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 2; i < argc; i++) {
		int rc = read_file(store, argv[i], block, &bytes);
		if (rc) {
			fprintf(stderr, "bench_decode: %s: %s\n", argv[i], strerror(-rc));
			return 1;
		}
	}
	printf("%" PRIu64 " %.6f %.6f %" PRIu64 "\n", bytes, now(CLOCK_MONOTONIC) - start,
		now(CLOCK_PROCESS_CPUTIME_ID) - busy, packs_bytes_read(store->parts.packs));
	store_close(store);
	free(block);
	return 0;
}
