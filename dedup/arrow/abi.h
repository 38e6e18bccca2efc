/*
 * The structures of the Arrow C data interface and the Arrow C stream interface, by which libraries in one
 * process hand columns to each other (https://arrow.apache.org/docs/format/CDataInterface.html and
 * CStreamInterface.html). Their layout is an ABI; the names of the guards are those of the specification, so
 * that another header with the same structures does not clash.
 *
 * Whoever holds one calls `release` once; afterwards `release` is NULL. A structure may be moved by copying
 * its bytes and setting the old one's `release` to NULL.
 */
#ifndef MITHRIL_DEDUP_ARROW_ABI_H
#define MITHRIL_DEDUP_ARROW_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
	const char *format; /* the type, in the specification's letters */
	const char *name;
	const char *metadata;
	int64_t flags;
	int64_t n_children;
	struct ArrowSchema **children;
	struct ArrowSchema *dictionary; /* of the values; format is then that of the indices */
	void (*release)(struct ArrowSchema *);
	void *private_data;
};

struct ArrowArray {
	int64_t length;
	int64_t null_count; /* -1: not known */
	int64_t offset;	    /* items before the first, in all buffers; in children of a struct too */
	int64_t n_buffers;
	int64_t n_children;
	const void **buffers; /* how long each is, the type and length say, and nothing else */
	struct ArrowArray **children;
	struct ArrowArray *dictionary;
	void (*release)(struct ArrowArray *);
	void *private_data;
};

#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

/* Functions return 0 or a positive errno. */
struct ArrowArrayStream {
	int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
	int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out); /* released: the end */
	const char *(*get_last_error)(struct ArrowArrayStream *);
	void (*release)(struct ArrowArrayStream *);
	void *private_data;
};

#endif

#ifdef __cplusplus
}
#endif

#endif
