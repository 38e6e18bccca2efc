/*
 * POSIX.1e draft 17 access control lists in the kernel's xattr form, as acl(5) describes them:
 *
 *   le32 version, 2; then entries of 8 bytes: le16 tag, le16 permissions, le32 id
 *
 * Pure functions of buffers.
 */
#ifndef MITHRIL_STORE_NAMES_ACL_H
#define MITHRIL_STORE_NAMES_ACL_H

#include <stddef.h>
#include <stdint.h>

#define ACL_ENTRIES_MAX 8191u /* what fits NAMES_XATTR_SIZE_MAX */

/* Valid if and only if: USER_OBJ, any USER, GROUP_OBJ, any GROUP, MASK (needed with any USER or GROUP),
 * OTHER, in that order; permissions below 8. 0, -EINVAL, -EOPNOTSUPP (another version). */
int acl_check(const uint8_t *acl, size_t len);

/* The rest takes only what acl_check accepts. */

/* The permission bits that the list gives, put into *mode. 1 when the list says more than the bits do, else
 * 0. */
int acl_to_mode(const uint8_t *acl, size_t len, uint32_t *mode);

/* chmod: makes the list give the permission bits of `mode`. */
void acl_set_mode(uint8_t *acl, size_t len, uint32_t mode);

/* Creation below a directory with this default list: what is asked for (*mode) and what the list allows, in
 * both. 1 when the list says more than the bits do, so that the new inode needs it, else 0. */
int acl_inherit(uint8_t *acl, size_t len, uint32_t *mode);

#endif
