#include "tools/compilers/artifact.h"

#include <ctype.h>
#include <string.h>

static const struct {
	const char *suffix;
	enum artifact_level level;
} suffixes[] = {
	{".py", ARTIFACT_SOURCE},
	{".cpp", ARTIFACT_SOURCE},
	{".c", ARTIFACT_SOURCE},
	{".cu", ARTIFACT_SOURCE},
	{".h", ARTIFACT_SOURCE},
	{".source", ARTIFACT_SOURCE},
	{".ttir", ARTIFACT_IR},
	{".ttgir", ARTIFACT_IR},
	{".llir", ARTIFACT_IR},
	{".ptx", ARTIFACT_PTX},
	{".amdgcn", ARTIFACT_PTX},
	{".cubin", ARTIFACT_CUBIN},
	{".hsaco", ARTIFACT_CUBIN},
	{".so", ARTIFACT_OBJECT},
	{".o", ARTIFACT_OBJECT},
	{".json", ARTIFACT_NOTE},
	{".best_config", ARTIFACT_NOTE},
	{".ninja", ARTIFACT_NOTE},
	{".ninja_log", ARTIFACT_NOTE},
	{".ninja_deps", ARTIFACT_NOTE},
};

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), tail = strlen(end);

	return len >= tail && !strcmp(text + len - tail, end);
}

static enum artifact_level level_of(const char *name)
{
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
		if (ends_with(name, suffixes[i].suffix))
			return suffixes[i].level;
	return ARTIFACT_ENTRY;
}

/* Inductor writes .PID.TID.tmp, Triton tmp.pid_*, ccache NAME.tmp.XXX, numba NAME.tmp.XXX. */
static bool is_temporary(const char *path, const char *name)
{
	return ends_with(name, ".tmp") || strstr(name, ".tmp.") || strstr(path, "/tmp.pid_") ||
	       !strncmp(path, "tmp.pid_", 8) || !strncmp(path, "tmp/", 4);
}

static bool is_lock(const char *path, const char *name)
{
	return ends_with(name, ".lock") || !strcmp(name, "lock") || !strncmp(path, "locks/", 6);
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The path part that begins at `from` becomes key and end of the group. */
static void take_directory(const char *path, const char *from, struct artifact *out)
{
	size_t len = strcspn(from, "/");

	if (!from[len])
		return;
	out->key = from;
	out->key_len = len;
	out->group_len = (size_t)(from - path) + len;
}

static void of_triton(const char *path, const char *from, struct artifact *out)
{
	out->kind = "triton";
	take_directory(path, from, out);
}

static bool begins(const char *path, const char *prefix, const char **rest)
{
	size_t len = strlen(prefix);

	*rest = path + len;
	return !strncmp(path, prefix, len);
}

static void of_inductor(const char *path, const char *name, struct artifact *out)
{
	const char *rest;

	if (begins(path, "fxgraph/", &rest)) {
		rest = strchr(rest, '/') ? strchr(rest, '/') + 1 : rest;
		out->kind = "fx-graph";
		out->level = ARTIFACT_GRAPH;
		take_directory(path, rest, out);
	} else if (begins(path, "aotautograd/", &rest)) {
		out->kind = "aot-graph";
		out->level = ARTIFACT_GRAPH;
		take_directory(path, rest, out);
	} else if (begins(path, "triton/", &rest)) {
		rest = strchr(rest, '/') ? strchr(rest, '/') + 1 : rest;
		of_triton(path, rest, out);
	} else if (name == path + 3 && name[0] == 'c') { /* XX/cKEY.* */
		out->kind = "kernel";
		out->key = name;
		out->key_len = strcspn(name, ".");
		out->group_len = (size_t)(name - path) + out->key_len;
	}
}

static void of_jax(const char *path, const char *name, struct artifact *out)
{
	const char *end = strrchr(name, '-'), *dash = end;

	if (!end || (strcmp(end, "-cache") && strcmp(end, "-atime")))
		return;
	while (dash > name && dash[-1] != '-')
		dash--;
	out->kind = "executable";
	out->level = strcmp(end, "-cache") ? ARTIFACT_NOTE : ARTIFACT_OBJECT;
	out->key = dash;
	out->key_len = (size_t)(end - dash);
	out->group_len = (size_t)(end - path);
}

/* NAME.py311.nbi, NAME.py311.1.nbc */
static void of_numba(const char *path, const char *name, struct artifact *out)
{
	size_t len = strlen(name);

	if (len < 5 || (strcmp(name + len - 4, ".nbi") && strcmp(name + len - 4, ".nbc")))
		return;
	out->kind = "function";
	out->level = name[len - 1] == 'i' ? ARTIFACT_NOTE : ARTIFACT_OBJECT;
	len -= 4;
	if (out->level == ARTIFACT_OBJECT)
		while (len && name[len - 1] != '.')
			len--;
	len -= out->level == ARTIFACT_OBJECT && len;
	out->group_len = (size_t)(name - path) + len;
}

static void of_extension(const char *path, struct artifact *out)
{
	const char *rest = path;

	/* py311_cpu/NAME/..., cu128/NAME/...; with a directory of the user's own NAME/ comes first. */
	if ((!strncmp(path, "py", 2) || !strncmp(path, "cu", 2)) && isdigit((unsigned char)path[2]) &&
		strchr(path, '/') && strchr(strchr(path, '/') + 1, '/'))
		rest = strchr(path, '/') + 1;
	out->kind = "extension";
	take_directory(path, rest, out);
	out->key = NULL;
}

bool artifact_of(const char *client, const char *path, struct artifact *out)
{
	const char *name = base_of(path), *rest;

	if (!*name || is_temporary(path, name) || is_lock(path, name))
		return false;
	memset(out, 0, sizeof *out);
	out->kind = "entry";
	out->level = level_of(name);
	out->group_len = name > path ? (size_t)(name - path) - 1 : strlen(path);
	if (!strcmp(client, "inductor"))
		of_inductor(path, name, out);
	else if (!strcmp(client, "triton"))
		of_triton(path, begins(path, ".triton/cache/", &rest) ? rest : path, out);
	else if (!strcmp(client, "torch-extensions"))
		of_extension(path, out);
	else if (!strcmp(client, "jax"))
		of_jax(path, name, out);
	else if (!strcmp(client, "numba"))
		of_numba(path, name, out);
	else if (!strcmp(client, "ccache") || !strcmp(client, "sccache"))
		out->group_len = strlen(path);
	return true;
}

const char *artifact_level_name(enum artifact_level level)
{
	static const char *const names[] = {
		"source", "graph", "ir", "ptx", "cubin", "object", "entry", "note"};

	return names[level];
}
