// links: m_fs
/* What the kernel says and libfuse loses: requests adapted in place, the reply to FUSE_INIT edited. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/fuse.h>

#include "fs/wire.h"

#define PASSTHROUGH (1ull << 37)
#define DIRECT_IO_ALLOW_MMAP (1ull << 36)

struct message {
	struct fuse_in_header in;
	union {
		struct fuse_open_in open;
		struct fuse_create_in create;
		struct fuse_write_in write;
		struct fuse_setattr_in setattr;
		struct fuse_setxattr_in setxattr;
		struct fuse_init_in init;
		struct fuse_read_in read;
		char bytes[256];
	};
};

static struct message message_of(uint32_t opcode, size_t body)
{
	struct message message;

	memset(&message, 0, sizeof message);
	message.in.opcode = opcode;
	message.in.len = (uint32_t)(sizeof message.in + body);
	return message;
}

static size_t adapt(struct message *message, struct wire_init *init)
{
	size_t len = message->in.len;

	wire_adapt(message, &len, init);
	return len;
}

static void kill_bits_travel(void **state)
{
	struct wire_init init = {0};
	struct message message = message_of(FUSE_OPEN, sizeof message.open);

	(void)state;
	message.open.flags = 2;
	adapt(&message, &init);
	assert_int_equal(message.open.flags, 2);
	message.open.open_flags = FUSE_OPEN_KILL_SUIDGID;
	adapt(&message, &init);
	assert_int_equal(message.open.flags, 2 | WIRE_KILL_PRIV);

	message = message_of(FUSE_WRITE, sizeof message.write);
	message.write.write_flags = FUSE_WRITE_KILL_SUIDGID;
	adapt(&message, &init);
	assert_int_equal(message.write.flags, WIRE_KILL_PRIV);
	message.write.write_flags = FUSE_WRITE_LOCKOWNER;
	adapt(&message, &init);
	assert_int_equal(message.write.flags, 0);
}

static void setattr_kills(void **state)
{
	struct wire_init init = {0};
	struct message message = message_of(FUSE_SETATTR, sizeof message.setattr);

	(void)state;
	message.setattr.valid = FATTR_UID;
	adapt(&message, &init);
	assert_int_equal(message.setattr.mode, 0);
	message.setattr.valid = FATTR_UID | FATTR_KILL_SUIDGID;
	adapt(&message, &init);
	assert_int_equal(message.setattr.mode, WIRE_KILL_PRIV);
	/* What is left of the kernel's own attempt before a write that it passes through. */
	message.setattr.valid = FATTR_FH;
	message.setattr.mode = 0;
	adapt(&message, &init);
	assert_int_equal(message.setattr.mode, WIRE_KILL_PRIV);
}

static void tmpfile_becomes_create(void **state)
{
	struct wire_init init = {0};
	struct message message = message_of(FUSE_TMPFILE, sizeof message.create + 2);

	(void)state;
	message.create.mode = 0600;
	adapt(&message, &init);
	assert_int_equal(message.in.opcode, FUSE_CREATE);
	assert_int_equal(message.create.mode, 0600);
}

static void setxattr_shrinks(void **state)
{
	struct wire_init init = {.offered = FUSE_SETXATTR_EXT};
	struct message message = message_of(FUSE_SETXATTR, sizeof message.setxattr + 9);
	struct fuse_setxattr_in *in = &message.setxattr;

	(void)state;
	in->size = 2;
	in->setxattr_flags = FUSE_SETXATTR_ACL_KILL_SGID;
	memcpy(in + 1, "user.x\0ab", 9);
	assert_int_equal(adapt(&message, &init), sizeof message.in + FUSE_COMPAT_SETXATTR_IN_SIZE + 9);
	assert_int_equal(message.in.len, sizeof message.in + FUSE_COMPAT_SETXATTR_IN_SIZE + 9);
	assert_int_equal(in->size, 2);
	assert_int_equal(in->flags, WIRE_KILL_PRIV);
	assert_memory_equal((char *)in + FUSE_COMPAT_SETXATTR_IN_SIZE, "user.x\0ab", 9);
}

/* Whatever its opcode says, a message that ends early is not touched behind its end. */
static void short_messages(void **state)
{
	struct wire_init init = {.offered = FUSE_SETXATTR_EXT};

	(void)state;
	for (uint32_t opcode = 0; opcode < 64; opcode++) {
		for (size_t len = 0; len < sizeof(struct fuse_in_header) + 4; len++) {
			struct message message = message_of(opcode, 0), before;
			size_t after = len;

			memset(message.bytes, 0x5a, sizeof message.bytes);
			before = message;
			wire_adapt(&message, &after, &init);
			wire_pace(&message, len);
			assert_int_equal(after, len);
			assert_memory_equal(&message, &before, sizeof message);
		}
	}
}

static void opcodes(void **state)
{
	struct message message = message_of(FUSE_READ, sizeof message.read);

	(void)state;
	assert_int_equal(wire_opcode(&message, message.in.len), FUSE_READ);
	assert_int_equal(wire_opcode(&message, sizeof message.in - 1), 0);
}

static void paces(void **state)
{
	struct message message = message_of(FUSE_READ, sizeof message.read);

	(void)state;
	message.read.size = 4096;
	assert_int_equal(wire_pace(&message, message.in.len), WIRE_QUICK);
	message.read.size = 1 << 20;
	assert_int_equal(wire_pace(&message, message.in.len), WIRE_SLOW);
	message = message_of(FUSE_OPEN, sizeof message.open);
	assert_int_equal(wire_pace(&message, message.in.len), WIRE_QUICK);
	message.open.flags = 2;
	assert_int_equal(wire_pace(&message, message.in.len), WIRE_SLOW);
	message = message_of(FUSE_LOOKUP, 2);
	assert_int_equal(wire_pace(&message, message.in.len), WIRE_QUICK);
	message = message_of(FUSE_FORGET, 8);
	assert_int_equal(wire_pace(&message, message.in.len), WIRE_INSTANT);
	message = message_of(FUSE_FSYNC, sizeof(struct fuse_fsync_in));
	assert_int_equal(wire_pace(&message, message.in.len), WIRE_SLOW);
}

static struct wire_init offered(uint64_t flags, bool try_passthrough)
{
	struct wire_init init = {.try_passthrough = try_passthrough, .stack_depth = 1};
	struct message message = message_of(FUSE_INIT, sizeof message.init);

	message.in.unique = 7;
	message.init.flags = (uint32_t)flags;
	message.init.flags2 = (uint32_t)(flags >> 32);
	adapt(&message, &init);
	return init;
}

static struct fuse_init_out edit(struct wire_init *init, uint64_t unique)
{
	struct fuse_out_header out = {.unique = unique};
	struct fuse_init_out body = {.major = 7, .minor = 38, .flags = FUSE_ASYNC_READ};
	struct iovec iov[] = {{&out, sizeof out}, {&body, sizeof body}};

	wire_edit_init(iov, 2, init);
	return body;
}

static void init_asks_for_what_is_offered(void **state)
{
	const uint64_t all = FUSE_INIT_EXT | FUSE_PARALLEL_DIROPS | FUSE_HANDLE_KILLPRIV_V2 | PASSTHROUGH |
			     DIRECT_IO_ALLOW_MMAP;
	struct wire_init init = offered(all, true);
	struct fuse_init_out body = edit(&init, 6);

	(void)state;
	assert_int_equal(body.flags, FUSE_ASYNC_READ);
	body = edit(&init, 7);
	assert_int_equal(
		body.flags, FUSE_ASYNC_READ | FUSE_INIT_EXT | FUSE_PARALLEL_DIROPS | FUSE_HANDLE_KILLPRIV_V2);
	assert_int_equal(body.flags2, (PASSTHROUGH | DIRECT_IO_ALLOW_MMAP) >> 32);
	assert_int_equal(body.unused[0], 1);
	assert_int_equal(body.minor, 40);
	assert_true(init.passthrough);
	/* Once only. */
	body = edit(&init, 7);
	assert_int_equal(body.flags, FUSE_ASYNC_READ);
}

static void init_without_passthrough(void **state)
{
	struct wire_init init = offered(FUSE_INIT_EXT | PASSTHROUGH, false);
	struct fuse_init_out body = edit(&init, 7);

	(void)state;
	assert_int_equal(body.flags2, 0);
	assert_int_equal(body.minor, 38);
	assert_false(init.passthrough);

	/* The high flags of a kernel that has none are noise. */
	init = offered(PASSTHROUGH | FUSE_PARALLEL_DIROPS, true);
	body = edit(&init, 7);
	assert_int_equal(body.flags, FUSE_ASYNC_READ | FUSE_PARALLEL_DIROPS);
	assert_int_equal(body.flags2, 0);
	assert_false(init.passthrough);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kill_bits_travel),
		cmocka_unit_test(setattr_kills),
		cmocka_unit_test(tmpfile_becomes_create),
		cmocka_unit_test(setxattr_shrinks),
		cmocka_unit_test(short_messages),
		cmocka_unit_test(opcodes),
		cmocka_unit_test(paces),
		cmocka_unit_test(init_asks_for_what_is_offered),
		cmocka_unit_test(init_without_passthrough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
