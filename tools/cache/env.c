#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cache/job.h"
#include "tools/print.h"

enum format {
	FORMAT_SH,
	FORMAT_DOCKER,
	FORMAT_JSON,
	FORMATS,
};
static const char *const format_names[FORMATS] = {"sh", "docker", "json"};

struct env {
	struct job job;
	enum format format;
	json_t *variables;
};

static bool option(void *ctx, int val, const char *value)
{
	struct env *env = ctx;

	if (val != 'f')
		return job_option(&env->job, val, value);
	for (env->format = 0; env->format < FORMATS; env->format++)
		if (!strcmp(value, format_names[env->format]))
			return true;
	tool_fail(TOOL_USAGE, value, NULL, "no such format: sh, docker or json");
	return false;
}

/* In single quotes, which end nothing but themselves. */
static void print_sh(const char *name, const char *value)
{
	printf("export %s='", name);
	for (; *value; value++)
		if (*value == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*value);
	puts("'");
}

/* In double quotes; $ would be expanded. */
static void print_docker(const char *name, const char *value)
{
	printf("ENV %s=\"", name);
	for (; *value; value++) {
		if (strchr("\"\\$", *value))
			putchar('\\');
		putchar(*value);
	}
	puts("\"");
}

static void print_setting(void *ctx, const char *name, const char *value)
{
	struct env *env = ctx;

	if (env->format == FORMAT_SH)
		print_sh(name, value);
	else if (env->format == FORMAT_DOCKER)
		print_docker(name, value);
	else
		json_object_set_new(env->variables, name, json_string(value));
}

static json_t *components(const struct fingerprint *fingerprint)
{
	json_t *object = json_object();

	for (size_t i = 0; i < fingerprint->count; i++)
		json_object_set_new(object, fingerprint->components[i].name,
			json_string(fingerprint->components[i].value));
	return object;
}

static void print_object(const struct env *env)
{
	json_t *caches = json_array(), *all;

	for (size_t i = 0; i < client_count; i++) {
		struct fingerprint own;
		char id[FINGERPRINT_ID];

		fingerprint_select(&env->job.machine, clients[i].components, &own);
		fingerprint_id(&own, id);
		json_array_append_new(caches, json_pack("{ss ss sb}", "name", clients[i].name, "fingerprint",
						      id, "placed", env->job.use[i]));
	}
	all = json_pack("{ss sO so so}", "root", env->job.root, "variables", env->variables, "fingerprint",
		components(&env->job.machine), "caches", caches);
	print_json(all);
	json_decref(all);
}

static int run(const struct tool *tool, int argc, char **argv)
{
	static const struct option options[] = {JOB_OPTIONS, {"format", required_argument, NULL, 'f'}, {0}};
	struct env *env = calloc(1, sizeof *env);
	struct tool_arguments arguments;
	int code = TOOL_SYSTEM;

	if (!env)
		return TOOL_SYSTEM;
	arguments = tool_parse(tool, argc, argv, options, option, env, 0, 0);
	if (arguments.code >= 0) {
		code = arguments.code;
		goto out;
	}
	if (!job_prepare(&env->job, NULL))
		goto out;
	env->variables = json_object();
	job_settings(&env->job, print_setting, env);
	if (env->format == FORMAT_JSON)
		print_object(env);
	code = TOOL_OK;
out:
	json_decref(env->variables);
	free(env);
	return code;
}

const struct tool tool_cache_env = {
	.name = "cache env",
	.arguments = "[OPTIONS]",
	.summary = "Print the variables that put the caches of compilers onto the mount",
	.help = "  --format FORMAT   sh (eval \"$(mithril cache env)\"), docker (lines for a Dockerfile), or "
		"json\n"
		"  --mount MNT, --dir DIR, --without NAME,.., --only NAME,.., --python PYTHON, --max-size "
		"SIZE\n"
		"                    as for mithril cache run\n\n"
		"What is set already stays as it is. Without a store nothing is printed, and the exit code "
		"is 3.\n",
	.run = run,
};
