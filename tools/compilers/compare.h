/*
 * How two groups of artifacts of one kind differ: how far they are apart, and the first reason in words.
 *
 *   aot-graph   the components of the FX graphs' keys (tools/compilers/pickle.h), in their order
 *   triton      of two kernels of one name: the fields of NAME.json, then the source or the Triton IR
 *   kernel      whether the source is the same, so that the command line of the compiler is not
 *   executable  of two JAX functions of one name: that there is one
 *   others      not compared
 */
#ifndef MITHRIL_COMPILERS_COMPARE_H
#define MITHRIL_COMPILERS_COMPARE_H

#include "tools/compilers/explain.h"
#include "tools/compilers/scan.h"

struct compare_group {
	const char *dir; /* the namespace */
	const struct scan_file *files;
	size_t count;
};

/* UINT_MAX: they have nothing to do with each other; less is nearer. `why` says what `missed` has otherwise
 * than `other`; printable. */
unsigned compare_groups(
	const struct compare_group *missed, const struct compare_group *other, char why[EXPLAIN_TEXT]);

/* Pure: two entries of AOTAutograd's cache. As above. */
unsigned compare_aot(const uint8_t *missed, size_t missed_len, const uint8_t *other, size_t other_len,
	char why[EXPLAIN_TEXT]);

/* Pure: two texts of NAME.json of Triton; 0: no field differs, but their hash. */
unsigned compare_json(
	const char *missed, size_t missed_len, const char *other, size_t other_len, char why[EXPLAIN_TEXT]);

#endif
