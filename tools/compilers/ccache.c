#include "tools/compilers/ccache.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/compilers/capture.h"

bool ccache_config_has(const char *text, const char *key)
{
	size_t len = strlen(key);

	while (text) {
		text += strspn(text, " \t\n");
		if (!strncmp(text, key, len) && text[len + strspn(text + len, " \t")] == '=')
			return true;
		text = strchr(text, '\n');
	}
	return false;
}

static bool exists(char path[PATH_MAX], const char *dir, const char *below)
{
	return dir && snprintf(path, PATH_MAX, "%s%s", dir, below) < PATH_MAX && !access(path, R_OK);
}

static bool find(const char *(*get)(const char *name), char path[PATH_MAX])
{
	return exists(path, get("CCACHE_CONFIGPATH"), "") ||
	       exists(path, get("HOME"), "/.ccache/ccache.conf") ||
	       exists(path, get("XDG_CONFIG_HOME"), "/ccache/ccache.conf") ||
	       exists(path, get("HOME"), "/.config/ccache/ccache.conf");
}

void ccache_config_read(const char *(*get)(const char *name), struct ccache_config *out)
{
	char text[65536];

	memset(out, 0, sizeof *out);
	out->compresses = get("CCACHE_COMPRESS") || get("CCACHE_COMPRESSLEVEL");
	if (!find(get, out->path) || capture_file(out->path, text, sizeof text) < 0) {
		out->path[0] = '\0';
		return;
	}
	out->placed = ccache_config_has(text, "cache_dir");
	out->compresses |=
		ccache_config_has(text, "compression") || ccache_config_has(text, "compression_level");
	if (get("CCACHE_CONFIGPATH"))
		out->path[0] = '\0';
}
