// links: m_stage m_names m_kv
/* Inode records, superblocks, ACLs and records of raw copies: what decodes must be sound, and encode to the
 * same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/kv/superblock.h"
#include "store/names/acl.h"
#include "store/names/names.h"
#include "store/stage/kept_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int condition)
{
	if (!condition)
		abort();
}

static void fuzz_record(const uint8_t *data, size_t size)
{
	uint8_t record[NAMES_RECORD_MAX];
	struct inode inode;

	if (inode_decode(&inode, 5, data, size))
		return;
	check(inode.size <= INT64_MAX && inode.mtime.tv_nsec < 1000000000);
	check(inode_encode(&inode, record) == size && memcmp(record, data, size) == 0);
}

static void fuzz_superblock(const uint8_t *data, size_t size)
{
	uint8_t block[SUPERBLOCK_SIZE];
	struct superblock sb;

	if (superblock_decode(&sb, data, size) == 0)
		check(sb.version == SUPERBLOCK_VERSION && sb.chunk_size != 0);
	/* past the checksum: the bytes as a valid superblock with damaged fields */
	if (size < 8 || size > 64)
		return;
	memset(&sb, 0, sizeof sb);
	memcpy(&sb, data, size < sizeof sb ? size : sizeof sb);
	superblock_encode(&sb, block);
	superblock_decode(&sb, block, sizeof block);
}

static void fuzz_acl(const uint8_t *data, size_t size)
{
	uint32_t mode = 0100640, allowed = 0;
	uint8_t *acl = malloc(size + 1);

	if (acl && acl_check(data, size) == 0) {
		memcpy(acl, data, size);
		acl_to_mode(acl, size, &allowed);
		acl_inherit(acl, size, &mode);
		check(acl_check(acl, size) == 0 && (mode & 0777 & ~allowed) == 0);
		acl_set_mode(acl, size, 0741);
		acl_to_mode(acl, size, &mode);
		check((mode & 0777) == 0741);
	}
	free(acl);
}

static void fuzz_kept(const uint8_t *data, size_t size)
{
	uint8_t bytes[KEPT_RECORD_SIZE];
	struct kept_record record;

	if (kept_record_decode(&record, data, size))
		return;
	kept_record_encode(&record, bytes);
	check(size == sizeof bytes && bytes[0] == data[0] && memcmp(bytes + 8, data + 8, size - 8) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_kept(data, size);
	fuzz_record(data, size);
	fuzz_superblock(data, size);
	fuzz_acl(data, size);
	return 0;
}
