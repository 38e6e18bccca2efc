// links: m_cache m_store
/* Caches: groups, last uses, eviction, quarantine. */
#include "tests/unit/upkeep_world.h"

#include <dirent.h>

#include "store/cache/evict.h"

struct cache {
	struct world *w;
	uint64_t root;
	struct usage *usage;
	struct cache_env env;
	unsigned gone; /* names that went */
};

static void gone(void *ctx, uint64_t directory, const char *name, uint64_t ino, bool unlinked)
{
	struct cache *c = ctx;

	(void)directory;
	assert_true(*name);
	c->gone++;
	if (unlinked)
		assert_int_equal(content_drop(c->w->store->parts.stage, ino), 0);
}

static uint64_t make_dir(struct cache *c, uint64_t parent, const char *name)
{
	struct inode inode;

	assert_int_equal(names_make(c->w->store->parts.names, parent, name, S_IFDIR | 0755, 0, &owner,
				 CONTENT_NONE, 0, &inode),
		0);
	return inode.ino;
}

/* A file of `len` bytes that was made and used `age` seconds ago. */
static uint64_t put(struct cache *c, uint64_t parent, const char *name, size_t len, unsigned age)
{
	char *bytes = calloc(1, len + 1);
	uint64_t ino = world_put_in(c->w, parent, name, memset(bytes, (int)len, len), len);
	struct inode inode = {0};

	free(bytes);
	clock_gettime(CLOCK_REALTIME, &inode.mtime);
	inode.mtime.tv_sec -= age;
	inode.atime = inode.mtime;
	assert_int_equal(content_setattr(c->w->store->parts.stage, ino, &inode,
				 NAMES_SET_MTIME | NAMES_SET_ATIME, &inode),
		0);
	return ino;
}

static int setup(void **state)
{
	struct cache *c = calloc(1, sizeof *c);

	c->w = world_new();
	c->root = make_dir(c, NAMES_ROOT, "cache");
	assert_int_equal(names_setxattr(c->w->store->parts.names, c->root, NAMES_PROFILE, "cache", 5, 0), 0);
	c->usage = usage_new();
	c->env = (struct cache_env){&c->w->store->parts, c->usage, gone, c};
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	struct cache *c = *state;

	usage_free(c->usage);
	world_free(c->w);
	free(c);
	return 0;
}

static struct cache_evicted evict(struct cache *c, uint64_t above, uint64_t target, uint64_t grace_ms)
{
	struct cache_evicted result;

	assert_int_equal(cache_evict(&c->env, c->root, above, target, grace_ms, NULL, NULL, &result), 0);
	return result;
}

static bool is_there(struct cache *c, uint64_t directory, const char *name)
{
	struct inode inode;

	return !names_lookup(c->w->store->parts.names, directory, name, &inode);
}

#define KEY(c) "ABCDEFGHIJKLMNOPQRSTUVWXYZ01234-" c

static void test_rules(void **state)
{
	static const struct {
		const char *name;
		size_t stem;
		bool temporary;
	} names[] = {{"cabc.main.cpp", 4, false}, {"cabc.main.so", 4, false}, {"cabc.lock", 4, true},
		{".123.456.tmp", 4, true}, {"jit_f-0123-cache", 10, false}, {"jit_f-0123-atime", 10, false},
		{"tmp.pid_1", 3, true}, {"lock", 4, true}, {"ab", 2, false}, {"a", 1, false},
		{".hidden", 7, false}, {"-cache", 6, false}, {"x.", 1, false}};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		assert_int_equal(group_stem(names[i].name), names[i].stem);
		assert_int_equal(group_is_temporary(names[i].name), names[i].temporary);
	}
	assert_true(group_is_key(KEY("")));
	assert_false(group_is_key("ABCDEFGHIJKLMNOPQRSTUVWXYZ01234"));
	assert_false(group_is_key(KEY(".so")));
	assert_true(group_is_marker("__grp__add.json") && group_is_marker("build.ninja"));
	assert_false(group_is_marker("grp__add.json"));
}

static void test_groups(void **state)
{
	struct cache *c = *state;
	struct cache_listing listing;
	uint64_t key = make_dir(c, c->root, KEY("")), pool = make_dir(c, c->root, "xy");
	uint64_t marked = make_dir(c, c->root, "short"), inner = make_dir(c, c->root, "inner");

	put(c, key, "k.ptx", 10, 50);
	put(c, key, "k.json", 20, 40);
	put(c, marked, "__grp__k.json", 1, 7);
	put(c, marked, "other.cubin", 2, 8);
	put(c, pool, "cb.cpp", 100, 30);
	put(c, pool, "cb.so", 200, 31);
	put(c, pool, "cb-more.so", 3, 32); /* sorts between cb and cb. */
	put(c, pool, "cc.lock", 0, 33);
	assert_int_equal(names_setxattr(c->w->store->parts.names, inner, NAMES_PROFILE, "cache", 5, 0), 0);
	put(c, inner, "mine", 5, 1); /* another cache's */
	assert_int_equal(cache_list(&c->w->store->parts, c->usage, c->root, true, &listing), 0);
	cache_listing_sort(&listing);
	assert_int_equal(listing.group_count, 5);
	assert_int_equal(listing.file_count, 8);
	assert_int_equal(listing.bytes, 336);
	assert_int_equal(listing.stored, 336); /* nothing is encoded yet */
	const struct cache_group *g = listing.groups;
	assert_string_equal(g[0].path, "/cache/" KEY(""));
	assert_string_equal(g[0].self, KEY(""));
	assert_int_equal(g[0].count, 2);
	assert_int_equal(g[0].bytes, 30);
	assert_true(g[1].temporary && !g[1].self); /* cc.lock */
	assert_int_equal(g[2].bytes, 3);
	assert_int_equal(g[3].count, 2);
	assert_int_equal(g[3].bytes, 300);
	assert_false(g[3].temporary);
	assert_string_equal(g[3].path, "/cache/xy");
	assert_int_equal(g[4].count, 2);
	assert_string_equal(g[4].self, "short");
	cache_listing_release(&listing);
	assert_int_equal(cache_list(&c->w->store->parts, c->usage, inner + 100, false, &listing), -ENOENT);
	cache_listing_release(&listing);
}

static void test_least_recently_used_goes_first(void **state)
{
	struct cache *c = *state;
	struct cache_evicted result;

	put(c, c->root, "a.so", 1000, 500);
	put(c, c->root, "a.cpp", 10, 600);
	uint64_t read = put(c, c->root, "b.so", 1000, 400);
	put(c, c->root, "c.so", 1000, 300);
	put(c, c->root, "d.so", 1000, 200);
	usage_note(c->usage, read);
	result = evict(c, 5000, 0, 0);
	assert_int_equal(result.groups, 0); /* not above */
	assert_int_equal(result.left, 4010);
	result = evict(c, 4000, 2500, 0);
	assert_int_equal(result.groups, 2);
	assert_int_equal(result.files, 3);
	assert_int_equal(result.bytes, 2010);
	assert_int_equal(result.left, 2000);
	assert_false(is_there(c, c->root, "a.so") || is_there(c, c->root, "a.cpp") ||
		     is_there(c, c->root, "c.so"));
	assert_true(is_there(c, c->root, "b.so") && is_there(c, c->root, "d.so"));
	assert_int_equal(c->gone, 3);
}

static void test_what_is_in_use_stays(void **state)
{
	struct cache *c = *state;
	struct stage *stage = c->w->store->parts.stage;
	uint64_t open_one = put(c, c->root, "open.so", 100, 500);
	uint64_t mate = make_dir(c, c->root, KEY(""));
	struct content *content;
	struct cache_evicted result;

	put(c, c->root, "open.cpp", 100, 500);
	put(c, mate, "fresh", 100, 500);
	uint64_t fresh = put(c, mate, "fresh2", 100, 500);
	put(c, c->root, "new.tmp", 100, 500);
	usage_note(c->usage, fresh);
	assert_int_equal(content_open(stage, open_one, O_RDONLY, &content), 0);
	result = evict(c, 0, 0, 60000);
	assert_int_equal(result.groups, 0);
	assert_int_equal(result.busy_groups, 2);
	assert_int_equal(result.left, 500);
	content_release(stage, content, O_RDONLY);
	result = evict(c, 0, 0, 60000);
	assert_int_equal(result.groups, 1);
	assert_true(is_there(c, mate, "fresh"));
	result = evict(c, 0, 0, 0);
	assert_int_equal(result.groups, 1);
	assert_false(is_there(c, c->root, KEY(""))); /* the directory too */
	assert_true(is_there(c, c->root, "new.tmp"));
	put(c, c->root, "old.tmp2", 100, 4000); /* stale by now */
	result = evict(c, 0, 0, 0);
	assert_false(is_there(c, c->root, "old.tmp2"));
}

static void test_uses_are_written_down(void **state)
{
	struct cache *c = *state;
	struct names *names = c->w->store->parts.names;
	uint64_t a = put(c, c->root, "a", 10, 500), now = usage_now();
	struct inode before, after;

	assert_int_equal(names_get(names, a, &before), 0);
	assert_int_equal(usage_last(c->usage, a), 0);
	usage_note(c->usage, a);
	usage_note(c->usage, 999999); /* of no inode */
	assert_in_range(usage_last(c->usage, a), now, now + 5000);
	assert_int_equal(usage_flush(c->usage, names, now), 0); /* too new */
	assert_int_not_equal(usage_last(c->usage, a), 0);
	assert_int_equal(usage_flush(c->usage, names, UINT64_MAX), 0);
	assert_int_equal(usage_last(c->usage, a), 0);
	assert_int_equal(names_get(names, a, &after), 0);
	assert_in_range(usage_ms(&after.atime), now, now + 5000);
	assert_memory_equal(&after.mtime, &before.mtime, sizeof before.mtime);
}

/* Turns a byte of the only pack's payload around. */
static void damage(struct cache *c)
{
	char path[300], byte;
	struct dirent *e;
	int fd = -1;

	snprintf(path, sizeof path, "%s/packs", c->w->dir);
	DIR *dir = opendir(path);
	while ((e = readdir(dir)))
		if (strstr(e->d_name, ".pack"))
			fd = openat(dirfd(dir), e->d_name, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, 64 + 56 + 20), 1);
	byte ^= 0x20;
	assert_int_equal(pwrite(fd, &byte, 1, 64 + 56 + 20), 1);
	close(fd);
	closedir(dir);
}

static char said[4][300];
static unsigned said_count;

static void say(void *ctx, const char *path, const char *what)
{
	(void)ctx;
	snprintf(said[said_count++ % 4], sizeof said[0], "%s: %s", path, what);
}

static void test_damage_is_moved_aside(void **state)
{
	struct cache *c = *state;
	struct stage *stage;
	uint64_t dir = make_dir(c, c->root, "xy"), a, b;
	struct cache_verified verified;
	struct content *content;
	char name[64], *path = NULL;
	struct inode q;

	a = put(c, dir, "a.so", 3000, 5);
	b = put(c, dir, "b.so", 3001, 5);
	world_drain(c->w);
	assert_int_equal(cache_verify(&c->env, c->root, NULL, say, NULL, &verified), 0);
	assert_int_equal(verified.files, 2);
	assert_int_equal(verified.damaged, 0);
	world_open(c->w, true);
	c->env.parts = &c->w->store->parts;
	stage = c->w->store->parts.stage;
	damage(c);
	assert_int_equal(content_open(stage, a, O_RDONLY, &content), 0);
	assert_int_equal(content_cache(content), c->root);
	assert_int_equal(content_check(content, 2999), 0); /* too long to look at */
	assert_int_equal(content_check(content, 3000), -EBADMSG);
	content_release(stage, content, O_RDONLY);

	assert_int_equal(cache_quarantine(&c->env, c->root, a, &path), 0);
	assert_string_equal(path, "/cache/xy/a.so");
	free(path);
	assert_false(is_there(c, dir, "a.so"));
	snprintf(name, sizeof name, "%016llx-a.so", (unsigned long long)a);
	assert_int_equal(names_lookup(c->w->store->parts.names, c->root, CACHE_QUARANTINE, &q), 0);
	assert_int_equal(q.mode, S_IFDIR | 0700);
	assert_true(is_there(c, q.ino, name));
	assert_int_equal(cache_quarantine(&c->env, c->root, a, NULL), -ENOENT); /* it is there already */

	put(c, dir, "a.so", 50, 5); /* made again */
	assert_int_equal(cache_verify(&c->env, c->root, NULL, say, NULL, &verified), 0);
	assert_int_equal(verified.damaged, 1); /* b is in the same chunk */
	assert_int_equal(verified.quarantined, 1);
	assert_string_equal(said[0], "/cache/xy/b.so: damaged, moved to " CACHE_QUARANTINE);
	assert_false(is_there(c, dir, "b.so"));
	assert_true(is_there(c, dir, "a.so"));
	(void)b;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test_setup_teardown(test_groups, setup, teardown),
		cmocka_unit_test_setup_teardown(test_least_recently_used_goes_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_in_use_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_uses_are_written_down, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage_is_moved_aside, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
