#include <string.h>

#include "store/formats/pickle.h"

#define STACK_MAX (1u << 20)
#define ITEMS_MAX (1u << 22)
#define CONTAINERS_MAX (1u << 20)
#define NESTING_MAX 32 /* of tuples in tuples */

static const struct value other = {.kind = VALUE_OTHER};

bool pickle_is_word(const uint8_t *bytes, size_t len, const char *word)
{
	return len == strlen(word) && !memcmp(bytes, word, len);
}

int pickle_push_to(struct values *values, size_t max, struct value v)
{
	int rc = grow(&values->items, values->count, &values->capacity, max, sizeof v);

	if (!rc)
		values->items[values->count++] = v;
	return rc;
}

int pickle_push(struct pickle *p, struct value v)
{
	return pickle_push_to(&p->stack, STACK_MAX, v);
}

struct value pickle_pop(struct pickle *p)
{
	return p->stack.count ? p->stack.items[--p->stack.count] : other;
}

struct value *pickle_top(struct pickle *p)
{
	return p->stack.count ? &p->stack.items[p->stack.count - 1] : NULL;
}

size_t pickle_above_mark(const struct pickle *p)
{
	for (size_t i = p->stack.count; i; i--)
		if (p->stack.items[i - 1].kind == VALUE_MARK)
			return i;
	return SIZE_MAX;
}

/* --- containers and places --- */

int pickle_new_container(struct pickle *p, struct value *v)
{
	int rc = grow(&p->containers, p->container_count, &p->container_capacity, CONTAINERS_MAX,
		sizeof *p->containers);

	if (rc)
		return rc;
	*v = (struct value){.kind = VALUE_CONTAINER, .at = p->container_count};
	p->containers[p->container_count++] = (struct container){.place.container = NOWHERE};
	return 0;
}

int pickle_push_container(struct pickle *p)
{
	struct value v;
	int rc = pickle_new_container(p, &v);

	return rc ? rc : pickle_push(p, v);
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
	rc = pickle_new_container(p, &made);
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

int pickle_attach(struct pickle *p, struct value v, uint32_t container, struct value key)
{
	return attach(p, v, container, key, 0);
}

int pickle_set_item(struct pickle *p, uint32_t container, struct value key, struct value v)
{
	uint32_t turn = p->containers[container].count++;

	if (key.kind == VALUE_STRING && v.kind == VALUE_BOOL && !v.at &&
		pickle_is_word(p->bytes + key.at, key.len, "little_endian"))
		p->big_endian = true;
	if (key.kind != VALUE_STRING && key.kind != VALUE_INT)
		key = (struct value){.kind = VALUE_INT, .at = turn};
	return pickle_attach(p, v, container, key);
}

int pickle_append(struct pickle *p, uint32_t container, struct value v)
{
	struct value key = {.kind = VALUE_INT, .at = p->containers[container].count++};

	if (p->keep_items)
		return pickle_push_to(&p->items, ITEMS_MAX, v);
	return pickle_attach(p, v, container, key);
}

int pickle_set_items(struct pickle *p, size_t first)
{
	int rc = 0;

	if (first == SIZE_MAX || first < 2 || (p->stack.count - first) % 2)
		return ODD;
	if (p->stack.items[first - 2].kind == VALUE_CONTAINER)
		for (size_t i = first; i < p->stack.count && !rc; i += 2)
			rc = pickle_set_item(p, (uint32_t)p->stack.items[first - 2].at, p->stack.items[i],
				p->stack.items[i + 1]);
	p->stack.count = first - 1;
	return rc;
}

int pickle_append_items(struct pickle *p, size_t first)
{
	int rc = 0;

	if (first == SIZE_MAX || first < 2)
		return ODD;
	if (p->stack.items[first - 2].kind == VALUE_CONTAINER)
		for (size_t i = first; i < p->stack.count && !rc; i++)
			rc = pickle_append(p, (uint32_t)p->stack.items[first - 2].at, p->stack.items[i]);
	p->stack.count = first - 1;
	return rc;
}

/* --- tuples --- */

int pickle_make_tuple(struct pickle *p, size_t first, size_t drop)
{
	struct value v = {.kind = VALUE_TUPLE, .at = p->items.count}, header = {.kind = VALUE_TUPLE};
	int rc;

	if (first == SIZE_MAX || first > p->stack.count || first < drop)
		return ODD;
	header.len = (uint32_t)(p->stack.count - first);
	rc = pickle_push_to(&p->items, ITEMS_MAX, header);
	for (size_t i = first; i < p->stack.count && !rc; i++)
		rc = pickle_push_to(&p->items, ITEMS_MAX, p->stack.items[i]);
	if (rc)
		return rc;
	p->stack.count = first - drop;
	return pickle_push(p, v);
}

struct value pickle_tuple_item(const struct pickle *p, struct value tuple, size_t i)
{
	if (tuple.kind != VALUE_TUPLE || i >= p->items.items[tuple.at].len)
		return other;
	return p->items.items[tuple.at + 1 + i];
}
