#include "tools/dedup/clusters.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "dedup/places.h"
#include "dedup/report/lines.h"
#include "tools/dedup/complain.h"
#include "tools/dedup/errors.h"
#include "tools/dedup/report.h"
#include "tools/dedup/side.h"
#include "tools/dedup/values.h"
#include "tools/print.h"
#include "tools/tool.h"

static const char help[] =
	"Usage: mithril-dedup clusters [OPTIONS] PLACE [FILE:LINE...]\n"
	"\n"
	"Shows records that go beside those that stay for them, what they differ in marked.\n"
	"PLACE is the output directory or file of a run, or its record; the files it read must\n"
	"be as they were. With FILE:LINE, the clusters of these records; otherwise the largest.\n"
	"\n"
	"      --largest N    clusters (default: 10)\n"
	"      --members N    of each, the least similar first, copies last (default: 3)\n"
	"      --whole        all words, not only those around differences\n"
	"  -j, --json         one JSON object\n"
	"  -h, --help\n";

struct clusters {
	struct dedup_report report;
	struct side_style style;
	unsigned largest, members;
	bool json;
	size_t *chosen; /* clusters */
	size_t chosen_count;
	char **names; /* of records that were asked for */
	int name_count;
	struct dedup_report_text *texts; /* of their records, by place */
	size_t text_count;
};

static bool same_place(struct dedup_report_place a, struct dedup_report_place b)
{
	return a.input == b.input && a.line == b.line;
}

static bool is_in(const struct clusters *c, size_t cluster, const char *name)
{
	const struct dedup_report_cluster *of = &c->report.clusters[cluster];
	const struct dedup_report_member *members = c->report.members + of->first;
	char text[DEDUP_PLACE];

	if (!strcmp(dedup_report_name(text, &c->report, members->keeper), name))
		return true;
	for (size_t i = 0; i < of->count; i++)
		if (!strcmp(dedup_report_name(text, &c->report, members[i].id), name))
			return true;
	return false;
}

static int choose(struct clusters *c)
{
	char **names = c->names;
	int count = c->name_count;
	size_t most = count ? (size_t)count : c->largest;

	most = most < c->report.cluster_count ? most : c->report.cluster_count;
	c->chosen = calloc(most + (size_t)count + 1, sizeof *c->chosen);
	if (!c->chosen)
		return dedup_error_report("clusters", -ENOMEM);
	for (size_t i = 0; !count && i < most; i++)
		c->chosen[c->chosen_count++] = i;
	for (int i = 0; i < count; i++) {
		size_t at = 0;

		while (at < c->report.cluster_count && !is_in(c, at, names[i]))
			at++;
		if (at == c->report.cluster_count)
			return dedup_complain(TOOL_USAGE, names[i],
				"mithril-dedup report names some that are", "the record is in no cluster");
		c->chosen[c->chosen_count++] = at;
	}
	return TOOL_OK;
}

static bool is_named(const struct clusters *c, const struct dedup_report_member *member)
{
	char text[DEDUP_PLACE];

	for (int i = 0; i < c->name_count; i++)
		if (!strcmp(dedup_report_name(text, &c->report, member->id), c->names[i]))
			return true;
	return false;
}

/* Those that were asked for, then those that have texts of their own, then copies. */
static int rank(const struct clusters *c, const struct dedup_report_member *member)
{
	return is_named(c, member) ? 0 : member->how != DEDUP_HOW_EXACT ? 1 : 2;
}

static int by_interest(const void *a, const void *b, void *ctx)
{
	const struct dedup_report_member *x = a, *y = b;
	int first = rank(ctx, x), second = rank(ctx, y);

	if (first != second)
		return first - second;
	if (x->similarity != y->similarity)
		return x->similarity < y->similarity ? -1 : 1;
	if (x->id.input != y->id.input)
		return x->id.input < y->id.input ? -1 : 1;
	return (x->id.line > y->id.line) - (x->id.line < y->id.line);
}

static size_t shown_members(const struct clusters *c, const struct dedup_report_cluster *of)
{
	return of->count < c->members ? of->count : c->members;
}

static int compare_texts(const void *a, const void *b)
{
	const struct dedup_report_text *x = a, *y = b;

	if (x->place.input != y->place.input)
		return x->place.input < y->place.input ? -1 : 1;
	return (x->place.line > y->place.line) - (x->place.line < y->place.line);
}

/* The texts of all that is shown, in one pass over the files. */
static int read_texts(struct clusters *c)
{
	size_t most = 0, kept = 0;
	int rc;

	for (size_t i = 0; i < c->chosen_count; i++)
		most += 1 + shown_members(c, &c->report.clusters[c->chosen[i]]);
	c->texts = calloc(most + 1, sizeof *c->texts);
	if (!c->texts)
		return -ENOMEM;
	for (size_t i = 0; i < c->chosen_count; i++) {
		const struct dedup_report_cluster *of = &c->report.clusters[c->chosen[i]];
		struct dedup_report_member *members = c->report.members + of->first;

		qsort_r(members, of->count, sizeof *members, by_interest, c);
		c->texts[c->text_count++].place = members->keeper;
		for (size_t j = 0; j < shown_members(c, of); j++)
			c->texts[c->text_count++].place = members[j].id;
	}
	qsort(c->texts, c->text_count, sizeof *c->texts, compare_texts);
	for (size_t i = 0; i < c->text_count; i++)
		if (!kept || !same_place(c->texts[kept - 1].place, c->texts[i].place))
			c->texts[kept++] = c->texts[i];
	c->text_count = kept;
	rc = dedup_report_texts(&c->report, c->texts, c->text_count);
	return rc;
}

static const struct dedup_report_text *text_of(const struct clusters *c, struct dedup_report_place place)
{
	struct dedup_report_text key = {.place = place};

	return bsearch(&key, c->texts, c->text_count, sizeof key, compare_texts);
}

struct pair {
	struct dedup_word_list a, b;
	struct dedup_edits edits;
};

static int pair_of(
	struct pair *pair, const struct dedup_report_text *keeper, const struct dedup_report_text *member)
{
	int rc;

	*pair = (struct pair){.edits = {0}};
	rc = dedup_word_list_of(&pair->a, keeper->text, keeper->len);
	rc = rc ? rc : dedup_word_list_of(&pair->b, member->text, member->len);
	return rc ? rc : dedup_diff(&pair->edits, &pair->a, &pair->b);
}

static void pair_release(struct pair *pair)
{
	dedup_word_list_release(&pair->a);
	dedup_word_list_release(&pair->b);
	dedup_edits_release(&pair->edits);
}

static const char *how_of(const struct dedup_report_member *member)
{
	return member->how == DEDUP_HOW_EXACT && member->similarity < 1
		       ? "near (copy)"
		       : dedup_how_name((enum dedup_how)member->how);
}

static int print_member(const struct clusters *c, const struct dedup_report_member *member)
{
	const struct dedup_report_text *keeper = text_of(c, member->keeper), *text = text_of(c, member->id);
	char left[DEDUP_PLACE], right[DEDUP_PLACE + 32], name[DEDUP_PLACE];
	struct pair pair;
	int rc;

	dedup_report_name(left, &c->report, member->keeper);
	snprintf(right, sizeof right, "%s  %s %.4f", dedup_report_name(name, &c->report, member->id),
		how_of(member), (double)member->similarity);
	printf("\n");
	rc = side_title(stdout, &c->style, left, right);
	if (rc)
		return rc;
	if (keeper->len == text->len && !memcmp(keeper->text, text->text, text->len)) {
		printf("  the same text\n");
		return 0;
	}
	rc = pair_of(&pair, keeper, text);
	if (!rc && pair.edits.count < 2 && pair.a.count == pair.b.count)
		printf("  the same words, with other white space between\n");
	else
		rc = rc ? rc : side_print(stdout, &c->style, &pair.a, &pair.b, &pair.edits);
	pair_release(&pair);
	return rc;
}

static int print_all(const struct clusters *c)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < c->chosen_count; i++) {
		const struct dedup_report_cluster *of = &c->report.clusters[c->chosen[i]];
		size_t shown = shown_members(c, of);

		printf("%scluster %zu: %zu documents", i ? "\n" : "", c->chosen[i] + 1, of->count + 1);
		printf(shown < of->count ? "; %zu of those that go, the least similar first\n" : "\n", shown);
		for (size_t j = 0; !rc && j < shown; j++)
			rc = print_member(c, &c->report.members[of->first + j]);
	}
	if (!c->report.cluster_count)
		printf("no record went for another\n");
	return rc;
}

static json_t *words_of(const struct dedup_word_list *list, size_t from, size_t count)
{
	const char *start = list->v[from].text;
	const struct dedup_word *last = &list->v[from + count - 1];

	return json_stringn_nocheck(start, (size_t)(last->text + last->len - start));
}

static int edits_of(json_t *to, const struct dedup_report_text *keeper, const struct dedup_report_text *text)
{
	static const char *const kinds[] = {"same", "gone", "new"};
	struct pair pair;
	int rc = pair_of(&pair, keeper, text);

	for (size_t i = 0; !rc && i < pair.edits.count; i++) {
		const struct dedup_edit *e = &pair.edits.v[i];
		json_t *words = e->kind == DEDUP_EDIT_NEW ? words_of(&pair.b, e->b, e->count)
							  : words_of(&pair.a, e->a, e->count);

		json_array_append_new(to, json_pack("{s:s, s:o}", "kind", kinds[e->kind], "words", words));
	}
	pair_release(&pair);
	return rc;
}

static int member_object(json_t *to, const struct clusters *c, const struct dedup_report_member *member)
{
	const struct dedup_report_text *keeper = text_of(c, member->keeper), *text = text_of(c, member->id);
	char name[DEDUP_PLACE];
	json_t *edits = json_array();
	int rc = edits_of(edits, keeper, text);

	json_array_append_new(to,
		json_pack("{s:s, s:s, s:f, s:o, s:o}", "id", dedup_report_name(name, &c->report, member->id),
			"method", dedup_how_name((enum dedup_how)member->how), "similarity",
			(double)member->similarity, "text", json_stringn_nocheck(text->text, text->len),
			"edits", edits));
	return rc;
}

static int print_object(const struct clusters *c)
{
	json_t *list = json_array(), *all = json_pack("{s:o}", "clusters", list);
	int rc = 0;

	for (size_t i = 0; !rc && i < c->chosen_count; i++) {
		const struct dedup_report_cluster *of = &c->report.clusters[c->chosen[i]];
		const struct dedup_report_member *members = c->report.members + of->first;
		const struct dedup_report_text *keeper = text_of(c, members->keeper);
		json_t *shown = json_array();
		char name[DEDUP_PLACE];

		json_array_append_new(
			list, json_pack("{s:s, s:I, s:o, s:o}", "keeper",
				      dedup_report_name(name, &c->report, members->keeper), "size",
				      (json_int_t)of->count + 1, "text",
				      json_stringn_nocheck(keeper->text, keeper->len), "members", shown));
		for (size_t j = 0; !rc && j < shown_members(c, of); j++)
			rc = member_object(shown, c, &members[j]);
	}
	if (!rc)
		print_json(all);
	json_decref(all);
	return rc;
}

/* The width of the terminal, or what is good to read elsewhere. */
static void choose_style(struct clusters *c, bool whole)
{
	const char *none = getenv("NO_COLOR");
	bool terminal = isatty(STDOUT_FILENO);
	struct winsize size;

	c->style = (struct side_style){
		.width = 120, .colour = terminal && !(none && *none), .context = whole ? SIZE_MAX / 4 : 8};
	if (terminal && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col >= 20)
		c->style.width = size.ws_col;
}

static int show(struct clusters *c, char **arguments, int count)
{
	int code = dedup_report_open(&c->report, arguments[0]), rc;

	c->names = arguments + 1;
	c->name_count = count - 1;
	if (code == TOOL_OK)
		code = choose(c);
	if (code != TOOL_OK)
		return code;
	rc = read_texts(c);
	if (rc) {
		struct dedup_fault fault = {.line = c->report.line, .why = c->report.why};

		return dedup_error_report_fault(&fault, c->report.path, rc);
	}
	rc = (c->json ? print_object : print_all)(c);
	if (rc)
		return dedup_error_report("clusters", rc);
	return fflush(stdout) || ferror(stdout) ? dedup_error_report("standard output", -errno) : TOOL_OK;
}

int dedup_clusters_run(int argc, char **argv)
{
	static const struct option options[] = {{"largest", required_argument, NULL, 'l'},
		{"members", required_argument, NULL, 'm'}, {"whole", no_argument, NULL, 'w'},
		{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
	struct clusters c = {.largest = 10, .members = 3};
	bool whole = false;
	int val, code;

	opterr = 0;
	while ((val = getopt_long(argc, argv, ":jh", options, NULL)) != -1) {
		if (val == 'h')
			return fputs(help, stdout) < 0 ? TOOL_SYSTEM : TOOL_OK;
		if (val == '?' || val == ':')
			return dedup_wrong_option("clusters", val, argv);
		if ((val == 'l' || val == 'm') &&
			!dedup_number_of(optarg, 1, UINT32_MAX, val == 'l' ? &c.largest : &c.members))
			return dedup_complain(TOOL_USAGE, optarg, NULL, "not a number above 0");
		whole |= val == 'w';
		c.json |= val == 'j';
	}
	if (optind == argc)
		return dedup_complain(
			TOOL_USAGE, "clusters", "clusters --help tells more", "name the output of a run");
	choose_style(&c, whole);
	code = show(&c, argv + optind, argc - optind);
	for (size_t i = 0; i < c.text_count; i++)
		free(c.texts[i].text);
	free(c.texts);
	free(c.chosen);
	dedup_report_release(&c.report);
	return code;
}
