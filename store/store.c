#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/trust.h"
#include "store/util/io.h"
#include "store/util/log.h"

static void explain(struct store_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void explain(struct store_error *error, const char *format, ...)
{
	va_list args;

	if (!error || error->text[0])
		return;
	va_start(args, format);
	vsnprintf(error->text, sizeof error->text, format, args);
	va_end(args);
}

static char *path_in(const char *store, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", store, name) < 0 ? NULL : path;
}

static int make_dir(const char *store, const char *name)
{
	char *path = path_in(store, name);
	int rc = !path ? -ENOMEM : mkdir(path, 0700) ? -errno : 0;

	free(path);
	return rc;
}

/* 0 empty (lost+found of a fresh file system does not count), 1 not, -errno. */
static int dir_used(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	int used = 0;

	if (!d)
		return -errno;
	while ((e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && strcmp(e->d_name, "lost+found"))
			used = 1;
	closedir(d);
	return used;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type;
	/* The store's directory itself and lost+found were there before, or are made again at no cost. */
	return ftw->level && !strstr(path, "/lost+found") ? remove(path) : 0;
}

/* Takes back a store that could not be made whole. */
static void undo_init(const char *path, bool made_dir)
{
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	if (made_dir)
		rmdir(path);
}

int store_init(const char *path, uint32_t uid, uint32_t gid, struct store_error *error)
{
	struct superblock sb;
	struct kv_options options = {.create = true};
	struct kv *kv = NULL;
	struct names *names = NULL;
	char *kv_path = NULL;
	bool made_dir = true, changed = false;
	int rc;

	error->text[0] = 0;
	if (!superblock_read(path, &sb)) {
		explain(error, "%s is a store already; mount it, or choose another directory", path);
		return -EEXIST;
	}
	if (mkdir(path, 0700)) {
		if (errno != EEXIST) {
			rc = -errno;
			explain(error, "cannot make %s: %s", path, strerror(-rc));
			return rc;
		}
		made_dir = false;
	}
	if ((rc = dir_used(path))) {
		if (rc > 0)
			rc = -ENOTEMPTY;
		explain(error, "%s: %s; choose an empty or a new directory", path, strerror(-rc));
		return rc;
	}
	if (!made_dir && (rc = trust_owner(path, error->text, sizeof error->text)))
		return rc;
	changed = true;
	if (chmod(path, 0700) || !(kv_path = path_in(path, "kv"))) {
		rc = -errno;
		goto out;
	}
	if ((rc = superblock_generate(&sb)))
		goto out;
	sb.chunk_size = ENCODE_CHUNK;
	if ((rc = make_dir(path, "packs")) || (rc = make_dir(path, "staging")) || (rc = make_dir(path, "kv")))
		goto out;
	if ((rc = kv_open(kv_path, &options, &kv)) || (rc = names_open(kv, sb.hash_seed, uid, gid, &names)) ||
		(rc = names_sync(names)))
		goto out;
	names_close(names);
	kv_close(kv);
	names = NULL;
	kv = NULL;
	/* Last: what has no superblock is no store. */
	rc = superblock_write(path, &sb);
out:
	names_close(names);
	kv_close(kv);
	free(kv_path);
	if (rc && changed)
		undo_init(path, made_dir);
	if (rc)
		explain(error, "cannot make a store in %s: %s", path, strerror(-rc));
	return rc;
}

static int read_superblock(struct store *store, struct store_error *error)
{
	const char *path = store->path;
	int rc = superblock_read(path, &store->sb);

	switch (rc) {
	case 0:
		break;
	case -ENOENT:
	case -ENOTDIR:
		if (access(path, F_OK))
			explain(error, "%s does not exist; make it with: mithril init %s", path, path);
		else
			explain(error,
				"%s is not a store (it has no superblock); make one with: mithril init DIR",
				path);
		rc = access(path, F_OK) ? rc : -EINVAL;
		break;
	case -EINVAL:
		explain(error, "%s is not a store: its superblock is something else", path);
		break;
	case -EPROTONOSUPPORT:
		explain(error,
			"%s has format version %" PRIu32
			", this mithril knows up to %u; install a newer mithril",
			path, store->sb.version, SUPERBLOCK_VERSION);
		break;
	case -EBADMSG:
		explain(error, "the superblock of %s is damaged; restore STORE/superblock from a backup",
			path);
		break;
	default:
		explain(error, "cannot read the superblock of %s: %s", path, strerror(-rc));
	}
	return rc;
}

/* A store whose parts are not there is no store any more, whatever its superblock says. */
static int missing_part(const struct store *store, struct store_error *error)
{
	static const char *const parts[] = {"kv/CURRENT", "packs", "staging"};
	char *path;

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		path = path_in(store->path, parts[i]);
		if (path && access(path, F_OK))
			explain(error,
				"%s is damaged: %s is missing; restore the store from a backup, as a whole",
				store->path, parts[i]);
		free(path);
	}
	return -EUCLEAN;
}

static int take_lock(struct store *store, const struct store_options *options, struct store_error *error)
{
	int (*lock)(const char *, char *, size_t) = options->read_only ? store_lock_shared : store_lock;
	char holder[256];
	int fd;

	if (options->read_only && !options->hold)
		return 0;
	fd = lock(store->path, holder, sizeof holder);
	if (fd == -ENOENT && options->read_only)
		return 0;
	if (fd == -EWOULDBLOCK)
		explain(error, "%s is in use by %s; unmount it there first", store->path, holder);
	else if (fd < 0)
		explain(error, "cannot lock %s: %s", store->path, strerror(-fd));
	if (fd < 0)
		return fd;
	store->lock_fd = fd;
	return 0;
}

/* Every open file takes one, and the packs and the key-value store want many. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int open_parts(struct store *store, const struct store_options *options)
{
	struct parts *parts = &store->parts;
	struct kv_options kv_options = {.read_only = options->read_only};
	char *kv_path = path_in(store->path, "kv"), *packs_path = path_in(store->path, "packs");
	int rc = -ENOMEM;

	parts->path = store->path;
	if (!kv_path || !packs_path)
		goto out;
	if ((rc = kv_open(kv_path, &kv_options, &parts->kv)))
		goto out;
	if ((rc = names_open(parts->kv, store->sb.hash_seed, 0, 0, &parts->names)))
		goto out;
	if ((rc = packs_open(packs_path, store->sb.uuid, options->read_only, &parts->packs)))
		goto out;
	if ((rc = chunks_open(parts->kv, store->sb.hash_seed, &parts->chunks)))
		goto out;
	if ((rc = recipes_open(parts->kv, &parts->recipes)))
		goto out;
	rc = decoder_open(parts->chunks, parts->packs, parts->recipes, options->cache_bytes, options->threads,
		&parts->decoder);
out:
	free(kv_path);
	free(packs_path);
	return rc;
}

static int open_stage(struct store *store, const struct store_options *options)
{
	const struct stage_options how = {.budget = options->stage_budget,
		.keep_raw = options->keep_raw,
		.keep_as_is = options->keep_as_is || options->no_background,
		.quiet_ms = options->quiet_ms,
		.read_only = options->read_only};
	struct parts *p = &store->parts;
	char *path = path_in(store->path, "staging");
	int rc = path ? stage_open(path, p->kv, p->names, p->recipes, p->decoder, &how, &p->stage) : -ENOMEM;

	free(path);
	return rc;
}

static int start_writing(struct store *store, const struct store_options *options)
{
	struct parts *p = &store->parts;
	uint64_t swept = 0, orphans = 0;
	int rc = 0;

	if (!options->no_background)
		rc = stage_recover(p->stage, &swept, &orphans);
	if (swept || orphans)
		log_info("%s: removed %" PRIu64 " leftover staged copies and %" PRIu64
			 " files without a name",
			store->path, swept, orphans);
	if (!rc)
		rc = encoder_start(options->no_background ? NULL : p->stage, p->chunks, p->packs, p->recipes,
			p->decoder, p->kv, options->threads, options->level, &p->encoder);
	if (!rc && !options->no_background)
		rc = upkeep_start(p, &store->upkeep);
	return rc;
}

int store_open(
	const char *path, const struct store_options *options, struct store **out, struct store_error *error)
{
	struct store *store = calloc(1, sizeof *store);
	int rc = -ENOMEM;

	error->text[0] = 0;
	if (!store || !(store->path = strdup(path)))
		goto fail;
	store->lock_fd = -1;
	store->read_only = options->read_only;
	if ((rc = read_superblock(store, error)) ||
		(rc = trust_check(path, error->text, sizeof error->text)) ||
		(rc = take_lock(store, options, error)))
		goto fail;
	raise_descriptor_limit();
	if ((rc = open_parts(store, options)) || (rc = open_stage(store, options)) ||
		(!options->read_only && (rc = start_writing(store, options)))) {
		if (rc == -ENOENT)
			rc = missing_part(store, error);
		if (rc == -EUCLEAN)
			explain(error, "%s is damaged; look with: mithril fsck %s", path, path);
		if (rc == -EBUSY)
			explain(error, "%s is in use by another process", path);
		goto fail;
	}
	*out = store;
	return 0;
fail:
	explain(error, "cannot open the store %s: %s", path, strerror(-rc));
	store_close(store);
	return rc;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	upkeep_stop(store->upkeep);
	encoder_stop(store->parts.encoder);
	stage_close(store->parts.stage);
	decoder_close(store->parts.decoder);
	recipes_close(store->parts.recipes);
	chunks_close(store->parts.chunks);
	packs_close(store->parts.packs);
	names_close(store->parts.names);
	kv_close(store->parts.kv);
	if (store->lock_fd > 0)
		close(store->lock_fd);
	free(store->path);
	free(store);
}
