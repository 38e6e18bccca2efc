#include "tools/compilers/clients.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define NATIVE "arch cpu glibc cxx "
#define DEVICE "gpu cuda ptxas "

const struct client clients[] = {
	{"inductor", NATIVE "python torch triton " DEVICE, {{"TORCHINDUCTOR_CACHE_DIR", "", NULL}}},
	{"triton", "arch glibc python triton " DEVICE,
		{{"TRITON_CACHE_DIR", ".triton/cache", NULL}, {"TRITON_HOME", "", NULL},
			{"TRITON_CACHE_AUTOTUNING", NULL, "1"}}},
	{"torch-extensions", NATIVE "python torch gpu cuda", {{"TORCH_EXTENSIONS_DIR", "", NULL}}},
	{"cuda", "gpu driver", {{"CUDA_CACHE_PATH", "", NULL}, {"CUDA_CACHE_MAXSIZE", NULL, "4294967296"}}},
	{"cudnn", "arch gpu cuda torch", {{"CUDNN_FRONTEND_CACHE_DIR", "", NULL}}},
	{"jax", "arch cpu glibc jax jaxlib " DEVICE,
		{{"JAX_COMPILATION_CACHE_DIR", "", NULL},
			{"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", NULL, "0"},
			{"JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", NULL, "-1"}}},
	{"vllm", NATIVE "python torch triton vllm flashinfer " DEVICE, {{"VLLM_CACHE_ROOT", "", NULL}}},
	{"flashinfer", NATIVE "python torch flashinfer tvm-ffi " DEVICE,
		{{"FLASHINFER_WORKSPACE_BASE", "", NULL},
			{"FLASHINFER_CUBIN_DIR", ".cache/flashinfer/cubins", NULL}}},
	{"deepgemm", NATIVE "python torch deepgemm " DEVICE, {{"DG_JIT_CACHE_DIR", "", NULL}}},
	{"tilelang", NATIVE "python torch tilelang " DEVICE, {{"TILELANG_CACHE_DIR", "", NULL}}},
	{"tvm-ffi", NATIVE "python torch tvm-ffi gpu cuda", {{"TVM_FFI_CACHE_DIR", "", NULL}}},
	{"helion", "arch python torch triton helion " DEVICE, {{"HELION_CACHE_DIR", "", NULL}}},
	{"numba", "arch cpu glibc python numba gpu", {{"NUMBA_CACHE_DIR", "", NULL}}},
	{"cupy", "arch glibc cupy " DEVICE, {{"CUPY_CACHE_DIR", "", NULL}}},
	{"ccache", "", {{"CCACHE_DIR", "", NULL}, {"CCACHE_NOCOMPRESS", NULL, "1"}}},
	{"sccache", "", {{"SCCACHE_DIR", "", NULL}}},
};
const size_t client_count = sizeof clients / sizeof *clients;

const struct client *client_find(const char *name, size_t len)
{
	for (size_t i = 0; i < client_count; i++)
		if (strlen(clients[i].name) == len && !strncmp(clients[i].name, name, len))
			return &clients[i];
	return NULL;
}

const char *client_placed(const struct client *client, const char *(*get)(const char *name))
{
	for (size_t i = 0; i < CLIENT_VARIABLES && client->variables[i].name; i++)
		if (client->variables[i].below && get(client->variables[i].name))
			return client->variables[i].name;
	return NULL;
}

int client_settings(const struct client *client, const char *dir, const char *(*get)(const char *name),
	client_setting *each, void *ctx)
{
	for (size_t i = 0; i < CLIENT_VARIABLES && client->variables[i].name; i++) {
		const struct client_variable *variable = &client->variables[i];
		char path[PATH_MAX];

		if (get(variable->name))
			continue;
		if (!variable->below) {
			each(ctx, variable->name, variable->value);
			continue;
		}
		if (snprintf(path, sizeof path, "%s%s%s", dir, *variable->below ? "/" : "",
			    variable->below) >= PATH_MAX)
			return -ENAMETOOLONG;
		each(ctx, variable->name, path);
	}
	return 0;
}
