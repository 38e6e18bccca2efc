/*
 * How many requests of each kind the kernel has sent, and how long serving them took.
 *
 * Any thread; two additions a request.
 */
#ifndef MITHRIL_FS_METER_H
#define MITHRIL_FS_METER_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdint.h>

#define METER_OPCODES 64u

struct meter {
	struct {
		_Atomic uint64_t count, ns;
	} of[METER_OPCODES]; /* by opcode; those beyond are under 0 */
};

/* A request of that opcode (FUSE_* of linux/fuse.h) took `ns`, from when it was read to when its thread was
 * free again. */
void meter_add(struct meter *meter, uint32_t opcode, uint64_t ns);

/* {"lookup": {"count", "us"}, ...}, of what has come at all. The caller's. NULL: out of memory. */
json_t *meter_json(const struct meter *meter);

#endif
