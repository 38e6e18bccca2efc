#include "store/names/acl.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "store/util/bytes.h"

#define ACL_VERSION 2u
#define HEADER 4u
#define ENTRY 8u

enum tag { USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, GROUP = 8, MASK = 16, OTHER = 32 };

static size_t entries(size_t len)
{
	return (len - HEADER) / ENTRY;
}

static uint16_t tag_at(const uint8_t *acl, size_t i)
{
	return get_le16(acl + HEADER + i * ENTRY);
}

static uint16_t perm_at(const uint8_t *acl, size_t i)
{
	return get_le16(acl + HEADER + i * ENTRY + 2);
}

static void set_perm(uint8_t *acl, size_t i, uint32_t perm)
{
	put_le16(acl + HEADER + i * ENTRY + 2, (uint16_t)(perm & 7));
}

/* Which tag may follow: each state is the last tag seen. */
static bool may_follow(uint16_t last, uint16_t tag)
{
	switch (tag) {
	case USER_OBJ:
		return last == 0;
	case USER:
		return last == USER_OBJ || last == USER;
	case GROUP_OBJ:
		return last == USER_OBJ || last == USER;
	case GROUP:
		return last == GROUP_OBJ || last == GROUP;
	case MASK:
		return last == GROUP_OBJ || last == GROUP;
	case OTHER:
		return last == GROUP_OBJ || last == GROUP || last == MASK;
	default:
		return false;
	}
}

int acl_check(const uint8_t *acl, size_t len)
{
	bool needs_mask = false, has_mask = false;
	uint16_t last = 0;

	if (len < HEADER)
		return -EINVAL;
	if (get_le32(acl) != ACL_VERSION)
		return -EOPNOTSUPP;
	if ((len - HEADER) % ENTRY || entries(len) > ACL_ENTRIES_MAX)
		return -EINVAL;
	for (size_t i = 0; i < entries(len); i++) {
		uint16_t tag = tag_at(acl, i);
		if (!may_follow(last, tag) || perm_at(acl, i) > 7)
			return -EINVAL;
		needs_mask |= tag == USER || tag == GROUP;
		has_mask |= tag == MASK;
		last = tag;
	}
	return last == OTHER && (has_mask || !needs_mask) ? 0 : -EINVAL;
}

/* Index of the one entry with that tag; `entries(len)` if there is none. */
static size_t find(const uint8_t *acl, size_t len, uint16_t tag)
{
	size_t i = 0;

	while (i < entries(len) && tag_at(acl, i) != tag)
		i++;
	return i;
}

/* The entry that the group bits of the mode stand for: the mask if there is one. */
static size_t group_class(const uint8_t *acl, size_t len)
{
	size_t mask = find(acl, len, MASK);

	return mask < entries(len) ? mask : find(acl, len, GROUP_OBJ);
}

int acl_to_mode(const uint8_t *acl, size_t len, uint32_t *mode)
{
	uint32_t bits = (uint32_t)perm_at(acl, find(acl, len, USER_OBJ)) << 6 |
			(uint32_t)perm_at(acl, group_class(acl, len)) << 3 |
			perm_at(acl, find(acl, len, OTHER));

	*mode = (*mode & ~0777u) | bits;
	return entries(len) > 3;
}

void acl_set_mode(uint8_t *acl, size_t len, uint32_t mode)
{
	set_perm(acl, find(acl, len, USER_OBJ), mode >> 6);
	set_perm(acl, group_class(acl, len), mode >> 3);
	set_perm(acl, find(acl, len, OTHER), mode);
}

int acl_inherit(uint8_t *acl, size_t len, uint32_t *mode)
{
	uint32_t allowed = 0;

	acl_to_mode(acl, len, &allowed);
	*mode &= ~0777u | allowed;
	acl_set_mode(acl, len, *mode);
	return entries(len) > 3;
}
