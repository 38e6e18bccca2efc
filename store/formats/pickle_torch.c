#include <string.h>

#include "store/formats/pickle.h"

#define DIMS_MAX 64
#define KEY_MAX 64 /* bytes of a storage's key; they are digits */

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

struct value pickle_global(const uint8_t *module, size_t module_len, const uint8_t *name, size_t name_len)
{
	struct value v = {.kind = VALUE_GLOBAL, .at = GLOBAL_OTHER};

	if (pickle_is_word(module, module_len, "torch.cuda"))
		module_len = strlen("torch");
	for (size_t i = 0; i < sizeof globals / sizeof *globals; i++)
		if (pickle_is_word(name, name_len, globals[i].name) &&
			pickle_is_word(module, module_len, globals[i].module)) {
			v.at = globals[i].global;
			v.len = globals[i].dtype;
			break;
		}
	return v;
}

/* ('storage', class, key, location, numel) */
int pickle_persistent_id(struct pickle *p)
{
	struct value id = pickle_pop(p), word = pickle_tuple_item(p, id, 0),
		     class = pickle_tuple_item(p, id, 1);
	struct value key = pickle_tuple_item(p, id, 2), numel = pickle_tuple_item(p, id, 4);
	struct value v = {.kind = VALUE_STORAGE, .at = p->storage_count};
	int rc;

	if (word.kind != VALUE_STRING || !pickle_is_word(p->bytes + word.at, word.len, "storage") ||
		class.kind != VALUE_GLOBAL || key.kind != VALUE_STRING || key.len > KEY_MAX ||
		numel.kind != VALUE_INT)
		return pickle_push(p, other);
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
	return pickle_push(p, v);
}

/* The tensor that a constructor makes of these arguments; OTHER if it is none. */
static struct value rebuild(struct pickle *p, enum global global, struct value args)
{
	struct value tensor = pickle_tuple_item(p, args, 0), shape = pickle_tuple_item(p, args, 2);
	struct value dtype = pickle_tuple_item(p, args, 6);
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

int pickle_push_object(struct pickle *p, struct value args)
{
	struct value v;
	int rc = pickle_new_container(p, &v);

	if (!rc)
		rc = pickle_attach(p, args, (uint32_t)v.at, none);
	return rc ? rc : pickle_push(p, v);
}

int pickle_reduce(struct pickle *p)
{
	struct value args = pickle_pop(p), callable = pickle_pop(p), made = other;
	enum global global = callable.kind == VALUE_GLOBAL ? (enum global)callable.at : GLOBAL_OTHER;

	if (global == GLOBAL_DICT)
		return pickle_push_container(p);
	if (global == GLOBAL_REBUILD_SUBCLASS) {
		struct value inner = pickle_tuple_item(p, args, 0);
		if (inner.kind == VALUE_GLOBAL)
			made = rebuild(p, (enum global)inner.at, pickle_tuple_item(p, args, 2));
	} else if (global >= GLOBAL_REBUILD) {
		made = rebuild(p, global, args);
	}
	return made.kind == VALUE_TENSOR ? pickle_push(p, made) : pickle_push_object(p, args);
}
