#include "tools/compilers/compare.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/compilers/capture.h"
#include "tools/compilers/pickle.h"

#define FILE_MAX_BYTES (16u << 20)
#define SHOWN 72

/* The start of a value, on one printable line. */
static void shown(char dst[SHOWN + 4], const char *text, size_t len)
{
	size_t n = len < SHOWN ? len : SHOWN;

	for (size_t i = 0; i < n; i++)
		dst[i] = (unsigned char)text[i] < ' ' || (unsigned char)text[i] >= 0x7f ? ' ' : text[i];
	memcpy(dst + n, len > SHOWN ? "..." : "", len > SHOWN ? 4 : 1);
}

/* Of the line around `at`, what is shown: from a little before. */
static void around(char dst[SHOWN + 4], const char *text, size_t len, size_t at)
{
	const char *end;
	size_t from = at;

	while (from && at - from < SHOWN / 3 && text[from - 1] != '\n')
		from--;
	end = memchr(text + from, '\n', len - from);
	shown(dst, text + from, end ? (size_t)(end - text) - from : len - from);
}

/* The first line that differs. */
static void first_line(
	const char *a, size_t a_len, const char *b, size_t b_len, const char *what, char why[EXPLAIN_TEXT])
{
	char now[SHOWN + 4], before[SHOWN + 4];
	size_t at = 0, line = 1;

	for (; at < a_len && at < b_len && a[at] == b[at]; at++)
		line += a[at] == '\n';
	around(now, a, a_len, at);
	around(before, b, b_len, at);
	snprintf(why, EXPLAIN_TEXT, "%s differs, first in line %zu: \"%s\", before \"%s\"", what, line, now,
		before);
}

static void component_text(
	const struct pickle_component *now, const struct pickle_component *before, char why[EXPLAIN_TEXT])
{
	char name[SHOWN + 4], a[SHOWN + 4], b[SHOWN + 4];

	shown(name, now->name, now->name_len);
	if (now->starts)
		first_line(now->value, now->value_len, before->value, before->value_len, "the graph's code",
			why);
	else if (now->value_len == before->value_len && !memcmp(now->value, before->value, now->value_len))
		snprintf(why, EXPLAIN_TEXT, "%s differs", name);
	else {
		shown(a, now->value, now->value_len);
		shown(b, before->value, before->value_len);
		snprintf(why, EXPLAIN_TEXT, "%s is \"%s\", before \"%s\"", name, a, b);
	}
}

unsigned compare_aot(const uint8_t *missed, size_t missed_len, const uint8_t *other, size_t other_len,
	char why[EXPLAIN_TEXT])
{
	struct pickle_component a, b;
	size_t at_a = 0, at_b = 0;
	unsigned differ = 0;

	snprintf(why, EXPLAIN_TEXT,
		"its graphs are the same; AOTAutograd's own key differs (its configuration, or what "
		"the graph is called with)");
	for (;;) {
		bool more_a = pickle_component(missed, missed_len, &at_a, &a);
		bool more_b = pickle_component(other, other_len, &at_b, &b);

		if (!more_a && !more_b)
			return differ;
		if (!more_a || !more_b || a.name_len != b.name_len || memcmp(a.name, b.name, a.name_len)) {
			char name[SHOWN + 4];

			shown(name, more_a ? a.name : b.name, more_a ? a.name_len : b.name_len);
			if (!differ)
				snprintf(why, EXPLAIN_TEXT, "%s is %s", name,
					more_a ? "new, or not in the same place" : "missing");
			/* From here on nothing lines up. */
			return differ + 1000;
		}
		if (!memcmp(a.digest, b.digest, a.digest_len))
			continue;
		if (!differ)
			component_text(&a, &b, why);
		differ += a.starts ? 100 : 1;
	}
}

static void json_text(const json_t *value, char text[SHOWN + 4])
{
	char *dumped = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS) : NULL;

	shown(text, dumped ? dumped : "missing", dumped ? strlen(dumped) : strlen("missing"));
	free(dumped);
}

unsigned compare_json(
	const char *missed, size_t missed_len, const char *other, size_t other_len, char why[EXPLAIN_TEXT])
{
	json_t *a = json_loadb(missed, missed_len, 0, NULL), *b = json_loadb(other, other_len, 0, NULL),
	       *value;
	const char *key;
	unsigned differ = 0;

	why[0] = '\0';
	json_object_foreach(a, key, value)
	{
		char name[SHOWN + 4], now[SHOWN + 4], before[SHOWN + 4];

		if (!strcmp(key, "hash") || json_equal(value, json_object_get(b, key)))
			continue;
		differ++;
		if (differ > 1)
			continue;
		shown(name, key, strlen(key));
		json_text(value, now);
		json_text(json_object_get(b, key), before);
		snprintf(why, EXPLAIN_TEXT, "%s is %s, before %s", name, now, before);
	}
	json_decref(a);
	json_decref(b);
	return differ;
}

static const struct scan_file *file_with(const struct compare_group *group, const char *suffix)
{
	for (size_t i = 0; i < group->count; i++) {
		const char *path = group->files[i].path;
		size_t len = strlen(path), tail = strlen(suffix);

		if (len > tail && !strcmp(path + len - tail, suffix) && !strstr(path, "__grp__"))
			return &group->files[i];
	}
	return NULL;
}

static ssize_t load(const struct compare_group *group, const struct scan_file *file, char **bytes)
{
	char path[PATH_MAX];
	ssize_t len = -1;

	*bytes = NULL;
	if (!file || file->bytes > FILE_MAX_BYTES ||
		snprintf(path, sizeof path, "%s/%s", group->dir, file->path) >= PATH_MAX)
		return -1;
	*bytes = malloc(file->bytes + 2);
	if (*bytes)
		len = capture_file(path, *bytes, file->bytes + 2);
	return len;
}

/* Loads one file of each; false: one is missing. The caller frees both. */
struct pair {
	char *a, *b;
	ssize_t a_len, b_len;
};

static bool load_pair(const struct compare_group *missed, const struct compare_group *other,
	const char *suffix, struct pair *pair)
{
	pair->a_len = load(missed, file_with(missed, suffix), &pair->a);
	pair->b_len = load(other, file_with(other, suffix), &pair->b);
	return pair->a_len >= 0 && pair->b_len >= 0;
}

static void free_pair(struct pair *pair)
{
	free(pair->a);
	free(pair->b);
}

static bool same_name(const struct scan_file *a, const struct scan_file *b)
{
	const char *left = strrchr(a->path, '/'), *right = strrchr(b->path, '/');

	return !strcmp(left ? left : a->path, right ? right : b->path);
}

static bool triton_text(const struct compare_group *missed, const struct compare_group *other,
	const char *suffix, const char *what, char why[EXPLAIN_TEXT])
{
	struct pair pair;
	bool found = load_pair(missed, other, suffix, &pair) &&
		     (pair.a_len != pair.b_len || memcmp(pair.a, pair.b, (size_t)pair.a_len));

	if (found)
		first_line(pair.a, (size_t)pair.a_len, pair.b, (size_t)pair.b_len, what, why);
	free_pair(&pair);
	return found;
}

static unsigned compare_triton(
	const struct compare_group *missed, const struct compare_group *other, char why[EXPLAIN_TEXT])
{
	const struct scan_file *a = file_with(missed, ".json"), *b = file_with(other, ".json");
	unsigned differ = 0;
	struct pair pair;

	if (!a || !b || !same_name(a, b))
		return UINT_MAX;
	if (load_pair(missed, other, ".json", &pair))
		differ = compare_json(pair.a, (size_t)pair.a_len, pair.b, (size_t)pair.b_len, why);
	free_pair(&pair);
	if (differ)
		return differ + 1;
	if (!triton_text(missed, other, ".source", "its source", why) &&
		!triton_text(missed, other, ".ttir", "its Triton IR", why))
		snprintf(why, EXPLAIN_TEXT,
			"source and options are the same: Triton itself, its compiler or its "
			"environment differs");
	return 1;
}

static unsigned compare_kernel(
	const struct compare_group *missed, const struct compare_group *other, char why[EXPLAIN_TEXT])
{
	unsigned distance = UINT_MAX;
	struct pair pair;

	if (load_pair(missed, other, ".cpp", &pair) && pair.a_len == pair.b_len &&
		!memcmp(pair.a, pair.b, (size_t)pair.a_len)) {
		snprintf(why, EXPLAIN_TEXT,
			"its source is the same: the compiler's command line differs (compiler, "
			"flags, include paths or vector instructions)");
		distance = 0;
	}
	free_pair(&pair);
	return distance;
}

static unsigned compare_executable(
	const struct compare_group *missed, const struct compare_group *other, char why[EXPLAIN_TEXT])
{
	const struct artifact *a = &missed->files[0].artifact, *b = &other->files[0].artifact;

	if (!a->key || !b->key || a->key - missed->files[0].path != b->key - other->files[0].path ||
		strncmp(missed->files[0].path, other->files[0].path,
			(size_t)(a->key - missed->files[0].path)))
		return UINT_MAX;
	snprintf(why, EXPLAIN_TEXT,
		"its function was compiled before, but from other code, for other shapes or with "
		"other options");
	return 0;
}

static unsigned compare_graphs(
	const struct compare_group *missed, const struct compare_group *other, char why[EXPLAIN_TEXT])
{
	struct pair pair;
	unsigned distance = UINT_MAX;

	if (load_pair(missed, other, "", &pair))
		distance = compare_aot((const uint8_t *)pair.a, (size_t)pair.a_len, (const uint8_t *)pair.b,
			(size_t)pair.b_len, why);
	free_pair(&pair);
	return distance;
}

unsigned compare_groups(
	const struct compare_group *missed, const struct compare_group *other, char why[EXPLAIN_TEXT])
{
	const char *kind = missed->files[0].artifact.kind;

	if (!strcmp(kind, "aot-graph"))
		return compare_graphs(missed, other, why);
	if (!strcmp(kind, "triton"))
		return compare_triton(missed, other, why);
	if (!strcmp(kind, "kernel"))
		return compare_kernel(missed, other, why);
	if (!strcmp(kind, "executable"))
		return compare_executable(missed, other, why);
	return UINT_MAX;
}
