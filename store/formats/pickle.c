#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/formats/private.h"
#include "store/util/bytes.h"

#define STACK_MAX (1u << 20)
#define MEMO_MAX (1u << 22)
#define ITEMS_MAX (1u << 22)
#define CONTAINERS_MAX (1u << 20)
#define DIMS_MAX 64
#define KEY_MAX 64     /* bytes of a storage's key; they are digits */
#define NESTING_MAX 32 /* of tuples in tuples, and of names */

/* Classes and functions that mean something here. */
enum global {
	GLOBAL_OTHER,
	GLOBAL_DICT,
	GLOBAL_TYPED_STORAGE, /* with a dtype */
	GLOBAL_BYTES_STORAGE, /* untyped: numel are bytes */
	GLOBAL_DTYPE,
	GLOBAL_REBUILD,		 /* (storage, offset, shape, ...) */
	GLOBAL_REBUILD_TYPED,	 /* ... and a dtype as the seventh */
	GLOBAL_REBUILD_SUBCLASS, /* (function, class, arguments, state) */
	GLOBAL_PARAMETER,	 /* (tensor, ...) */
};

static const struct {
	const char *module, *name;
	enum global global;
	enum dtype dtype;
} globals[] = {
	{"torch", "FloatStorage", GLOBAL_TYPED_STORAGE, DTYPE_F32},
	{"torch", "BFloat16Storage", GLOBAL_TYPED_STORAGE, DTYPE_BF16},
	{"torch", "HalfStorage", GLOBAL_TYPED_STORAGE, DTYPE_F16},
	{"torch", "DoubleStorage", GLOBAL_TYPED_STORAGE, DTYPE_F64},
	{"torch", "LongStorage", GLOBAL_TYPED_STORAGE, DTYPE_I64},
	{"torch", "IntStorage", GLOBAL_TYPED_STORAGE, DTYPE_I32},
	{"torch", "ShortStorage", GLOBAL_TYPED_STORAGE, DTYPE_I16},
	{"torch", "CharStorage", GLOBAL_TYPED_STORAGE, DTYPE_I8},
	{"torch", "ByteStorage", GLOBAL_TYPED_STORAGE, DTYPE_U8},
	{"torch", "BoolStorage", GLOBAL_TYPED_STORAGE, DTYPE_BOOL},
	{"torch", "ComplexFloatStorage", GLOBAL_TYPED_STORAGE, DTYPE_C64},
	{"torch", "ComplexDoubleStorage", GLOBAL_TYPED_STORAGE, DTYPE_C128},
	{"torch", "QInt8Storage", GLOBAL_TYPED_STORAGE, DTYPE_I8},
	{"torch", "QUInt8Storage", GLOBAL_TYPED_STORAGE, DTYPE_U8},
	{"torch", "QInt32Storage", GLOBAL_TYPED_STORAGE, DTYPE_I32},
	{"torch", "UntypedStorage", GLOBAL_BYTES_STORAGE, DTYPE_OPAQUE},
	{"torch.storage", "UntypedStorage", GLOBAL_BYTES_STORAGE, DTYPE_OPAQUE},
	{"torch.storage", "_UntypedStorage", GLOBAL_BYTES_STORAGE, DTYPE_OPAQUE},
	{"torch", "float32", GLOBAL_DTYPE, DTYPE_F32},
	{"torch", "bfloat16", GLOBAL_DTYPE, DTYPE_BF16},
	{"torch", "float16", GLOBAL_DTYPE, DTYPE_F16},
	{"torch", "float64", GLOBAL_DTYPE, DTYPE_F64},
	{"torch", "int64", GLOBAL_DTYPE, DTYPE_I64},
	{"torch", "int32", GLOBAL_DTYPE, DTYPE_I32},
	{"torch", "int16", GLOBAL_DTYPE, DTYPE_I16},
	{"torch", "int8", GLOBAL_DTYPE, DTYPE_I8},
	{"torch", "uint8", GLOBAL_DTYPE, DTYPE_U8},
	{"torch", "uint16", GLOBAL_DTYPE, DTYPE_U16},
	{"torch", "uint32", GLOBAL_DTYPE, DTYPE_U32},
	{"torch", "uint64", GLOBAL_DTYPE, DTYPE_U64},
	{"torch", "bool", GLOBAL_DTYPE, DTYPE_BOOL},
	{"torch", "complex64", GLOBAL_DTYPE, DTYPE_C64},
	{"torch", "complex128", GLOBAL_DTYPE, DTYPE_C128},
	{"torch", "float8_e4m3fn", GLOBAL_DTYPE, DTYPE_F8_E4M3},
	{"torch", "float8_e5m2", GLOBAL_DTYPE, DTYPE_F8_E5M2},
	{"torch", "float8_e4m3fnuz", GLOBAL_DTYPE, DTYPE_F8_E4M3FNUZ},
	{"torch", "float8_e5m2fnuz", GLOBAL_DTYPE, DTYPE_F8_E5M2FNUZ},
	{"torch", "float8_e8m0fnu", GLOBAL_DTYPE, DTYPE_F8_E8M0},
	{"torch._utils", "_rebuild_tensor_v2", GLOBAL_REBUILD, DTYPE_OPAQUE},
	{"torch._utils", "_rebuild_tensor", GLOBAL_REBUILD, DTYPE_OPAQUE},
	{"torch._utils", "_rebuild_qtensor", GLOBAL_REBUILD, DTYPE_OPAQUE},
	{"torch._utils", "_rebuild_tensor_v3", GLOBAL_REBUILD_TYPED, DTYPE_OPAQUE},
	{"torch._tensor", "_rebuild_from_type_v2", GLOBAL_REBUILD_SUBCLASS, DTYPE_OPAQUE},
	{"torch._utils", "_rebuild_parameter", GLOBAL_PARAMETER, DTYPE_OPAQUE},
	{"torch._utils", "_rebuild_parameter_with_state", GLOBAL_PARAMETER, DTYPE_OPAQUE},
	{"collections", "OrderedDict", GLOBAL_DICT, DTYPE_OPAQUE},
	{"collections", "defaultdict", GLOBAL_DICT, DTYPE_OPAQUE},
};

static const struct value other = {.kind = VALUE_OTHER}, none = {.kind = VALUE_NONE};

static bool is_word(const uint8_t *bytes, size_t len, const char *word)
{
	return len == strlen(word) && !memcmp(bytes, word, len);
}

static struct value global_value(
	const uint8_t *module, size_t module_len, const uint8_t *name, size_t name_len)
{
	struct value v = {.kind = VALUE_GLOBAL, .at = GLOBAL_OTHER};

	if (is_word(module, module_len, "torch.cuda"))
		module_len = strlen("torch");
	for (size_t i = 0; i < sizeof globals / sizeof *globals; i++)
		if (is_word(name, name_len, globals[i].name) &&
			is_word(module, module_len, globals[i].module)) {
			v.at = globals[i].global;
			v.len = globals[i].dtype;
			break;
		}
	return v;
}

/* --- stack --- */

static int push_to(struct values *values, size_t max, struct value v)
{
	int rc = grow(&values->items, values->count, &values->capacity, max, sizeof v);

	if (!rc)
		values->items[values->count++] = v;
	return rc;
}

static int push(struct pickle *p, struct value v)
{
	return push_to(&p->stack, STACK_MAX, v);
}

/* The top, MARK included; OTHER at the bottom, which only hostile bytes reach. */
static struct value pop(struct pickle *p)
{
	return p->stack.count ? p->stack.items[--p->stack.count] : other;
}

static struct value *top(struct pickle *p)
{
	return p->stack.count ? &p->stack.items[p->stack.count - 1] : NULL;
}

/* Index of the first value above the uppermost MARK; SIZE_MAX if there is none. */
static size_t above_mark(const struct pickle *p)
{
	for (size_t i = p->stack.count; i; i--)
		if (p->stack.items[i - 1].kind == VALUE_MARK)
			return i;
	return SIZE_MAX;
}

/* --- containers and places --- */

static int new_container(struct pickle *p, struct value *v)
{
	int rc = grow(&p->containers, p->container_count, &p->container_capacity, CONTAINERS_MAX,
		sizeof *p->containers);

	if (rc)
		return rc;
	*v = (struct value){.kind = VALUE_CONTAINER, .at = p->container_count};
	p->containers[p->container_count++] = (struct container){.place.container = NOWHERE};
	return 0;
}

static int push_container(struct pickle *p)
{
	struct value v;
	int rc = new_container(p, &v);

	return rc ? rc : push(p, v);
}

static void put_in_place(struct place *place, uint32_t container, struct value key)
{
	if (place->container == NOWHERE)
		*place = (struct place){container, key.kind, key.len, key.at};
}

static int attach(struct pickle *p, struct value v, uint32_t container, struct value key, int depth);

/* A tuple becomes a container when it is first put into one. */
static int attach_tuple(struct pickle *p, uint64_t tuple, uint32_t container, struct value key, int depth)
{
	struct value made, index = {.kind = VALUE_INT};
	size_t count = p->items.items[tuple].len;
	int rc;

	if (p->items.items[tuple].at || !count || depth > NESTING_MAX)
		return 0;
	p->items.items[tuple].at = 1;
	rc = new_container(p, &made);
	if (rc)
		return rc;
	put_in_place(&p->containers[made.at].place, container, key);
	for (; index.at < count && !rc; index.at++)
		rc = attach(p, p->items.items[tuple + 1 + index.at], (uint32_t)made.at, index, depth + 1);
	return rc;
}

static int attach(struct pickle *p, struct value v, uint32_t container, struct value key, int depth)
{
	switch (v.kind) {
	case VALUE_CONTAINER:
		if (v.at != container)
			put_in_place(&p->containers[v.at].place, container, key);
		return 0;
	case VALUE_STORAGE:
	case VALUE_TENSOR:
		put_in_place(&p->storages[v.at].place, container, key);
		return 0;
	case VALUE_TUPLE:
		return attach_tuple(p, v.at, container, key, depth);
	default:
		return 0;
	}
}

/* A key that is no text or number is known by its turn. */
static int set_item(struct pickle *p, uint32_t container, struct value key, struct value v)
{
	uint32_t turn = p->containers[container].count++;

	if (key.kind == VALUE_STRING && v.kind == VALUE_BOOL && !v.at &&
		is_word(p->bytes + key.at, key.len, "little_endian"))
		p->big_endian = true;
	if (key.kind != VALUE_STRING && key.kind != VALUE_INT)
		key = (struct value){.kind = VALUE_INT, .at = turn};
	return attach(p, v, container, key, 0);
}

static int append(struct pickle *p, uint32_t container, struct value v)
{
	struct value key = {.kind = VALUE_INT, .at = p->containers[container].count++};

	if (p->keep_items)
		return push_to(&p->items, ITEMS_MAX, v);
	return attach(p, v, container, key, 0);
}

static int set_items(struct pickle *p, size_t first)
{
	int rc = 0;

	if (first == SIZE_MAX || first < 2 || (p->stack.count - first) % 2)
		return ODD;
	if (p->stack.items[first - 2].kind == VALUE_CONTAINER)
		for (size_t i = first; i < p->stack.count && !rc; i += 2)
			rc = set_item(p, (uint32_t)p->stack.items[first - 2].at, p->stack.items[i],
				p->stack.items[i + 1]);
	p->stack.count = first - 1;
	return rc;
}

static int append_items(struct pickle *p, size_t first)
{
	int rc = 0;

	if (first == SIZE_MAX || first < 2)
		return ODD;
	if (p->stack.items[first - 2].kind == VALUE_CONTAINER)
		for (size_t i = first; i < p->stack.count && !rc; i++)
			rc = append(p, (uint32_t)p->stack.items[first - 2].at, p->stack.items[i]);
	p->stack.count = first - 1;
	return rc;
}

/* --- tuples --- */

/* Replaces the values from `first` on, and `drop` below them, by a tuple. */
static int make_tuple(struct pickle *p, size_t first, size_t drop)
{
	struct value v = {.kind = VALUE_TUPLE, .at = p->items.count}, header = {.kind = VALUE_TUPLE};
	int rc;

	if (first == SIZE_MAX || first > p->stack.count || first < drop)
		return ODD;
	header.len = (uint32_t)(p->stack.count - first);
	rc = push_to(&p->items, ITEMS_MAX, header);
	for (size_t i = first; i < p->stack.count && !rc; i++)
		rc = push_to(&p->items, ITEMS_MAX, p->stack.items[i]);
	if (rc)
		return rc;
	p->stack.count = first - drop;
	return push(p, v);
}

static int make_short_tuple(struct pickle *p, size_t n)
{
	return p->stack.count < n ? ODD : make_tuple(p, p->stack.count - n, 0);
}

/* Item i of a tuple; OTHER for what is none. */
static struct value tuple_item(const struct pickle *p, struct value tuple, size_t i)
{
	if (tuple.kind != VALUE_TUPLE || i >= p->items.items[tuple.at].len)
		return other;
	return p->items.items[tuple.at + 1 + i];
}

/* --- torch --- */

/* ('storage', class, key, location, numel) */
static int persistent_id(struct pickle *p)
{
	struct value id = pop(p), word = tuple_item(p, id, 0), class = tuple_item(p, id, 1);
	struct value key = tuple_item(p, id, 2), numel = tuple_item(p, id, 4);
	struct value v = {.kind = VALUE_STORAGE, .at = p->storage_count};
	int rc;

	if (word.kind != VALUE_STRING || !is_word(p->bytes + word.at, word.len, "storage") ||
		class.kind != VALUE_GLOBAL || key.kind != VALUE_STRING || key.len > KEY_MAX ||
		numel.kind != VALUE_INT)
		return push(p, other);
	rc = grow(&p->storages, p->storage_count, &p->storage_capacity, FORMAT_TENSORS_MAX,
		sizeof *p->storages);
	if (rc)
		return rc;
	p->storages[p->storage_count] = (struct storage){
		.key = (uint32_t)key.at,
		.key_len = key.len,
		.order = (uint32_t)p->storage_count,
		.dtype = class.len,
		.width = class.at == GLOBAL_TYPED_STORAGE   ? (uint32_t)dtype_width(class.len)
			 : class.at == GLOBAL_BYTES_STORAGE ? 1
							    : 0,
		.numel = numel.at,
		.place.container = NOWHERE,
	};
	p->storage_count++;
	return push(p, v);
}

/* The tensor that a constructor makes of these arguments; OTHER if it is none. */
static struct value rebuild(struct pickle *p, enum global global, struct value args)
{
	struct value tensor = tuple_item(p, args, 0), shape = tuple_item(p, args, 2);
	struct value dtype = tuple_item(p, args, 6);
	struct storage *storage;

	if (global == GLOBAL_PARAMETER)
		return tensor.kind == VALUE_TENSOR ? tensor : other;
	if (tensor.kind != VALUE_STORAGE)
		return other;
	storage = &p->storages[tensor.at];
	if (shape.kind == VALUE_TUPLE && p->items.items[shape.at].len <= DIMS_MAX)
		storage->shape = (uint32_t)shape.at + 1;
	if (global == GLOBAL_REBUILD_TYPED && dtype.kind == VALUE_GLOBAL && dtype.at == GLOBAL_DTYPE)
		storage->dtype = dtype.len;
	tensor.kind = VALUE_TENSOR;
	return tensor;
}

/* An object of unknown class; what it was made of hangs below it. */
static int push_object(struct pickle *p, struct value args)
{
	struct value v;
	int rc = new_container(p, &v);

	if (!rc)
		rc = attach(p, args, (uint32_t)v.at, none, 0);
	return rc ? rc : push(p, v);
}

static int reduce(struct pickle *p)
{
	struct value args = pop(p), callable = pop(p), made = other;
	enum global global = callable.kind == VALUE_GLOBAL ? (enum global)callable.at : GLOBAL_OTHER;

	if (global == GLOBAL_DICT)
		return push_container(p);
	if (global == GLOBAL_REBUILD_SUBCLASS) {
		struct value inner = tuple_item(p, args, 0);
		if (inner.kind == VALUE_GLOBAL)
			made = rebuild(p, (enum global)inner.at, tuple_item(p, args, 2));
	} else if (global >= GLOBAL_REBUILD) {
		made = rebuild(p, global, args);
	}
	return made.kind == VALUE_TENSOR ? push(p, made) : push_object(p, args);
}

/* --- opcodes --- */

/* The next n bytes, or NULL. */
static const uint8_t *take(struct pickle *p, uint64_t n)
{
	const uint8_t *at = p->bytes + p->at;

	if (n > p->len - p->at)
		return NULL;
	p->at += (size_t)n;
	return at;
}

static bool take_length(struct pickle *p, size_t width, uint64_t *len)
{
	uint8_t raw[8] = {0};
	const uint8_t *at = take(p, width);

	if (at)
		memcpy(raw, at, width);
	*len = get_le64(raw);
	return at;
}

/* A length of `width` bytes and as many bytes as it says: a string if it may name something. */
static int counted(struct pickle *p, size_t width, bool text)
{
	struct value v = other;
	uint64_t len;

	if (!take_length(p, width, &len))
		return -ENODATA;
	if (len > FORMAT_HEADER_MAX)
		return ODD;
	v = (struct value){text ? VALUE_STRING : VALUE_OTHER, (uint32_t)len, p->at};
	return take(p, len) ? push(p, v) : -ENODATA;
}

static int skip_push(struct pickle *p, size_t n)
{
	return take(p, n) ? push(p, other) : -ENODATA;
}

static int small_int(struct pickle *p, size_t width)
{
	struct value v = {.kind = VALUE_INT};

	return take_length(p, width, &v.at) ? push(p, v) : -ENODATA;
}

/* Negative numbers and those over 64 bits are of no use here. */
static int signed_int(struct pickle *p, size_t len_width)
{
	uint64_t len = 4, number = 0;
	const uint8_t *at;

	if (len_width && !take_length(p, len_width, &len))
		return -ENODATA;
	if (len > FORMAT_HEADER_MAX)
		return ODD;
	at = take(p, len);
	if (!at)
		return -ENODATA;
	if (len > 8 || (len && at[len - 1] & 0x80))
		return push(p, other);
	for (uint64_t i = 0; i < len; i++)
		number |= (uint64_t)at[i] << 8 * i;
	return push(p, (struct value){.kind = VALUE_INT, .at = number});
}

static const uint8_t *take_line(struct pickle *p, size_t *len)
{
	const uint8_t *at = p->bytes + p->at, *end = memchr(at, '\n', p->len - p->at);

	if (!end)
		return NULL;
	*len = (size_t)(end - at);
	p->at += *len + 1;
	return at;
}

static int global_op(struct pickle *p)
{
	size_t module_len, name_len;
	const uint8_t *module = take_line(p, &module_len), *name = module ? take_line(p, &name_len) : NULL;

	return name ? push(p, global_value(module, module_len, name, name_len)) : -ENODATA;
}

static int stack_global(struct pickle *p)
{
	struct value name = pop(p), module = pop(p);

	if (name.kind != VALUE_STRING || module.kind != VALUE_STRING)
		return ODD;
	return push(p, global_value(p->bytes + module.at, module.len, p->bytes + name.at, name.len));
}

/* Writers number the memo without gaps, so it grows with the bytes read. */
static int memo_put(struct pickle *p, uint64_t index)
{
	struct value *v = top(p);

	if (!v || index > p->memo.count)
		return ODD;
	if (index == p->memo.count)
		return push_to(&p->memo, MEMO_MAX, *v);
	p->memo.items[index] = *v;
	return 0;
}

static int memo_put_op(struct pickle *p, size_t width)
{
	uint64_t index;

	return take_length(p, width, &index) ? memo_put(p, index) : -ENODATA;
}

static int memo_get_op(struct pickle *p, size_t width)
{
	uint64_t index;

	if (!take_length(p, width, &index))
		return -ENODATA;
	return index < p->memo.count ? push(p, p->memo.items[index]) : ODD;
}

/* The state of an object hangs in its place: an object's __dict__ adds nothing to names. */
static int build(struct pickle *p)
{
	struct value state = pop(p), *object = top(p);

	if (!object)
		return ODD;
	return object->kind == VALUE_CONTAINER ? attach(p, state, (uint32_t)object->at, none, 0) : 0;
}

static int pop_mark(struct pickle *p)
{
	size_t first = above_mark(p);

	if (first == SIZE_MAX)
		return ODD;
	p->stack.count = first - 1;
	return 0;
}

/* A DICT or LIST of what is above the mark: the container is put below it first. */
static int make_marked(struct pickle *p, bool dict)
{
	size_t first = above_mark(p);
	struct value v;
	int rc = first == SIZE_MAX ? ODD : new_container(p, &v);

	for (size_t i = first; !rc && i < p->stack.count; i++) {
		if (!dict)
			rc = append(p, (uint32_t)v.at, p->stack.items[i]);
		else if (++i < p->stack.count)
			rc = set_item(p, (uint32_t)v.at, p->stack.items[i - 1], p->stack.items[i]);
	}
	if (rc)
		return rc;
	p->stack.count = first - 1;
	return push(p, v);
}

static int new_object(struct pickle *p, bool keywords)
{
	struct value args;

	if (keywords)
		pop(p);
	args = pop(p);
	pop(p);
	return push_object(p, args);
}

static int set_one(struct pickle *p)
{
	struct value v = pop(p), key = pop(p), *dict = top(p);

	if (!dict)
		return ODD;
	return dict->kind == VALUE_CONTAINER ? set_item(p, (uint32_t)dict->at, key, v) : 0;
}

static int append_one(struct pickle *p)
{
	struct value v = pop(p), *list = top(p);

	if (!list)
		return ODD;
	return list->kind == VALUE_CONTAINER ? append(p, (uint32_t)list->at, v) : 0;
}

static int push_kind(struct pickle *p, enum value_kind kind, uint64_t at)
{
	return push(p, (struct value){.kind = kind, .at = at});
}

static int constant_op(struct pickle *p, uint8_t op)
{
	switch (op) {
	case 0x80: /* PROTO */
		return take(p, 1) ? 0 : -ENODATA;
	case 0x95: /* FRAME */
		return take(p, 8) ? 0 : -ENODATA;
	case '(':
		return push_kind(p, VALUE_MARK, 0);
	case 'N':
		return push(p, none);
	case 0x88: /* NEWTRUE */
	case 0x89: /* NEWFALSE */
		return push_kind(p, VALUE_BOOL, op == 0x88);
	case 'K':
		return small_int(p, 1);
	case 'M':
		return small_int(p, 2);
	case 'J':
		return signed_int(p, 0);
	case 0x8a: /* LONG1 */
		return signed_int(p, 1);
	case 0x8b: /* LONG4 */
		return signed_int(p, 4);
	case 'G': /* BINFLOAT */
		return skip_push(p, 8);
	case 'X': /* BINUNICODE */
	case 'T': /* BINSTRING */
		return counted(p, 4, true);
	case 'U':  /* SHORT_BINSTRING */
	case 0x8c: /* SHORT_BINUNICODE */
		return counted(p, 1, true);
	case 0x8d: /* BINUNICODE8 */
		return counted(p, 8, true);
	case 'C': /* SHORT_BINBYTES */
		return counted(p, 1, false);
	case 'B': /* BINBYTES */
		return counted(p, 4, false);
	case 0x8e: /* BINBYTES8 */
	case 0x96: /* BYTEARRAY8 */
		return counted(p, 8, false);
	case 'c':
		return global_op(p);
	case 0x93: /* STACK_GLOBAL */
		return stack_global(p);
	default:
		return ODD;
	}
}

static int structure_op(struct pickle *p, uint8_t op)
{
	switch (op) {
	case '}':
	case ']':
	case 0x8f: /* EMPTY_SET */
		return push_container(p);
	case ')':
		return make_short_tuple(p, 0);
	case 0x85: /* TUPLE1, 2, 3 */
	case 0x86:
	case 0x87:
		return make_short_tuple(p, op - 0x84u);
	case 't':
		return make_tuple(p, above_mark(p), 1);
	case 'd':
	case 'l':
	case 0x91: /* FROZENSET */
		return make_marked(p, op == 'd');
	case 'a':
		return append_one(p);
	case 'e':  /* APPENDS */
	case 0x90: /* ADDITEMS */
		return append_items(p, above_mark(p));
	case 's':
		return set_one(p);
	case 'u':
		return set_items(p, above_mark(p));
	case 'Q': /* BINPERSID */
		return persistent_id(p);
	case 'R':
		return reduce(p);
	case 0x81: /* NEWOBJ */
	case 0x92: /* NEWOBJ_EX */
		return new_object(p, op == 0x92);
	case 'b':
		return build(p);
	case '0':
		pop(p);
		return 0;
	case '1':
		return pop_mark(p);
	case '2':
		return p->stack.count ? push(p, *top(p)) : ODD;
	case 'q':
		return memo_put_op(p, 1);
	case 'r':
		return memo_put_op(p, 4);
	case 0x94: /* MEMOIZE */
		return memo_put(p, p->memo.count);
	case 'h':
		return memo_get_op(p, 1);
	case 'j':
		return memo_get_op(p, 4);
	default:
		return constant_op(p, op);
	}
}

static int finish(struct pickle *p)
{
	if (!p->stack.count)
		return ODD;
	p->has_root = true;
	p->root = pop(p);
	if (p->root.kind == VALUE_CONTAINER) /* even if something in it holds it */
		p->containers[p->root.at].place.container = NOWHERE;
	return p->root.kind == VALUE_TUPLE ? attach_tuple(p, p->root.at, NOWHERE, none, 0) : 0;
}

int pickle_scan(struct pickle *pickle, const uint8_t *bytes, size_t len)
{
	int rc = 0;

	pickle->bytes = bytes;
	pickle->len = len;
	if (len && bytes[0] != 0x80)
		return ODD;
	while (!rc) {
		if (pickle->at == len)
			return -ENODATA;
		uint8_t op = bytes[pickle->at++];
		if (op == '.') {
			return finish(pickle);
		}
		rc = structure_op(pickle, op);
	}
	return rc;
}

void pickle_release(struct pickle *pickle)
{
	free(pickle->stack.items);
	free(pickle->memo.items);
	free(pickle->items.items);
	free(pickle->containers);
	free(pickle->storages);
	*pickle = (struct pickle){0};
}
