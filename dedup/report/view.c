#include "dedup/report/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/places.h"
#include "dedup/report/lines.h"
#include "dedup/report/parts.h"

struct view {
	FILE *out;
	struct dedup_report *report;
	const struct dedup_view_options *o;
	size_t *chosen; /* clusters */
	size_t chosen_count;
	struct dedup_report_text *texts; /* of their records, by place */
	size_t text_count;
};

static bool same_place(struct dedup_report_place a, struct dedup_report_place b)
{
	return a.input == b.input && a.line == b.line;
}

static bool is_in(const struct view *c, size_t cluster, const char *name)
{
	const struct dedup_report_cluster *of = &c->report->clusters[cluster];
	const struct dedup_report_member *members = c->report->members + of->first;
	char text[DEDUP_PLACE];

	if (!strcmp(dedup_report_name(text, c->report, members->keeper), name))
		return true;
	for (size_t i = 0; i < of->count; i++)
		if (!strcmp(dedup_report_name(text, c->report, members[i].id), name))
			return true;
	return false;
}

static int choose(struct view *c, const char **unknown)
{
	const char *const *names = c->o->names;
	size_t count = c->o->name_count, most = count ? count : c->o->largest;

	most = most < c->report->cluster_count ? most : c->report->cluster_count;
	c->chosen = calloc(most + count + 1, sizeof *c->chosen);
	if (!c->chosen)
		return -ENOMEM;
	for (size_t i = 0; !count && i < most; i++)
		c->chosen[c->chosen_count++] = i;
	for (size_t i = 0; i < count; i++) {
		size_t at = 0;

		while (at < c->report->cluster_count && !is_in(c, at, names[i]))
			at++;
		if (at == c->report->cluster_count) {
			*unknown = names[i];
			return -ESRCH;
		}
		c->chosen[c->chosen_count++] = at;
	}
	return 0;
}

static bool is_named(const struct view *c, const struct dedup_report_member *member)
{
	char text[DEDUP_PLACE];

	for (size_t i = 0; i < c->o->name_count; i++)
		if (!strcmp(dedup_report_name(text, c->report, member->id), c->o->names[i]))
			return true;
	return false;
}

/* Those that were asked for, then those that have texts of their own, then copies. */
static int rank(const struct view *c, const struct dedup_report_member *member)
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

static size_t shown_members(const struct view *c, const struct dedup_report_cluster *of)
{
	return of->count < c->o->members ? of->count : c->o->members;
}

static int compare_texts(const void *a, const void *b)
{
	const struct dedup_report_text *x = a, *y = b;

	if (x->place.input != y->place.input)
		return x->place.input < y->place.input ? -1 : 1;
	return (x->place.line > y->place.line) - (x->place.line < y->place.line);
}

/* The texts of all that is shown, in one pass over the files. */
static int read_texts(struct view *c)
{
	size_t most = 0, kept = 0;
	int rc;

	for (size_t i = 0; i < c->chosen_count; i++)
		most += 1 + shown_members(c, &c->report->clusters[c->chosen[i]]);
	c->texts = calloc(most + 1, sizeof *c->texts);
	if (!c->texts)
		return -ENOMEM;
	for (size_t i = 0; i < c->chosen_count; i++) {
		const struct dedup_report_cluster *of = &c->report->clusters[c->chosen[i]];
		struct dedup_report_member *members = c->report->members + of->first;

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
	rc = dedup_report_texts(c->report, c->texts, c->text_count);
	return rc;
}

static const struct dedup_report_text *text_of(const struct view *c, struct dedup_report_place place)
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

static int print_member(const struct view *c, const struct dedup_report_member *member)
{
	const struct dedup_report_text *keeper = text_of(c, member->keeper), *text = text_of(c, member->id);
	char left[DEDUP_PLACE], right[DEDUP_PLACE + 32], name[DEDUP_PLACE];
	struct pair pair;
	int rc;

	dedup_report_name(left, c->report, member->keeper);
	snprintf(right, sizeof right, "%s  %s %.4f", dedup_report_name(name, c->report, member->id),
		how_of(member), (double)member->similarity);
	fprintf(c->out, "\n");
	rc = side_title(c->out, &c->o->style, left, right);
	if (rc)
		return rc;
	if (keeper->len == text->len && !memcmp(keeper->text, text->text, text->len)) {
		fprintf(c->out, "  the same text\n");
		return 0;
	}
	rc = pair_of(&pair, keeper, text);
	if (!rc && pair.edits.count < 2 && pair.a.count == pair.b.count)
		fprintf(c->out, "  the same words, with other white space between\n");
	else
		rc = rc ? rc : side_print(c->out, &c->o->style, &pair.a, &pair.b, &pair.edits);
	pair_release(&pair);
	return rc;
}

static int print_all(const struct view *c)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < c->chosen_count; i++) {
		const struct dedup_report_cluster *of = &c->report->clusters[c->chosen[i]];
		size_t shown = shown_members(c, of);

		fprintf(c->out, "%scluster %zu: %zu documents", i ? "\n" : "", c->chosen[i] + 1,
			of->count + 1);
		fprintf(c->out,
			shown < of->count ? "; %zu of those that go, the least similar first\n" : "\n",
			shown);
		for (size_t j = 0; !rc && j < shown; j++)
			rc = print_member(c, &c->report->members[of->first + j]);
	}
	if (!c->report->cluster_count)
		fprintf(c->out, "no record went for another\n");
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

static int member_object(json_t *to, const struct view *c, const struct dedup_report_member *member)
{
	const struct dedup_report_text *keeper = text_of(c, member->keeper), *text = text_of(c, member->id);
	char name[DEDUP_PLACE];
	json_t *edits = json_array();
	int rc = edits_of(edits, keeper, text);

	json_array_append_new(to,
		json_pack("{s:s, s:s, s:f, s:o, s:o}", "id", dedup_report_name(name, c->report, member->id),
			"method", dedup_how_name((enum dedup_how)member->how), "similarity",
			(double)member->similarity, "text", json_stringn_nocheck(text->text, text->len),
			"edits", edits));
	return rc;
}

static int print_object(const struct view *c)
{
	json_t *list = json_array(), *all = json_pack("{s:o}", "clusters", list);
	int rc = 0;

	for (size_t i = 0; !rc && i < c->chosen_count; i++) {
		const struct dedup_report_cluster *of = &c->report->clusters[c->chosen[i]];
		const struct dedup_report_member *members = c->report->members + of->first;
		const struct dedup_report_text *keeper = text_of(c, members->keeper);
		json_t *shown = json_array();
		char name[DEDUP_PLACE];

		json_array_append_new(
			list, json_pack("{s:s, s:I, s:o, s:o}", "keeper",
				      dedup_report_name(name, c->report, members->keeper), "size",
				      (json_int_t)of->count + 1, "text",
				      json_stringn_nocheck(keeper->text, keeper->len), "members", shown));
		for (size_t j = 0; !rc && j < shown_members(c, of); j++)
			rc = member_object(shown, c, &members[j]);
	}
	if (!rc) {
		json_dumpf(all, c->out, JSON_INDENT(2));
		fputc('\n', c->out);
	}
	json_decref(all);
	return rc;
}

int dedup_view(FILE *out, struct dedup_report *report, const struct dedup_view_options *options,
	const char **unknown)
{
	struct view c = {.out = out, .report = report, .o = options};
	int rc = choose(&c, unknown);

	rc = rc ? rc : read_texts(&c);
	rc = rc ? rc : options->json ? print_object(&c) : print_all(&c);
	for (size_t i = 0; i < c.text_count; i++)
		free(c.texts[i].text);
	free(c.texts);
	free(c.chosen);
	return rc;
}
