/* POSIX access control lists, by their extended attributes as acl(5) and the kernel lay them out. */
#include "suite.h"

#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/xattr.h>

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"
#define MOST_ENTRIES 8
#define R ACL_READ
#define W ACL_WRITE
#define X ACL_EXECUTE

struct acl {
	struct posix_acl_xattr_header head;
	struct posix_acl_xattr_entry entries[MOST_ENTRIES];
	int count;
};

static void acl_add(struct acl *acl, int tag, int perm, uint32_t id)
{
	acl->head.a_version = htole32(POSIX_ACL_XATTR_VERSION);
	acl->entries[acl->count].e_tag = htole16((uint16_t)tag);
	acl->entries[acl->count].e_perm = htole16((uint16_t)perm);
	acl->entries[acl->count++].e_id = htole32(id);
}

static size_t acl_bytes(const struct acl *acl)
{
	return sizeof acl->head + (size_t)acl->count * sizeof acl->entries[0];
}

static int acl_set(const char *path, const char *which, const struct acl *acl)
{
	return setxattr(path, which, acl, acl_bytes(acl), 0);
}

/* owner, one named user, group, mask, other */
static struct acl acl_of(int owner, uint32_t user, int named, int group, int mask, int other)
{
	struct acl acl = {0};
	acl_add(&acl, ACL_USER_OBJ, owner, (uint32_t)ACL_UNDEFINED_ID);
	acl_add(&acl, ACL_USER, named, user);
	acl_add(&acl, ACL_GROUP_OBJ, group, (uint32_t)ACL_UNDEFINED_ID);
	acl_add(&acl, ACL_MASK, mask, (uint32_t)ACL_UNDEFINED_ID);
	acl_add(&acl, ACL_OTHER, other, (uint32_t)ACL_UNDEFINED_ID);
	return acl;
}

static void need_acls(void)
{
	struct acl acl = acl_of(R | W, 1, R, R, R, 0);
	need_root();
	put_file("probe", 1, 1);
	if (acl_set("probe", ACCESS, &acl) && errno == EOPNOTSUPP)
		SKIP("no ACLs here");
	OK(unlink("probe"));
}

/* Permission bits that the ACL `which` of `path` gives under `tag` (and `id`); -1 when it has no such entry.
 */
static int acl_perm(const char *path, const char *which, int tag, uint32_t id)
{
	struct acl acl = {0};
	ssize_t len = getxattr(path, which, &acl, sizeof acl.head + sizeof acl.entries);
	if (len < 0)
		return -1;
	CHECK_INT(le32toh(acl.head.a_version), POSIX_ACL_XATTR_VERSION);
	size_t count = ((size_t)len - sizeof acl.head) / sizeof acl.entries[0];
	for (size_t i = 0; i < count; i++)
		if (le16toh(acl.entries[i].e_tag) == tag &&
			(tag != ACL_USER || le32toh(acl.entries[i].e_id) == id))
			return le16toh(acl.entries[i].e_perm);
	return -1;
}

static void reads_only(void *arg)
{
	(void)arg;
	CHECK_FILE("file", 1, 10);
	FAILS(open("file", O_WRONLY), EACCES);
}

static void refused(void *arg)
{
	(void)arg;
	FAILS(open("file", O_RDONLY), EACCES);
}

static void reads_and_writes(void *arg)
{
	(void)arg;
	OK(close(OK(open("file", O_RDWR))));
}

static void grants_a_named_user(void)
{
	need_acls();
	struct acl acl = acl_of(R | W, NOBODY, R, 0, R, 0);
	put_file("file", 1, 10);
	OK(chmod("file", 0600));
	as_user(NOBODY, refused, NULL);
	OK(acl_set("file", ACCESS, &acl));
	as_user(NOBODY, reads_only, NULL);
	as_user(SOMEBODY, refused, NULL);
	settle();
	CHECK_INT(MODE_OF("file"), 0640); /* the group bits are the mask */
	CHECK_INT(acl_perm("file", ACCESS, ACL_USER, NOBODY), R);
	acl = acl_of(R | W, NOBODY, R | W, 0, R | W, 0);
	OK(acl_set("file", ACCESS, &acl));
	as_user(NOBODY, reads_and_writes, NULL);
	OK(removexattr("file", ACCESS));
	as_user(NOBODY, refused, NULL);
}

static void mask_limits(void)
{
	need_acls();
	struct acl acl = acl_of(R | W, NOBODY, R | W, R | W, R | W, 0);
	put_file("file", 1, 10);
	OK(acl_set("file", ACCESS, &acl));
	as_user(NOBODY, reads_and_writes, NULL);
	OK(chmod("file", 0640)); /* sets the mask, not the owning group's entry */
	CHECK_INT(acl_perm("file", ACCESS, ACL_MASK, 0), R);
	CHECK_INT(acl_perm("file", ACCESS, ACL_USER, NOBODY), R | W);
	CHECK_INT(acl_perm("file", ACCESS, ACL_GROUP_OBJ, 0), R | W);
	as_user(NOBODY, reads_only, NULL);
	OK(chmod("file", 0600));
	as_user(NOBODY, refused, NULL);
	OK(chmod("file", 0666));
	CHECK_INT(acl_perm("file", ACCESS, ACL_OTHER, 0), R | W);
	as_user(NOBODY, reads_and_writes, NULL);
}

static void denies_a_named_user(void)
{
	need_acls();
	struct acl acl = acl_of(R | W, NOBODY, 0, R, R, R);
	put_file("file", 1, 10);
	OK(acl_set("file", ACCESS, &acl));
	as_user(NOBODY, refused, NULL);
	as_user(SOMEBODY, reads_only, NULL);
}

static void minimal_list_is_the_mode(void)
{
	need_acls();
	struct acl acl = {0};
	acl_add(&acl, ACL_USER_OBJ, R | W, (uint32_t)ACL_UNDEFINED_ID);
	acl_add(&acl, ACL_GROUP_OBJ, R, (uint32_t)ACL_UNDEFINED_ID);
	acl_add(&acl, ACL_OTHER, 0, (uint32_t)ACL_UNDEFINED_ID);
	put_file("file", 1, 10);
	OK(acl_set("file", ACCESS, &acl));
	CHECK_INT(MODE_OF("file"), 0640);
	FAILS(getxattr("file", ACCESS, NULL, 0), ENODATA);
}

static void inherits(void)
{
	need_acls();
	struct acl acl = acl_of(R | W | X, NOBODY, R | W | X, R | X, R | W | X, 0);
	OK(mkdir("dir", 0755));
	OK(acl_set("dir", DEFAULT, &acl));
	CHECK_INT(MODE_OF("dir"), 0755);
	umask(077); /* a default list takes the place of the umask */
	int fd = OK(open("dir/file", O_WRONLY | O_CREAT, 0666));
	OK(close(fd));
	OK(mkdir("dir/sub", 0777));
	OK(mkfifo("dir/fifo", 0660));
	CHECK_INT(MODE_OF("dir/file"), 0660);
	CHECK_INT(MODE_OF("dir/sub"), 0770);
	CHECK_INT(MODE_OF("dir/fifo"), 0660);
	CHECK_INT(acl_perm("dir/file", ACCESS, ACL_USER, NOBODY), R | W | X);
	CHECK_INT(acl_perm("dir/file", ACCESS, ACL_MASK, 0), R | W);
	CHECK_INT(acl_perm("dir/file", DEFAULT, ACL_USER, NOBODY), -1);
	CHECK_INT(acl_perm("dir/sub", ACCESS, ACL_USER, NOBODY), R | W | X);
	CHECK_INT(acl_perm("dir/sub", DEFAULT, ACL_USER, NOBODY), R | W | X);
	fd = OK(open("dir/tight", O_WRONLY | O_CREAT, 0600));
	OK(close(fd));
	CHECK_INT(MODE_OF("dir/tight"), 0600);
	CHECK_INT(acl_perm("dir/tight", ACCESS, ACL_MASK, 0), 0);
	OK(removexattr("dir", DEFAULT));
	OK(close(OK(open("dir/plain", O_WRONLY | O_CREAT, 0666))));
	CHECK_INT(MODE_OF("dir/plain"), 0600);
}

static void minimal_default(void)
{
	need_acls();
	struct acl acl = {0};
	acl_add(&acl, ACL_USER_OBJ, R | W | X, (uint32_t)ACL_UNDEFINED_ID);
	acl_add(&acl, ACL_GROUP_OBJ, R | W | X, (uint32_t)ACL_UNDEFINED_ID);
	acl_add(&acl, ACL_OTHER, 0, (uint32_t)ACL_UNDEFINED_ID);
	OK(mkdir("dir", 0755));
	OK(acl_set("dir", DEFAULT, &acl));
	umask(022);
	OK(close(OK(open("dir/file", O_WRONLY | O_CREAT, 0666))));
	CHECK_INT(MODE_OF("dir/file"), 0660);
	FAILS(getxattr("dir/file", ACCESS, NULL, 0), ENODATA);
}

static void refuses_nonsense(void)
{
	need_acls();
	struct acl acl = acl_of(R | W, NOBODY, R, R, R, 0), broken = acl;
	put_file("file", 1, 1);
	broken.count = 4; /* no entry for others */
	FAILS(acl_set("file", ACCESS, &broken), EINVAL);
	broken = acl;
	broken.entries[1].e_tag = htole16(0x40);
	FAILS(acl_set("file", ACCESS, &broken), EINVAL);
	broken = acl;
	broken.head.a_version = htole32(77);
	FAILS(acl_set("file", ACCESS, &broken), EOPNOTSUPP);
	FAILS(setxattr("file", ACCESS, &acl, acl_bytes(&acl) - 3, 0), EINVAL);
	FAILS(acl_set("file", DEFAULT, &acl), EACCES);
	CHECK_INT(MODE_OF("file"), 0644);
}

static void not_the_owner(void *arg)
{
	struct acl acl = acl_of(R | W, NOBODY, R | W, R, R | W, 0);
	(void)arg;
	FAILS(acl_set("file", ACCESS, &acl), EPERM);
	FAILS(removexattr("file", ACCESS), EPERM);
}

static void only_the_owner_sets(void)
{
	need_acls();
	struct acl acl = acl_of(R | W, NOBODY, R | W, R, R | W, 0);
	put_file("file", 1, 1);
	OK(acl_set("file", ACCESS, &acl));
	as_user(NOBODY, not_the_owner, NULL);
}

static void lists_them(void)
{
	char list[1024];
	need_acls();
	struct acl acl = acl_of(R | W | X, NOBODY, R, R, R, 0);
	OK(mkdir("dir", 0755));
	OK(acl_set("dir", ACCESS, &acl));
	OK(acl_set("dir", DEFAULT, &acl));
	ssize_t len = OK(listxattr("dir", list, sizeof list));
	int found = 0;
	for (char *p = list; p < list + len; p += strlen(p) + 1)
		found += !strcmp(p, ACCESS) || !strcmp(p, DEFAULT);
	CHECK_INT(found, 2);
}

static const struct suite_case cases[] = {
	{"grants_a_named_user", grants_a_named_user, 0},
	{"mask_limits", mask_limits, 0},
	{"denies_a_named_user", denies_a_named_user, 0},
	{"minimal_list_is_the_mode", minimal_list_is_the_mode, 0},
	{"inherits", inherits, 0},
	{"minimal_default", minimal_default, 0},
	{"refuses_nonsense", refuses_nonsense, 0},
	{"only_the_owner_sets", only_the_owner_sets, 0},
	{"lists_them", lists_them, 0},
};
SUITE(cases)
