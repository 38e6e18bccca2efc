#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/formats/pickle.h"
#include "store/util/bytes.h"

static const struct value other = {.kind = VALUE_OTHER}, none = {.kind = VALUE_NONE};

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
	return take(p, len) ? pickle_push(p, v) : -ENODATA;
}

static int skip_push(struct pickle *p, size_t n)
{
	return take(p, n) ? pickle_push(p, other) : -ENODATA;
}

static int small_int(struct pickle *p, size_t width)
{
	struct value v = {.kind = VALUE_INT};

	return take_length(p, width, &v.at) ? pickle_push(p, v) : -ENODATA;
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
		return pickle_push(p, other);
	for (uint64_t i = 0; i < len; i++)
		number |= (uint64_t)at[i] << 8 * i;
	return pickle_push(p, (struct value){.kind = VALUE_INT, .at = number});
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

	return name ? pickle_push(p, pickle_global(module, module_len, name, name_len)) : -ENODATA;
}

static int stack_global(struct pickle *p)
{
	struct value name = pickle_pop(p), module = pickle_pop(p);

	if (name.kind != VALUE_STRING || module.kind != VALUE_STRING)
		return ODD;
	return pickle_push(p, pickle_global(p->bytes + module.at, module.len, p->bytes + name.at, name.len));
}

/* Writers number the memo without gaps, so it grows with the bytes read. */
static int memo_put(struct pickle *p, uint64_t index)
{
	struct value *v = pickle_top(p);

	if (!v || index > p->memo.count)
		return ODD;
	if (index == p->memo.count)
		return pickle_push_to(&p->memo, PICKLE_MEMO_MAX, *v);
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
	return index < p->memo.count ? pickle_push(p, p->memo.items[index]) : ODD;
}

/* The state of an object hangs in its place: an object's __dict__ adds nothing to names. */
static int build(struct pickle *p)
{
	struct value state = pickle_pop(p), *object = pickle_top(p);

	if (!object)
		return ODD;
	return object->kind == VALUE_CONTAINER ? pickle_attach(p, state, (uint32_t)object->at, none) : 0;
}

static int pop_mark(struct pickle *p)
{
	size_t first = pickle_above_mark(p);

	if (first == SIZE_MAX)
		return ODD;
	p->stack.count = first - 1;
	return 0;
}

/* A DICT or LIST of what is above the mark: the container is put below it first. */
static int make_marked(struct pickle *p, bool dict)
{
	size_t first = pickle_above_mark(p);
	struct value v;
	int rc = first == SIZE_MAX ? ODD : pickle_new_container(p, &v);

	for (size_t i = first; !rc && i < p->stack.count; i++) {
		if (!dict)
			rc = pickle_append(p, (uint32_t)v.at, p->stack.items[i]);
		else if (++i < p->stack.count)
			rc = pickle_set_item(p, (uint32_t)v.at, p->stack.items[i - 1], p->stack.items[i]);
	}
	if (rc)
		return rc;
	p->stack.count = first - 1;
	return pickle_push(p, v);
}

static int new_object(struct pickle *p, bool keywords)
{
	struct value args;

	if (keywords)
		pickle_pop(p);
	args = pickle_pop(p);
	pickle_pop(p);
	return pickle_push_object(p, args);
}

static int set_one(struct pickle *p)
{
	struct value v = pickle_pop(p), key = pickle_pop(p), *dict = pickle_top(p);

	if (!dict)
		return ODD;
	return dict->kind == VALUE_CONTAINER ? pickle_set_item(p, (uint32_t)dict->at, key, v) : 0;
}

static int append_one(struct pickle *p)
{
	struct value v = pickle_pop(p), *list = pickle_top(p);

	if (!list)
		return ODD;
	return list->kind == VALUE_CONTAINER ? pickle_append(p, (uint32_t)list->at, v) : 0;
}

static int push_kind(struct pickle *p, enum value_kind kind, uint64_t at)
{
	return pickle_push(p, (struct value){.kind = kind, .at = at});
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
		return pickle_push(p, none);
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

static int make_short_tuple(struct pickle *p, size_t n)
{
	return p->stack.count < n ? ODD : pickle_make_tuple(p, p->stack.count - n, 0);
}

static int structure_op(struct pickle *p, uint8_t op)
{
	switch (op) {
	case '}':
	case ']':
	case 0x8f: /* EMPTY_SET */
		return pickle_push_container(p);
	case ')':
		return make_short_tuple(p, 0);
	case 0x85: /* TUPLE1, 2, 3 */
	case 0x86:
	case 0x87:
		return make_short_tuple(p, op - 0x84u);
	case 't':
		return pickle_make_tuple(p, pickle_above_mark(p), 1);
	case 'd':
	case 'l':
	case 0x91: /* FROZENSET */
		return make_marked(p, op == 'd');
	case 'a':
		return append_one(p);
	case 'e':  /* APPENDS */
	case 0x90: /* ADDITEMS */
		return pickle_append_items(p, pickle_above_mark(p));
	case 's':
		return set_one(p);
	case 'u':
		return pickle_set_items(p, pickle_above_mark(p));
	case 'Q': /* BINPERSID */
		return pickle_persistent_id(p);
	case 'R':
		return pickle_reduce(p);
	case 0x81: /* NEWOBJ */
	case 0x92: /* NEWOBJ_EX */
		return new_object(p, op == 0x92);
	case 'b':
		return build(p);
	case '0':
		pickle_pop(p);
		return 0;
	case '1':
		return pop_mark(p);
	case '2':
		return p->stack.count ? pickle_push(p, *pickle_top(p)) : ODD;
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
	p->root = pickle_pop(p);
	if (p->root.kind == VALUE_CONTAINER) /* even if something in it holds it */
		p->containers[p->root.at].place.container = NOWHERE;
	return p->root.kind == VALUE_TUPLE ? pickle_attach(p, p->root, NOWHERE, none) : 0;
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
