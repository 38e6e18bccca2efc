/*
 * The GPUs of the machine, whichever of them a process may see: ranks of one job share one fingerprint.
 */
#ifndef MITHRIL_COMPILERS_GPU_H
#define MITHRIL_COMPILERS_GPU_H

#include "tools/compilers/fingerprint.h"

/* Adds "gpu": of NVIDIA's "NAME sm_90" as libnvidia-ml says (without it "NAME", from
 * /proc/driver/nvidia/gpus), of AMD's gfx_target_version (/sys/class/kfd); each kind once, sorted. Nothing
 * where there is none. */
void gpu_read(struct fingerprint *out);

#endif
