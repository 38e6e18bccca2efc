/*
 * The components of a fingerprint that are the machine's: read from files, no compiler or driver is loaded.
 *
 *   arch    uname -m
 *   cpu     the instruction-set extensions that compilers emit code for, of /proc/cpuinfo
 *   glibc   its version
 *   gpu     name and compute capability of the GPUs (libnvidia-ml where it is; /proc/driver/nvidia, and
 *           the targets of kfd for AMD), each kind once
 *   driver  the version of the NVIDIA kernel driver
 *   cuda    the version of the toolkit in $CUDA_HOME, $CUDA_PATH or /usr/local/cuda
 *   ptxas   digest of $TRITON_PTXAS_PATH, if that is set
 *   cxx     the first line of `$CXX --version` (g++ where CXX is not set)
 */
#ifndef MITHRIL_COMPILERS_MACHINE_H
#define MITHRIL_COMPILERS_MACHINE_H

#include "tools/compilers/fingerprint.h"

/* Adds what can be read; what cannot is left out. A few milliseconds; the compiler is given twenty seconds.
 */
void machine_read(struct fingerprint *out);

/* Pure: of the text of /proc/cpuinfo, the extensions of the first processor, sorted and space-separated. */
void machine_parse_cpu(const char *text, char *dst, size_t capacity);

#endif
