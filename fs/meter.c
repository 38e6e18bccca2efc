#include "fs/meter.h"

#include <linux/fuse.h>
#include <stddef.h>

static const char *const names[METER_OPCODES] = {
	[0] = "other",
	[FUSE_LOOKUP] = "lookup",
	[FUSE_FORGET] = "forget",
	[FUSE_GETATTR] = "getattr",
	[FUSE_SETATTR] = "setattr",
	[FUSE_READLINK] = "readlink",
	[FUSE_SYMLINK] = "symlink",
	[FUSE_MKNOD] = "mknod",
	[FUSE_MKDIR] = "mkdir",
	[FUSE_UNLINK] = "unlink",
	[FUSE_RMDIR] = "rmdir",
	[FUSE_RENAME] = "rename",
	[FUSE_LINK] = "link",
	[FUSE_OPEN] = "open",
	[FUSE_READ] = "read",
	[FUSE_WRITE] = "write",
	[FUSE_STATFS] = "statfs",
	[FUSE_RELEASE] = "release",
	[FUSE_FSYNC] = "fsync",
	[FUSE_SETXATTR] = "setxattr",
	[FUSE_GETXATTR] = "getxattr",
	[FUSE_LISTXATTR] = "listxattr",
	[FUSE_REMOVEXATTR] = "removexattr",
	[FUSE_FLUSH] = "flush",
	[FUSE_INIT] = "init",
	[FUSE_OPENDIR] = "opendir",
	[FUSE_READDIR] = "readdir",
	[FUSE_RELEASEDIR] = "releasedir",
	[FUSE_FSYNCDIR] = "fsyncdir",
	[FUSE_GETLK] = "getlk",
	[FUSE_SETLK] = "setlk",
	[FUSE_SETLKW] = "setlkw",
	[FUSE_ACCESS] = "access",
	[FUSE_CREATE] = "create",
	[FUSE_INTERRUPT] = "interrupt",
	[FUSE_BMAP] = "bmap",
	[FUSE_DESTROY] = "destroy",
	[FUSE_IOCTL] = "ioctl",
	[FUSE_POLL] = "poll",
	[FUSE_NOTIFY_REPLY] = "notify_reply",
	[FUSE_BATCH_FORGET] = "batch_forget",
	[FUSE_FALLOCATE] = "fallocate",
	[FUSE_READDIRPLUS] = "readdirplus",
	[FUSE_RENAME2] = "rename2",
	[FUSE_LSEEK] = "lseek",
	[FUSE_COPY_FILE_RANGE] = "copy_file_range",
	[FUSE_SETUPMAPPING] = "setupmapping",
	[FUSE_REMOVEMAPPING] = "removemapping",
	[FUSE_SYNCFS] = "syncfs",
	[FUSE_TMPFILE] = "tmpfile",
};

void meter_add(struct meter *meter, uint32_t opcode, uint64_t ns)
{
	size_t at = opcode < METER_OPCODES && names[opcode] ? opcode : 0;

	atomic_fetch_add_explicit(&meter->of[at].count, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&meter->of[at].ns, ns, memory_order_relaxed);
}

json_t *meter_json(const struct meter *meter)
{
	json_t *all = json_object();

	for (size_t i = 0; all && i < METER_OPCODES; i++) {
		uint64_t count = atomic_load_explicit(&meter->of[i].count, memory_order_relaxed);
		uint64_t ns = atomic_load_explicit(&meter->of[i].ns, memory_order_relaxed);
		json_t *one;

		if (!count)
			continue;
		one = json_pack("{s:I, s:I}", "count", (json_int_t)count, "us", (json_int_t)(ns / 1000));
		if (json_object_set_new(all, names[i], one)) {
			json_decref(all);
			all = NULL;
		}
	}
	return all;
}
