/*
 * What the parsers of store/formats share. Not for others.
 *
 * formats.c: recognition, the layout and its names.
 *
 * zip.c: the central directory. pickle.c: a scanner of opcodes, with pickle_values.c and pickle_torch.c.
 * storages.c: names and elements of what it found.
 *
 * safetensors.c, gguf.c, npy.c, npz.c, torch_zip.c, torch_legacy.c, dcp.c: a format each.
 *
 * A parser returns 0 with tensors added, ODD when the bytes are not a sound file of its format, -ENOMEM, or
 * the error of view->read. ODD never leaves formats_label.
 */
#ifndef MITHRIL_STORE_FORMATS_PRIVATE_H
#define MITHRIL_STORE_FORMATS_PRIVATE_H

#include <stdbool.h>

#include "store/formats/formats.h"

#define ODD 1

/* --- formats.c --- */

/* ODD if the range is not within the file. */
int view_read(const struct view *view, uint64_t off, void *dst, uint64_t len);
/* Reads `len` bytes into memory of their own, one more byte than that long (at least one byte exists for len
 * 0). ODD if the range is not within the file or longer than FORMAT_HEADER_MAX. The caller frees *bytes. */
int view_load(const struct view *view, uint64_t off, uint64_t len, uint8_t **bytes);

/* Makes room for one more item of `size` bytes in an array that doubles, up to `max` items (ODD then). */
int grow(void *array, size_t count, size_t *capacity, size_t max, size_t size);

/* Adds a tensor under a copy of the name, cut to FORMAT_NAME_MAX and made valid UTF-8 without control
 * characters. A tensor of no bytes is left out. */
int layout_add(struct layout *layout, struct tensor tensor, const char *name, size_t name_len);

/* Appends a dimension; past FORMAT_DIMS_MAX it is multiplied into the last. False on overflow. */
bool tensor_add_dim(struct tensor *tensor, uint64_t dim);
/* Multiplies; false on overflow. */
bool multiply(uint64_t *a, uint64_t b);
/* Bytes of all the elements of that shape (scalar: one element); false if they overflow or do not fill whole
 * bytes. */
bool tensor_bytes(const struct tensor *tensor, uint64_t *len);

/* --- the parsers --- */

int safetensors_label(const struct view *view, struct layout *layout);
int gguf_label(const struct view *view, struct layout *layout);
int npy_label(const struct view *view, struct layout *layout);
int torch_legacy_label(const struct view *view, struct layout *layout);
/* A zip that ends with the file: torch.save, npz or a DCP shard; sets layout->format. */
int zip_label(const struct view *view, struct layout *layout);

/* The array in [off, off + len), which may be followed by other bytes. */
int npy_label_range(const struct view *view, uint64_t off, uint64_t len, struct layout *layout,
	const char *name, size_t name_len);

/* --- zip.c --- */

/* One archive. All offsets are of the file. */
struct zip {
	const struct view *view;
	uint64_t start, end; /* the archive */
	uint64_t directory, directory_len;
	uint8_t *bytes; /* of the directory, once loaded */
	uint64_t at;	/* zip_next's place in it */
	uint64_t floor; /* where the next member may begin, from the start */
};

struct zip_member {
	const char *name; /* in zip->bytes; not NUL-terminated */
	size_t name_len;
	uint64_t header; /* its local header */
	uint64_t size, packed;
	bool stored; /* neither compressed nor encrypted */
};

/* Finds the archive that ends at `end`, without a comment: reads the last 98 bytes only. Its start comes of
 * where its directory is and where the directory says it is, so an archive inside a larger file is found too.
 */
int zip_find(const struct view *view, uint64_t end, struct zip *zip);
/* Reads the directory; once, before zip_next. ODD if it is not sound to its end; members must follow each
 * other in the file as in the directory, so that looking into each of them is linear in the file. */
int zip_load(struct zip *zip);
/* The next member: 1; 0 at the end. zip->at = 0 begins again. */
int zip_next(struct zip *zip, struct zip_member *member);
/* Where the bytes of a stored member begin: reads its local header. They lie before the directory. */
int zip_data(const struct zip *zip, const struct zip_member *member, uint64_t *off);
void zip_release(struct zip *zip);

int npz_label(struct zip *zip, struct layout *layout);
/* Labels the storages of a loaded archive; names get `prefix` and a dot in front, or are just `prefix` for a
 * lone tensor, if it is not empty. ODD if it has no data.pkl. */
int torch_zip_label(struct zip *zip, const char *prefix, struct layout *layout);
int dcp_label(const struct view *view, struct layout *layout);

/* --- pickle.c --- */

enum value_kind {
	VALUE_OTHER,
	VALUE_NONE,
	VALUE_MARK,
	VALUE_BOOL,
	VALUE_INT,
	VALUE_STRING,	 /* at, len: in the pickle */
	VALUE_GLOBAL,	 /* at: enum global; len: dtype */
	VALUE_TUPLE,	 /* at: its header in `items`, which counts the items that follow */
	VALUE_CONTAINER, /* at: in `containers` */
	VALUE_STORAGE,	 /* at: in `storages` */
	VALUE_TENSOR,	 /* likewise, the storage below it */
};

struct value {
	uint32_t kind, len;
	uint64_t at;
};

/* Where a value hangs: a container and the key in it. The first place wins. */
#define NOWHERE UINT32_MAX
struct place {
	uint32_t container, key_kind;
	uint32_t key_len;
	uint64_t key;
};

struct container { /* dict, list, tuple or object */
	struct place place;
	uint32_t count;
};

struct storage { /* one persistent id; the same key may come many times */
	uint32_t key, key_len, order;
	uint32_t dtype, width; /* width: bytes of one of `numel` */
	uint32_t shape;	       /* VALUE_TUPLE's at plus one, of a tensor on it; 0: none */
	uint64_t numel;
	struct place place;
};

struct values {
	struct value *items;
	size_t count, capacity;
};

/* A scan of one pickle. Zeroed before use; pickle_release after. */
struct pickle {
	const uint8_t *bytes;
	size_t len, at;
	bool keep_items; /* asked for by the caller: strings appended to a list go to `items` */
	bool big_endian; /* a key "little_endian" is False */
	bool has_root;
	struct value root; /* what STOP left, if has_root */
	struct values stack, memo, items;
	struct container *containers;
	size_t container_count, container_capacity;
	struct storage *storages;
	size_t storage_count, storage_capacity;
};

/* Reads opcodes up to STOP; pickle->at is then behind it. Executes nothing: known constructors of tensors are
 * recognised by name, the arguments looked at, all else is a nameless object. 0; ODD for bytes that are no
 * pickle of protocols 2 to 5 or go over the limits; -ENODATA if the bytes end before STOP; -ENOMEM. What was
 * found until then is kept. Bytes outlive the scan. */
int pickle_scan(struct pickle *pickle, const uint8_t *bytes, size_t len);
/* Sorts the storages by key and joins those of one key: dtype, shape and place of the first that has one. */
void pickle_index(struct pickle *pickle);
/* By key, after pickle_index. NULL: none. */
const struct storage *pickle_find(const struct pickle *pickle, const char *key, size_t len);
/* The dotted path of the place, at most FORMAT_NAME_MAX bytes, not terminated; its length, 0 at the root. */
size_t pickle_name(const struct pickle *pickle, const struct place *place, char *dst);
/* Labels a storage that lies at tensor->off and has tensor->len bytes: fills dtype, dims. False if its length
 * is not the one that the pickle gives: opaque then. */
bool pickle_describe(const struct pickle *pickle, const struct storage *storage, struct tensor *tensor);
void pickle_release(struct pickle *pickle);

#endif
