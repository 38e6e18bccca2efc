/*
 * The GPUs of the machine, whichever of them a process may see: ranks of one job share one fingerprint.
 */
#ifndef MITHRIL_COMPILERS_GPU_H
#define MITHRIL_COMPILERS_GPU_H

#include "tools/compilers/fingerprint.h"

#define GPU_LIBRARY "libnvidia-ml.so.1"

/* Adds "gpu": of NVIDIA's "NAME sm_90" as the library says (without it, or where it lacks a call or fails,
 * "NAME", from /proc/driver/nvidia/gpus), of AMD's gfx_target_version (/sys/class/kfd); each kind once,
 * sorted. Nothing where there is none. `root` stands before these paths, "" for the machine's own; `library`
 * is loaded (dlopen(3)) only where there is a driver. */
void gpu_read_at(const char *root, const char *library, struct fingerprint *out);

/* Adds "driver", the version of NVIDIA's kernel driver, if there is one; `root` as above. */
void gpu_read_driver(const char *root, struct fingerprint *out);

#endif
