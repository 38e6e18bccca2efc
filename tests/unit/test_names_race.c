// links: m_names
/* Walks of directories that change underneath, and threads that fight over the same names. */
#include "tests/unit/names_world.h"

#include <linux/fs.h>

#define MANY 100000u
#define THREADS 4
#define ROUNDS 4000

struct walk {
	uint8_t *seen; /* how often each stable name came */
	unsigned others, room;
	uint64_t next;
};

static int take(void *ctx, const struct names_entry *e)
{
	struct walk *walk = ctx;
	unsigned number;

	if (!walk->room)
		return 1;
	walk->room--;
	walk->next = e->next;
	if (sscanf(e->name, "stable-%u", &number) == 1)
		walk->seen[number]++;
	else
		walk->others++;
	return 0;
}

/* Half of the names stay; the others go, and new ones come, between the calls of the walk. */
static void test_walk_while_entries_change(void **state)
{
	struct world *w = *state;
	uint64_t dir = make(w, NAMES_ROOT, "d", S_IFDIR | 0755).ino, end;
	struct walk walk = {calloc(MANY, 1), 0, 0, 0};
	char name[32];
	unsigned changed = 0;

	for (unsigned i = 0; i < MANY / 2; i++) {
		snprintf(name, sizeof name, "stable-%u", i);
		make(w, dir, name, S_IFREG | 0644);
		snprintf(name, sizeof name, "leaves-%u", i);
		make(w, dir, name, S_IFREG | 0644);
	}
	do {
		end = walk.next;
		walk.room = 997;
		assert_int_equal(names_readdir(w->names, dir, walk.next, take, &walk), 0);
		for (unsigned i = 0; i < 400 && changed < MANY / 2; i++, changed++) {
			snprintf(name, sizeof name, "leaves-%u", changed);
			assert_int_equal(names_unlink(w->names, dir, name, NULL), 0);
			snprintf(name, sizeof name, "comes-%u", changed);
			make(w, dir, name, S_IFREG | 0644);
		}
	} while (walk.next != end);
	for (unsigned i = 0; i < MANY / 2; i++)
		assert_int_equal(walk.seen[i], 1);
	assert_true(walk.others < MANY);
	free(walk.seen);
}

/* With a hash of a few bits, names share hashes; whole walks and walks cut anywhere see all of them. */
static void test_shared_hashes(void **state)
{
	struct world *w = *state;
	struct walk walk = {calloc(64, 1), 0, 0, 0};
	struct inode got;
	char name[32];
	uint64_t dir;

	w->names->hash_mask = 31;
	dir = make(w, NAMES_ROOT, "d", S_IFDIR | 0755).ino;
	for (unsigned i = 0; i < 64; i++) {
		snprintf(name, sizeof name, "stable-%u", i);
		make(w, dir, name, S_IFREG | 0644);
	}
	walk.room = 1000;
	assert_int_equal(names_readdir(w->names, dir, 0, take, &walk), 0);
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(walk.seen[i], 1);
	for (unsigned first = 0; first < 66; first++) {
		memset(walk.seen, 0, 64);
		walk.next = 0;
		walk.room = first;
		assert_int_equal(names_readdir(w->names, dir, 0, take, &walk), 0);
		walk.room = 1000;
		assert_int_equal(names_readdir(w->names, dir, walk.next, take, &walk), 0);
		for (unsigned i = 0; i < 64; i++)
			assert_true(walk.seen[i] >= 1);
	}
	for (unsigned i = 0; i < 64; i++) {
		snprintf(name, sizeof name, "stable-%u", i);
		assert_int_equal(names_lookup(w->names, dir, name, &got), 0);
		assert_int_equal(names_unlink(w->names, dir, name, NULL), 0);
	}
	assert_int_equal(names_rmdir(w->names, NAMES_ROOT, "d", NULL), 0);
	free(walk.seen);
}

static int expect_dots(void *ctx, const struct names_entry *e)
{
	int *count = ctx;

	assert_string_equal(e->name, *count ? ".." : ".");
	assert_int_equal(e->next, *count + 1);
	assert_int_equal(e->type, S_IFDIR);
	return ++*count == 3;
}

static int stop(void *ctx, const struct names_entry *e)
{
	(void)e;
	++*(int *)ctx;
	return 1;
}

static void test_dots_and_errors(void **state)
{
	struct world *w = *state;
	uint64_t file = make(w, NAMES_ROOT, "f", S_IFREG | 0644).ino;
	struct inode dir = make(w, NAMES_ROOT, "d", S_IFDIR | 0755);
	int count = 0;

	assert_int_equal(names_readdir(w->names, dir.ino, 0, expect_dots, &count), 0);
	assert_int_equal(count, 2);
	count = 1;
	assert_int_equal(names_readdir(w->names, dir.ino, 1, expect_dots, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(names_readdir(w->names, dir.ino, 2, expect_dots, &count), 0);
	assert_int_equal(names_readdir(w->names, dir.ino, UINT64_MAX, expect_dots, &count), 0);
	assert_int_equal(count, 2);
	count = 0;
	assert_int_equal(names_readdir(w->names, NAMES_ROOT, 2, stop, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(names_readdir(w->names, file, 0, stop, &count), -ENOTDIR);
	assert_int_equal(names_readdir(w->names, 99, 0, stop, &count), -ENOENT);
}

struct fighter {
	struct world *w;
	const uint64_t *dirs;
	unsigned random;
	unsigned done;
};

static const char *const fought[] = {"a", "b", "c", "d"};

static void *fight(void *arg)
{
	struct fighter *f = arg;
	struct names *n = f->w->names;

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t from = f->dirs[rand_r(&f->random) % 4], to = f->dirs[rand_r(&f->random) % 4];
		const char *name = fought[rand_r(&f->random) % 4], *other = fought[rand_r(&f->random) % 4];
		struct inode inode;
		int rc = 0;

		switch (rand_r(&f->random) % 9) {
		case 0:
			rc = names_make(n, from, name, S_IFREG | 0600, 0, &user, CONTENT_NONE, 0, NULL);
			break;
		case 1:
			rc = names_make(n, from, name, S_IFDIR | 0700, 0, &user, CONTENT_NONE, 0, NULL);
			break;
		case 2:
			rc = names_unlink(n, from, name, NULL);
			break;
		case 3:
			rc = names_rmdir(n, from, name, NULL);
			break;
		case 4:
			rc = names_lookup(n, from, name, &inode);
			if (!rc)
				rc = names_link(n, inode.ino, to, other, NULL);
			break;
		case 5:
			rc = names_rename(n, from, name, to, other, RENAME_EXCHANGE, NULL);
			break;
		case 6: /* into a directory that others move and remove */
			rc = names_lookup(n, from, name, &inode);
			if (!rc)
				rc = names_rename(n, to, other, inode.ino, "in", 0, NULL);
			if (!rc)
				rc = names_rename(n, inode.ino, "in", from, other, 0, NULL);
			break;
		default:
			rc = names_rename(n, from, name, to, other, 0, NULL);
		}
		f->done += !rc;
		if (rc == -EIO || rc == -EROFS || rc == -ENOMEM)
			return f;
	}
	return NULL;
}

static void add_up(
	struct world *w, uint64_t **links, uint64_t **subdirectories, uint64_t **entries, uint64_t last)
{
	struct kv_iter *it = kv_iter_new(w->kv, KV_ENTRIES, NULL, 0);

	*links = calloc(last + 1, 8);
	*subdirectories = calloc(last + 1, 8);
	*entries = calloc(last + 1, 8);
	for (; kv_iter_valid(it); kv_iter_next(it)) {
		struct entry entry;
		struct inode child;
		size_t len;
		const uint8_t *key = kv_iter_key(it, &len);
		uint64_t parent = be64toh(*(const uint64_t *)key);
		const uint8_t *value = kv_iter_value(it, &len);
		assert_int_equal(entry_decode(&entry, value, len), 0);
		child = get(w, entry.ino);
		assert_int_equal(child.mode & S_IFMT, entry.type);
		(*links)[entry.ino]++;
		(*entries)[parent]++;
		if (S_ISDIR(entry.type)) {
			(*subdirectories)[parent]++;
			assert_int_equal(child.parent, parent);
		}
	}
	kv_iter_free(it);
}

/* What the inodes say, against what the entries say. */
static void check_all(struct world *w)
{
	uint64_t *links, *subdirectories, *entries, last, files, directories, others, found[3] = {0};
	struct kv_iter *it;

	names_reserve(w->names, &last);
	add_up(w, &links, &subdirectories, &entries, last);
	it = kv_iter_new(w->kv, KV_INODES, NULL, 0);
	for (; kv_iter_valid(it); kv_iter_next(it)) {
		size_t len;
		const uint8_t *key = kv_iter_key(it, &len);
		struct inode inode = get(w, be64toh(*(const uint64_t *)key));
		if (S_ISDIR(inode.mode)) {
			assert_int_equal(inode.size, entries[inode.ino]);
			assert_int_equal(inode.nlink, !inode.nlink ? 0 : 2 + subdirectories[inode.ino]);
			assert_int_equal(links[inode.ino], inode.nlink && inode.ino != NAMES_ROOT);
		} else {
			assert_int_equal(inode.nlink, links[inode.ino]);
		}
		assert_int_equal(orphan_exists(w->names, inode.ino), !inode.nlink);
		if (inode.nlink && inode.ino != NAMES_ROOT)
			found[S_ISREG(inode.mode) ? 0 : S_ISDIR(inode.mode) ? 1 : 2]++;
		/* every directory that has its place leads up to the root */
		for (int depth = 0; S_ISDIR(inode.mode) && inode.nlink && inode.ino != NAMES_ROOT; depth++) {
			assert_true(depth < 100000);
			inode = get(w, inode.parent);
		}
	}
	kv_iter_free(it);
	names_count(w->names, &files, &directories, &others);
	assert_int_equal(files, found[0]);
	assert_int_equal(directories, found[1]);
	assert_int_equal(others, found[2]);
	free(links);
	free(subdirectories);
	free(entries);
}

static void test_fight(void **state)
{
	struct world *w = *state;
	uint64_t dirs[4] = {NAMES_ROOT};
	struct fighter fighters[THREADS];
	pthread_t threads[THREADS];
	void *failed;

	dirs[1] = make(w, NAMES_ROOT, "one", S_IFDIR | 0755).ino;
	dirs[2] = make(w, NAMES_ROOT, "two", S_IFDIR | 0755).ino;
	dirs[3] = make(w, dirs[2], "three", S_IFDIR | 0755).ino;
	for (unsigned i = 0; i < THREADS; i++) {
		fighters[i] = (struct fighter){w, dirs, i + 1, 0};
		assert_int_equal(pthread_create(&threads[i], NULL, fight, &fighters[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
		assert_true(fighters[i].done > ROUNDS / 10);
	}
	check_all(w);
	world_crash(w);
	check_all(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_walk_while_entries_change, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_shared_hashes, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_dots_and_errors, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_fight, world_setup, world_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
