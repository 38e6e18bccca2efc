/*
 * What a compiled artifact depends on beside its source: an ordered list of named components, each one line
 * of text ("torch", "2.13.0+cpu cf30153c4c13"). A cache directory is named by the digest of the components
 * that its tool depends on, so that a change of one of them leaves the directories of the other tools as they
 * are.
 *
 * As text: a line "NAME VALUE" for each component. Fingerprints lie beside cache directories, written by
 * other users perhaps: parsing takes hostile text.
 */
#ifndef MITHRIL_COMPILERS_FINGERPRINT_H
#define MITHRIL_COMPILERS_FINGERPRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FINGERPRINT_MAX 32u
#define FINGERPRINT_NAME 32u
#define FINGERPRINT_VALUE 1000u
/* Hex digits of fingerprint_id, and its end. */
#define FINGERPRINT_ID 17u
/* Room for the longest text. */
#define FINGERPRINT_TEXT (FINGERPRINT_MAX * (FINGERPRINT_NAME + FINGERPRINT_VALUE + 2u) + 1u)

struct fingerprint_component {
	char name[FINGERPRINT_NAME], value[FINGERPRINT_VALUE];
};

struct fingerprint {
	size_t count;
	struct fingerprint_component components[FINGERPRINT_MAX];
};

/* Adds a component, or appends ", VALUE" to one of that name. Control characters become spaces; a value that
 * does not fit keeps its beginning and ends with a digest of the whole. Nothing happens for an empty value,
 * or when there are FINGERPRINT_MAX of them. */
void fingerprint_add(struct fingerprint *fingerprint, const char *name, const char *value);

/* The value, or NULL. */
const char *fingerprint_get(const struct fingerprint *fingerprint, const char *name);

/* The components of `from` that are in the space-separated list `names`, in the list's order. */
void fingerprint_select(const struct fingerprint *from, const char *names, struct fingerprint *out);

/* 16 hex digits; "any" for no components. */
void fingerprint_id(const struct fingerprint *fingerprint, char id[FINGERPRINT_ID]);

/* The text; its length without the 0 at the end. */
size_t fingerprint_format(const struct fingerprint *fingerprint, char text[FINGERPRINT_TEXT]);

/* The reverse. 0; -EBADMSG: not such a text. */
int fingerprint_parse(const char *text, size_t len, struct fingerprint *out);

/* Calls `each` for every component that differs, in the order of `b`, then of what only `a` has; a value is
 * NULL where it is missing. `each` may be NULL. How many differ. */
size_t fingerprint_diff(const struct fingerprint *a, const struct fingerprint *b,
	void (*each)(void *ctx, const char *name, const char *value_a, const char *value_b), void *ctx);

#endif
