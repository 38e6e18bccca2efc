/*
 * The parts of the scanner of pickles, which pickle.c drives. Not for others.
 *
 * pickle_values.c: the stack, tuples, and containers with what hangs in them. pickle_torch.c: the names that
 * mean tensors.
 *
 * What returns int gives 0, ODD for bytes that are no sound pickle or go over the limits, or -ENOMEM.
 */
#ifndef MITHRIL_STORE_FORMATS_PICKLE_H
#define MITHRIL_STORE_FORMATS_PICKLE_H

#include "store/formats/private.h"

#define PICKLE_MEMO_MAX (1u << 22)

/* Whether the bytes are that word and nothing more. */
bool pickle_is_word(const uint8_t *bytes, size_t len, const char *word);

/* --- pickle_values.c: the stack --- */

/* Appends to a list of values, of at most `max`. */
int pickle_push_to(struct values *values, size_t max, struct value v);
int pickle_push(struct pickle *p, struct value v);
/* The top, MARK included; OTHER at the bottom, which only hostile bytes reach. */
struct value pickle_pop(struct pickle *p);
/* NULL at the bottom. */
struct value *pickle_top(struct pickle *p);
/* Index of the first value above the uppermost MARK; SIZE_MAX if there is none. */
size_t pickle_above_mark(const struct pickle *p);

/* --- containers and places --- */

int pickle_new_container(struct pickle *p, struct value *v);
int pickle_push_container(struct pickle *p);
/* Hangs a value, with all that a tuple has in it, into a container under a key; the first place of each wins.
 */
int pickle_attach(struct pickle *p, struct value v, uint32_t container, struct value key);
/* A key that is no text or number is known by its turn. */
int pickle_set_item(struct pickle *p, uint32_t container, struct value key, struct value v);
int pickle_append(struct pickle *p, uint32_t container, struct value v);
/* The values from `first` on, which is just above a MARK, go into the container below it: keys with values,
 * or one after the other. */
int pickle_set_items(struct pickle *p, size_t first);
int pickle_append_items(struct pickle *p, size_t first);

/* --- tuples --- */

/* Replaces the values from `first` on, and `drop` below them, by a tuple. */
int pickle_make_tuple(struct pickle *p, size_t first, size_t drop);
/* Item i of a tuple; OTHER for what is none. */
struct value pickle_tuple_item(const struct pickle *p, struct value tuple, size_t i);

/* --- pickle_torch.c --- */

/* What a class or function of that name means here. */
struct value pickle_global(const uint8_t *module, size_t module_len, const uint8_t *name, size_t name_len);
/* Pops a persistent id and pushes the storage that it names; OTHER for any other. */
int pickle_persistent_id(struct pickle *p);
/* Pushes an object of unknown class; what it was made of hangs below it. */
int pickle_push_object(struct pickle *p, struct value args);
/* REDUCE: pushes the tensor, the dict or the object that a call would make. */
int pickle_reduce(struct pickle *p);

#endif
