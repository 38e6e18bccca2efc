// links: m_names
/* Thousands of random operations on the namespace and on a plain model of it: every result must agree. */
#include "tests/unit/names_world.h"

#include <linux/fs.h>

#define NODES 4000
#define NAMES 7
#define OPERATIONS 12000

struct node {
	uint64_t ino;
	uint32_t type;
	unsigned nlink;	    /* directories: 0 when removed; else 2 and the subdirectories */
	int parent;	    /* directories */
	int entries[NAMES]; /* directories: node, or -1 */
	bool dropped;
};

struct model {
	struct node nodes[NODES];
	int count;
	uint64_t random;
};

static const char *const names[NAMES] = {"a", "b", "c", "some longer name", "e", "f", "g"};

static unsigned pick(struct model *m, unsigned below)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 7;
	m->random ^= m->random << 17;
	return (unsigned)(m->random >> 20) % below;
}

static int new_node(struct model *m, uint32_t type)
{
	struct node *n = &m->nodes[m->count];

	memset(n, 0, sizeof *n);
	n->type = type;
	for (int i = 0; i < NAMES; i++)
		n->entries[i] = -1;
	return m->count++;
}

static bool is_dir(const struct model *m, int node)
{
	return S_ISDIR(m->nodes[node].type);
}

static int check_parent(const struct model *m, int dir)
{
	if (m->nodes[dir].dropped)
		return -ENOENT;
	if (!is_dir(m, dir))
		return -ENOTDIR;
	return m->nodes[dir].nlink ? 0 : -ENOENT;
}

static bool is_empty(const struct model *m, int dir)
{
	for (int i = 0; i < NAMES; i++) {
		if (m->nodes[dir].entries[i] >= 0)
			return false;
	}
	return true;
}

static bool is_above(const struct model *m, int node, int dir)
{
	while (dir != node && dir != 0)
		dir = m->nodes[dir].parent;
	return dir == node;
}

static void attach(struct model *m, int dir, int name, int node)
{
	m->nodes[dir].entries[name] = node;
	if (is_dir(m, node)) {
		m->nodes[node].parent = dir;
		m->nodes[dir].nlink++;
	}
}

static int detach(struct model *m, int dir, int name)
{
	int node = m->nodes[dir].entries[name];

	m->nodes[dir].entries[name] = -1;
	if (node >= 0 && is_dir(m, node))
		m->nodes[dir].nlink--;
	return node;
}

static int model_make(struct model *m, int dir, int name, uint32_t type)
{
	int rc = check_parent(m, dir);
	int node;

	if (rc)
		return rc;
	if (m->nodes[dir].entries[name] >= 0)
		return -EEXIST;
	node = new_node(m, type);
	m->nodes[node].nlink = S_ISDIR(type) ? 2 : 1;
	attach(m, dir, name, node);
	return 0;
}

static int model_link(struct model *m, int node, int dir, int name)
{
	int rc = check_parent(m, dir);

	if (rc)
		return rc;
	if (m->nodes[node].dropped)
		return -ENOENT;
	if (m->nodes[dir].entries[name] >= 0)
		return -EEXIST;
	if (is_dir(m, node))
		return -EPERM;
	m->nodes[node].nlink++;
	attach(m, dir, name, node);
	return 0;
}

static int model_remove(struct model *m, int dir, int name, bool rmdir)
{
	int rc = check_parent(m, dir), node;

	if (rc)
		return rc;
	node = m->nodes[dir].entries[name];
	if (node < 0)
		return -ENOENT;
	if (is_dir(m, node) != rmdir)
		return rmdir ? -ENOTDIR : -EISDIR;
	if (rmdir && !is_empty(m, node))
		return -ENOTEMPTY;
	detach(m, dir, name);
	if (rmdir)
		m->nodes[node].nlink = 0;
	else
		m->nodes[node].nlink--;
	return 0;
}

static int model_rename(struct model *m, int d1, int n1, int d2, int n2, unsigned flags, int *gone)
{
	int rc = check_parent(m, d1), s, t;

	if (!rc)
		rc = check_parent(m, d2);
	if (rc)
		return rc;
	s = m->nodes[d1].entries[n1];
	t = m->nodes[d2].entries[n2];
	if (s < 0 || ((flags & RENAME_EXCHANGE) && t < 0))
		return -ENOENT;
	if ((flags & RENAME_NOREPLACE) && t >= 0)
		return -EEXIST;
	if (s == t)
		return 0;
	if (is_dir(m, s) && is_above(m, s, d2))
		return -EINVAL;
	if (flags & RENAME_EXCHANGE) {
		if (is_dir(m, t) && is_above(m, t, d1))
			return -EINVAL;
		detach(m, d1, n1);
		detach(m, d2, n2);
		attach(m, d2, n2, s);
		attach(m, d1, n1, t);
		return 0;
	}
	if (t >= 0 && is_dir(m, s) != is_dir(m, t))
		return is_dir(m, s) ? -ENOTDIR : -EISDIR;
	if (t >= 0 && is_dir(m, t) && !is_empty(m, t))
		return -ENOTEMPTY;
	if (t >= 0) {
		detach(m, d2, n2);
		m->nodes[t].nlink = is_dir(m, t) ? 0 : m->nodes[t].nlink - 1;
		if (!m->nodes[t].nlink)
			*gone = t;
	}
	detach(m, d1, n1);
	attach(m, d2, n2, s);
	return 0;
}

/* Mostly a directory that is there; now and then anything. */
static int pick_dir(struct model *m)
{
	for (int tries = 0; tries < 30; tries++) {
		int node = (int)pick(m, (unsigned)m->count);
		if (pick(m, 40) == 0 || check_parent(m, node) == 0)
			return node;
	}
	return 0;
}

static void do_make(struct world *w, struct model *m)
{
	static const uint32_t types[] = {S_IFREG, S_IFREG, S_IFDIR, S_IFDIR, S_IFIFO, S_IFLNK};
	uint32_t type = types[pick(m, 6)];
	int dir = pick_dir(m), name = (int)pick(m, NAMES), before = m->count;
	struct inode made;
	int rc;

	if (S_ISLNK(type))
		rc = names_symlink(w->names, m->nodes[dir].ino, names[name], "target", &user, &made);
	else
		rc = names_make(w->names, m->nodes[dir].ino, names[name], type | 0755, 0, &user, CONTENT_NONE,
			0, &made);
	assert_int_equal(rc, model_make(m, dir, name, type));
	if (m->count > before)
		m->nodes[before].ino = made.ino;
}

static void do_link(struct world *w, struct model *m)
{
	int node = (int)pick(m, (unsigned)m->count), dir = pick_dir(m), name = (int)pick(m, NAMES);
	struct inode inode;
	int rc = names_link(w->names, m->nodes[node].ino, m->nodes[dir].ino, names[name], &inode);

	assert_int_equal(rc, model_link(m, node, dir, name));
	if (!rc)
		assert_int_equal(inode.nlink, m->nodes[node].nlink);
}

static void do_remove(struct world *w, struct model *m)
{
	int dir = pick_dir(m), name = (int)pick(m, NAMES);
	bool rmdir = pick(m, 2);
	uint64_t ino = m->nodes[dir].ino;

	assert_int_equal(rmdir ? names_rmdir(w->names, ino, names[name], NULL)
			       : names_unlink(w->names, ino, names[name], NULL),
		model_remove(m, dir, name, rmdir));
}

static void do_rename(struct world *w, struct model *m)
{
	static const unsigned all[] = {0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_EXCHANGE};
	int d1 = pick_dir(m), d2 = pick(m, 3) ? pick_dir(m) : d1, n1 = (int)pick(m, NAMES),
	    n2 = (int)pick(m, NAMES);
	unsigned flags = all[pick(m, 5)];
	struct names_renamed renamed;
	int lost = -1;
	int rc = names_rename(
		w->names, m->nodes[d1].ino, names[n1], m->nodes[d2].ino, names[n2], flags, &renamed);

	assert_int_equal(rc, model_rename(m, d1, n1, d2, n2, flags, &lost));
	assert_int_equal(renamed.gone, lost < 0 ? 0 : m->nodes[lost].ino);
}

static void do_drop(struct world *w, struct model *m)
{
	int node = (int)pick(m, (unsigned)m->count);
	struct node *n = &m->nodes[node];
	struct kv_batch *batch = kv_batch_new();

	assert_int_equal(names_drop(w->names, batch, n->ino, &(struct inode){0}), n->dropped ? -ENOENT
										  : n->nlink ? -EBUSY
											     : 0);
	assert_int_equal(kv_write(w->kv, batch, false), 0);
	kv_batch_free(batch);
	n->dropped = !n->nlink;
}

struct walk {
	struct model *m;
	int dir, seen;
};

static int check_entry(void *ctx, const struct names_entry *e)
{
	struct walk *walk = ctx;
	const struct node *dir = &walk->m->nodes[walk->dir];

	if (strcmp(e->name, ".") == 0) {
		assert_int_equal(e->ino, dir->ino);
		return 0;
	}
	if (strcmp(e->name, "..") == 0) {
		assert_int_equal(e->ino, walk->m->nodes[dir->parent].ino);
		return 0;
	}
	for (int i = 0; i < NAMES; i++) {
		if (strcmp(names[i], e->name) != 0)
			continue;
		assert_true(dir->entries[i] >= 0);
		assert_int_equal(e->ino, walk->m->nodes[dir->entries[i]].ino);
		assert_int_equal(e->type, walk->m->nodes[dir->entries[i]].type);
		walk->seen++;
		return 0;
	}
	fail();
	return 1;
}

static int count_one(void *ctx, uint64_t ino)
{
	(void)ino;
	++*(int *)ctx;
	return 0;
}

static void compare(struct world *w, struct model *m)
{
	uint64_t files, directories, others, expected[3] = {0};
	int orphans = 0, expected_orphans = 0;

	for (int i = 0; i < m->count; i++) {
		const struct node *n = &m->nodes[i];
		struct inode inode;
		struct walk walk = {m, i, 0};
		int rc = names_get(w->names, n->ino, &inode), entries = 0;
		assert_int_equal(rc, n->dropped ? -ENOENT : 0);
		if (rc)
			continue;
		assert_int_equal(inode.nlink, n->nlink);
		assert_int_equal(inode.mode & S_IFMT, n->type);
		expected_orphans += !n->nlink;
		if (n->nlink && i)
			expected[S_ISREG(n->type) ? 0 : S_ISDIR(n->type) ? 1 : 2]++;
		if (!S_ISDIR(n->type))
			continue;
		for (int e = 0; e < NAMES; e++)
			entries += n->entries[e] >= 0;
		assert_int_equal(inode.size, entries);
		assert_int_equal(inode.parent, m->nodes[n->parent].ino);
		assert_int_equal(names_readdir(w->names, n->ino, 0, check_entry, &walk), 0);
		assert_int_equal(walk.seen, entries);
	}
	names_count(w->names, &files, &directories, &others);
	assert_int_equal(files, expected[0]);
	assert_int_equal(directories, expected[1]);
	assert_int_equal(others, expected[2]);
	assert_int_equal(names_orphans(w->names, count_one, &orphans), 0);
	assert_int_equal(orphans, expected_orphans);
}

static void run(struct world *w, uint64_t seed)
{
	struct model *m = calloc(1, sizeof *m);

	m->random = seed;
	new_node(m, S_IFDIR);
	m->nodes[0].ino = NAMES_ROOT;
	m->nodes[0].nlink = 2;
	for (int i = 0; i < OPERATIONS && m->count < NODES - 1; i++) {
		unsigned what = pick(m, 100);
		if (what < 25)
			do_make(w, m);
		else if (what < 35)
			do_link(w, m);
		else if (what < 55)
			do_remove(w, m);
		else if (what < 95)
			do_rename(w, m);
		else
			do_drop(w, m);
		if (i % 2000 == 1999)
			compare(w, m);
		if (i % 4000 == 3999) {
			world_crash(w);
			compare(w, m);
		}
	}
	world_shut(w);
	assert_int_equal(world_open(w), 0);
	compare(w, m);
	free(m);
}

static void test_seed_1(void **state)
{
	run(*state, 0x123456789abcdef1);
}

static void test_seed_2(void **state)
{
	run(*state, 0xfedcba9876543211);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_seed_1, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_seed_2, world_setup, world_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
