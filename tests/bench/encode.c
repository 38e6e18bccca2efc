// links: m_store
/*
 * Background encoding, without a mount: puts files into a fresh store one after another and times the encoder
 * alone.
 *
 * usage: bench_encode [--level fast|default|small] STORE FILE...
 *
 * STORE must not exist; it is made, and left for a look.
 *
 * Prints a line a file: its size, what it added to the store, MiB/s on the wall and a core (CPU time of the
 * workers); then each is read back with nothing in memory: bytes that had to be decoded for a byte of it, and
 * MiB/s.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"
#include "store/util/clock.h"

#define BLOCK (4u << 20)
#define MIB 1048576.0

static double seconds_since(uint64_t start)
{
	return (double)(clock_now_ns() - start) / 1e9;
}

static int copy_in(struct store *store, const char *path, unsigned number, uint64_t *ino, uint64_t *size)
{
	static const struct names_owner owner = {.umask = 022};
	struct stage *stage = store->parts.stage;
	struct content *content;
	struct inode inode;
	char name[32], *block = malloc(BLOCK);
	int fd = open(path, O_RDONLY), rc = fd < 0 ? -errno : 0;
	ssize_t n = 0;

	snprintf(name, sizeof name, "%u", number);
	if (rc || (rc = content_create(
			   stage, NAMES_ROOT, name, S_IFREG | 0644, &owner, O_WRONLY, &content, &inode)))
		goto out;
	for (*size = 0; (n = read(fd, block, BLOCK)) > 0; *size += (uint64_t)n)
		if ((n = content_write(content, block, (size_t)n, *size, false)) < 0)
			break;
	content_release(stage, content, O_WRONLY);
	*ino = inode.ino;
	rc = n < 0 ? (int)n : 0;
out:
	if (fd >= 0)
		close(fd);
	free(block);
	return rc;
}

static int read_back(struct store *store, uint64_t ino, const char *path, uint64_t *bytes)
{
	struct stage *stage = store->parts.stage;
	struct content *content;
	char *block = malloc(BLOCK), *want = malloc(BLOCK);
	int fd = open(path, O_RDONLY), rc = content_open(stage, ino, O_RDONLY, &content);
	ssize_t n;

	if (rc || fd < 0)
		goto out;
	for (uint64_t off = 0; (n = content_read(content, block, BLOCK, off)) > 0; off += (uint64_t)n) {
		if (pread(fd, want, (size_t)n, (off_t)off) != n || memcmp(block, want, (size_t)n))
			rc = -EILSEQ;
		*bytes += (uint64_t)n;
	}
	rc = n < 0 ? (int)n : rc;
	content_release(stage, content, O_RDONLY);
out:
	if (fd >= 0)
		close(fd);
	free(block);
	free(want);
	return rc;
}

int main(int argc, char **argv)
{
	struct store_options options = {.quiet_ms = 1};
	struct store_error error;
	struct store *store;
	uint64_t *inos = calloc((size_t)argc, sizeof *inos), total = 0, total_new = 0;
	uint64_t read_bytes = 0, decoded = 0;
	double seconds = 0;

	if (argc > 2 && !strcmp(argv[1], "--level") && !codec_level_named(argv[2], &options.level)) {
		argc -= 2;
		argv += 2;
	}
	if (argc < 3) {
		fprintf(stderr, "usage: bench_encode [--level fast|default|small] STORE FILE...\n");
		return 2;
	}
	if (store_init(argv[1], 0, 0, &error) || store_open(argv[1], &options, &store, &error)) {
		fprintf(stderr, "bench_encode: %s\n", error.text);
		return 3;
	}
	printf("%10s %10s %7s %9s %9s  %s\n", "MB", "new MB", "ratio", "MiB/s", "per core", "file");
	for (int i = 2; i < argc; i++) {
		struct encoder_counts before, after;
		struct inode inode;
		struct recipe_head head = {0};
		uint64_t size;
		int rc = copy_in(store, argv[i], (unsigned)i, &inos[i], &size);
		if (rc) {
			fprintf(stderr, "bench_encode: %s: %s\n", argv[i], strerror(-rc));
			return 3;
		}
		encoder_counts(store->parts.encoder, &before);
		uint64_t start = clock_now_ns();
		stage_drain(store->parts.stage, NULL, NULL);
		double wall = seconds_since(start);
		encoder_counts(store->parts.encoder, &after);
		if (!names_get(store->parts.names, inos[i], &inode) && inode.recipe)
			recipe_head_get(store->parts.recipes, inode.recipe, &head);
		double busy = 1e-9 * (double)(after.busy_ns - before.busy_ns);
		printf("%10.2f %10.2f %7.3f %9.0f %9.0f  %s\n", (double)size / 1e6,
			(double)head.new_bytes / 1e6,
			(double)size / (double)(head.new_bytes ? head.new_bytes : 1),
			(double)size / MIB / wall, busy > 0 ? (double)size / MIB / busy : 0, argv[i]);
		fflush(stdout);
		total += size;
		total_new += head.new_bytes;
	}
	printf("%10.2f %10.2f %7.3f  in all\n", (double)total / 1e6, (double)total_new / 1e6,
		(double)total / (double)total_new);
	for (int i = 2; i < argc; i++) {
		struct decoder_counts counts;
		uint64_t bytes = 0;
		store_close(store);
		if (store_open(argv[1], &options, &store, &error)) {
			fprintf(stderr, "bench_encode: %s\n", error.text);
			return 3;
		}
		uint64_t start = clock_now_ns();
		int rc = read_back(store, inos[i], argv[i], &bytes);
		if (rc) {
			fprintf(stderr, "bench_encode: reading %s back: %s\n", argv[i], strerror(-rc));
			return 1;
		}
		decoder_counts(store->parts.decoder, &counts);
		read_bytes += bytes;
		decoded += counts.raw_bytes;
		seconds += seconds_since(start);
		printf("%10.2f %7.2fx decoded, %.0f MiB/s  %s\n", (double)bytes / 1e6,
			(double)counts.raw_bytes / (double)bytes, (double)bytes / MIB / seconds_since(start),
			argv[i]);
	}
	printf("read back and compared: %.2fx decoded, %.0f MiB/s\n", (double)decoded / (double)read_bytes,
		(double)read_bytes / MIB / seconds);
	store_close(store);
	free(inos);
	return 0;
}
