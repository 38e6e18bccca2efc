/*
 * The components of a fingerprint that are a Python environment's. The interpreter says where it would import
 * from; what is installed there is read from torch/version.py and from the *.dist-info directories (PEP 376,
 * PEP 427). Nothing of it is imported.
 *
 *   python      suffix of its extension modules: implementation, version and ABI
 *   torch       version, git revision, CUDA or ROCm
 *   triton, jax, jaxlib, numba, cupy, vllm, flashinfer, deepgemm, tilelang, tvm-ffi, helion
 *               version, and a digest of the files' digests in RECORD, so that two builds of one
 *               version differ
 *   cuda        versions of the nvidia-cuda-*, nvidia-cudnn-* and nvidia-nvjitlink-* packages
 */
#ifndef MITHRIL_COMPILERS_PYTHON_H
#define MITHRIL_COMPILERS_PYTHON_H

#include <limits.h>

#include "tools/compilers/fingerprint.h"

/* The interpreter that `command` (argv[0] of a job; NULL: none) would run: itself, if it is called python...;
 * that of its first line, if it is a script of Python; else python3 or python in PATH. 0; -ENOENT there is
 * none. */
int python_find(const char *command, char path[PATH_MAX]);

/* Adds what this interpreter would import. 0; else as capture_command, with nothing added. */
int python_read(const char *interpreter, struct fingerprint *out);

/* The parts of it, for the tests. */

/* Adds what is installed in the directories of `path` (separated by newlines, the first wins). */
void python_read_path(const char *path, struct fingerprint *out);

/* Pure: a digest of the lines of a RECORD file that name files of the package itself, in whatever order,
 * without what an installer adds. */
uint64_t python_record_digest(const char *text, size_t len);

#endif
