#include <stdio.h>
#include <string.h>

#include "tools/cache/verbs.h"
#include "tools/print.h"

struct options {
	bool json;
	const char *mount, *to;
};

static bool option(void *ctx, int val, const char *value)
{
	struct options *options = ctx;
	uint64_t bytes;

	if (val == 'j')
		options->json = true;
	else if (val == 'm')
		options->mount = value;
	else if (!tool_parse_size(value, &bytes)) {
		tool_fail(TOOL_USAGE, value, NULL, "no size; 10G, 500M or a number of bytes");
		return false;
	} else
		options->to = value;
	return true;
}

struct answer {
	bool json;
	struct print_progress progress;
	json_t *findings, *last;
};

static void line(void *ctx, json_t *object)
{
	struct answer *answer = ctx;
	json_t *phase = json_object_get(object, "phase"), *finding = json_object_get(object, "finding");

	if (phase) {
		print_progress(&answer->progress, "%s: %.0f %%", json_string_value(phase),
			100 * json_number_value(json_object_get(object, "share")));
		return;
	}
	print_progress_end(&answer->progress);
	if (finding) {
		json_array_append(answer->findings, object);
		if (!answer->json)
			printf("%s\n", json_string_value(finding));
		return;
	}
	json_decref(answer->last);
	answer->last = json_incref(object);
}

/* Asks, and keeps the last object. */
static int ask(const struct options *options, const char *argument, const char *verb, const char *rest,
	struct answer *answer)
{
	struct verbs_target target;
	char request[128];
	int code = verbs_find_live(options->mount, argument, &target);

	if (code)
		return code;
	snprintf(request, sizeof request, "%s %llu%s", verb, (unsigned long long)target.ino, rest);
	code = open_call(&target.daemon, request, line, answer);
	print_progress_end(&answer->progress);
	if (!code && !answer->last)
		code = tool_fail(TOOL_SYSTEM, target.daemon.store, NULL, "no answer");
	return code;
}

static struct answer answer_new(const struct options *options)
{
	return (struct answer){.json = options->json, .findings = json_array()};
}

static void answer_free(struct answer *answer)
{
	json_decref(answer->findings);
	json_decref(answer->last);
}

static int run_prune(const struct tool *tool, int argc, char **argv)
{
	static const struct option known[] = {{"json", no_argument, NULL, 'j'},
		{"mount", required_argument, NULL, 'm'}, {"to", required_argument, NULL, 't'}, {0}};
	struct options options = {0};
	struct tool_arguments arguments = tool_parse(tool, argc, argv, known, option, &options, 0, 1);
	struct answer answer;
	uint64_t bytes;
	char rest[32], amount[PRINT_AMOUNT], left[PRINT_AMOUNT];
	int code = arguments.code;

	if (code >= 0)
		return code;
	if (!options.to)
		return tool_fail(TOOL_USAGE, tool->name, "0 is all that is not in use",
			"say --to SIZE, what may stay");
	tool_parse_size(options.to, &bytes);
	snprintf(rest, sizeof rest, " %llu", (unsigned long long)bytes);
	answer = answer_new(&options);
	code = ask(&options, arguments.count ? arguments.v[0] : NULL, "cache-prune", rest, &answer);
	if (!code && options.json)
		print_json(answer.last);
	else if (!code)
		printf("%llu groups evicted, %s; %s left, %llu groups in use\n",
			(unsigned long long)open_number(answer.last, "evicted_groups"),
			print_bytes(amount, open_number(answer.last, "evicted_bytes")),
			print_bytes(left, open_number(answer.last, "bytes")),
			(unsigned long long)open_number(answer.last, "busy_groups"));
	answer_free(&answer);
	return code;
}

static int run_verify(const struct tool *tool, int argc, char **argv)
{
	static const struct option known[] = {
		{"json", no_argument, NULL, 'j'}, {"mount", required_argument, NULL, 'm'}, {0}};
	struct options options = {0};
	struct tool_arguments arguments = tool_parse(tool, argc, argv, known, option, &options, 0, 1);
	struct answer answer;
	uint64_t damaged;
	int code = arguments.code;

	if (code >= 0)
		return code;
	answer = answer_new(&options);
	code = ask(&options, arguments.count ? arguments.v[0] : NULL, "cache-verify", "", &answer);
	damaged = code ? 0 : open_number(answer.last, "damaged");
	if (!code && options.json) {
		json_object_set(answer.last, "findings", answer.findings);
		print_json(answer.last);
	} else if (!code) {
		char amount[PRINT_AMOUNT];

		printf("%llu files, %s: %llu damaged, %llu of them in quarantine\n",
			(unsigned long long)open_number(answer.last, "files"),
			print_bytes(amount, open_number(answer.last, "bytes")), (unsigned long long)damaged,
			(unsigned long long)open_number(answer.last, "quarantined"));
	}
	answer_free(&answer);
	return code ? code : damaged ? TOOL_DATA : TOOL_OK;
}

const struct tool tool_cache_prune = {
	.name = "cache prune",
	.arguments = "--to SIZE [--json] [--mount MNT] [CACHE]",
	.summary = "Evict what was not used for longest",
	.help = "  --to SIZE    what may stay; 0: nothing but what is in use\n"
		"  --mount MNT  the mount; by itself: the one there is\n"
		"  -j, --json   as JSON\n\n"
		"CACHE is a directory, or NAME/FINGERPRINT as mithril cache list shows it; without, all of "
		"them.\n"
		"Groups go as a whole: a Triton directory, an FX graph's entry, a kernel's source with its "
		"object.\n",
	.run = run_prune,
};

const struct tool tool_cache_verify = {
	.name = "cache verify",
	.arguments = "[--json] [--mount MNT] [CACHE]",
	.summary = "Read every cached file, and take what is damaged away",
	.help = "  --mount MNT  the mount; by itself: the one there is\n"
		"  -j, --json   as JSON\n\n"
		"CACHE is a directory, or NAME/FINGERPRINT as mithril cache list shows it; without, all of "
		"them.\n"
		"A damaged file goes to .mithril-quarantine in its cache, so that the compiler makes it "
		"again.\n"
		"Exit code 1: something was damaged.\n",
	.run = run_verify,
};
