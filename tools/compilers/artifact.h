/*
 * What a file of a compiler's cache is, told from its path below the namespace alone: its kind, its level
 * between source and machine code, the group that is used, published and evicted as one, and its key: the
 * digest of its inputs, as the compiler has computed it and put it into the name.
 *
 *   inductor          fxgraph/XX/KEY/HASH, aotautograd/KEY/HASH: a compiled graph
 *                     XX/cKEY.*: source and object of one kernel, one group a stem
 *                     triton/DEVICE/KEY/: as triton
 *   triton            [.triton/cache/]KEY/NAME.LEVEL and KEY/__grp__NAME.json
 *   torch-extensions  [TAG/]NAME/: one group an extension
 *   jax               NAME-KEY-cache
 *   numba             DIR/NAME.nbi and NAME.N.nbc: one group a function
 *   others            the directory of the file
 *
 * Locks and what is written under a temporary name are no artifacts.
 */
#ifndef MITHRIL_COMPILERS_ARTIFACT_H
#define MITHRIL_COMPILERS_ARTIFACT_H

#include <stdbool.h>
#include <stddef.h>

enum artifact_level {
	ARTIFACT_SOURCE, /* text that a compiler reads: .py, .cpp, .cu, .source */
	ARTIFACT_GRAPH,	 /* FX graph, AOTAutograd graph */
	ARTIFACT_IR,	 /* Triton IR, LLVM IR, HLO */
	ARTIFACT_PTX,
	ARTIFACT_CUBIN,	 /* code of a device */
	ARTIFACT_OBJECT, /* code of the machine: .so, .o */
	ARTIFACT_ENTRY,	 /* a whole entry of a cache that does not tell levels apart */
	ARTIFACT_NOTE,	 /* about others: .json, .best_config, build.ninja */
};

struct artifact {
	enum artifact_level level;
	const char *kind; /* "fx-graph", "aot-graph", "kernel", "triton", "extension", "executable",
			     "function", "entry" */
	size_t group_len; /* of the path: a directory, or a stem that ends where the rest of the name begins
			   */
	const char *key;  /* within the path; NULL: its name holds none */
	size_t key_len;
};

/* Pure. False: no artifact. */
bool artifact_of(const char *client, const char *path, struct artifact *out);

/* "source", "graph", "ir", "ptx", "cubin", "object", "entry", "note". */
const char *artifact_level_name(enum artifact_level level);

#endif
