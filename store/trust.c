#include "store/trust.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int trust_owner(const char *path, char *text, size_t size)
{
	unsigned self = geteuid();
	struct stat st;

	if (stat(path, &st))
		return -errno;
	if (st.st_uid == self || !st.st_uid)
		return 0;
	snprintf(text, size,
		"%s belongs to user %u, who could have other files of user %u overwritten through it; do "
		"this "
		"as user %u, or take it over with: chown -R %u %s",
		path, (unsigned)st.st_uid, self, (unsigned)st.st_uid, self, path);
	return -EPERM;
}

int trust_check(const char *path, char *text, size_t size)
{
	int rc = trust_owner(path, text, size);
	struct stat st;

	if (rc || stat(path, &st))
		return rc ? rc : -errno;
	if (!(st.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	snprintf(text, size, "other users may write to %s; take that away with: chmod go-w %s", path, path);
	return -EPERM;
}
