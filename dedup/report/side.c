#include "dedup/report/side.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/report/shown.h"

#define GAP 3u /* columns between the sides */

enum mark { SAME, ONLY };

/* The row at hand: a line of each side. */
struct row {
	FILE *out;
	const struct side_style *style;
	size_t columns, room; /* of a side; bytes of a line */
	char *lines[2], *word;
	size_t lens[2], used[2]; /* bytes, columns */
	bool glued;		 /* the word at hand stands close to the one before */
	bool marked[2];		 /* the line ends with a mark, which the next word that is marked goes into */
};

static int row_init(struct row *row, FILE *out, const struct side_style *style)
{
	size_t columns = (style->width - GAP) / 2;

	/* A word of a column each, with its colours. */
	*row = (struct row){.out = out, .style = style, .columns = columns, .room = 24 * columns + 64};
	for (int i = 0; i < 2; i++)
		row->lines[i] = calloc(1, row->room);
	row->word = malloc(DEDUP_SHOWN_BYTES(columns));
	return row->lines[0] && row->lines[1] && row->word ? 0 : -ENOMEM;
}

static void row_release(struct row *row)
{
	free(row->lines[0]);
	free(row->lines[1]);
	free(row->word);
}

static void row_end(struct row *row)
{
	if (row->used[0] || row->used[1])
		fprintf(row->out, "%s%*s | %s\n", row->lines[0], (int)(row->columns - row->used[0]), "",
			row->lines[1]);
	for (int i = 0; i < 2; i++) {
		row->lens[i] = row->used[i] = 0;
		row->marked[i] = false;
		row->lines[i][0] = 0;
	}
}

static const char *before(const struct row *row, int side, enum mark mark)
{
	if (mark == SAME)
		return "";
	if (row->style->colour)
		return side ? "\033[32m" : "\033[31m";
	return side ? "{+" : "[-";
}

static const char *after(const struct row *row, int side, enum mark mark)
{
	if (mark == SAME)
		return "";
	return row->style->colour ? "\033[0m" : side ? "+}" : "-]";
}

/* Columns that a word of so many takes, its blank and marks included. */
static size_t columns_of(const struct row *row, int side, enum mark mark, size_t used)
{
	bool goes_on = mark == ONLY && row->marked[side];

	return (row->used[side] > 0 && !row->glued) + used +
	       (mark == SAME || goes_on || row->style->colour ? 0 : 4);
}

/* Puts what `word` holds, `used` columns wide. */
static void row_put(struct row *row, int side, enum mark mark, size_t used)
{
	const char *b = before(row, side, mark), *a = after(row, side, mark);
	bool goes_on = mark == ONLY && row->marked[side];
	size_t from = row->lens[side] - (goes_on ? strlen(a) : 0);
	const char *gap = row->glued ? "" : " ";
	int n = snprintf(row->lines[side] + from, row->room - from, "%s%s%s%s",
		row->used[side] && !goes_on ? gap : "", goes_on ? gap : b, row->word, a);

	if (n < 0 || (size_t)n >= row->room - from) {
		row->lines[side][row->lens[side]] = 0; /* it has more marks than there is room for */
		return;
	}
	row->used[side] += columns_of(row, side, mark, used);
	row->lens[side] = from + (size_t)n;
	row->marked[side] = mark == ONLY;
}

static bool fits(const struct row *row, int side, enum mark mark, size_t used)
{
	return row->used[side] + columns_of(row, side, mark, used) <= row->columns;
}

/* A word on one side, or on both; one that is longer than a line goes on in the next. */
static void put_word(struct row *row, const struct dedup_word *word, bool left, bool right)
{
	enum mark mark = left && right ? SAME : ONLY;
	size_t marks = mark == SAME || row->style->colour ? 0 : 4;
	size_t at = 0;

	row->glued = word->glued;
	while (at < word->len) {
		size_t used, taken = dedup_shown(row->word, DEDUP_SHOWN_BYTES(row->columns), word->text + at,
				     word->len - at, row->columns - marks, &used);

		if ((left && !fits(row, 0, mark, used)) || (right && !fits(row, 1, mark, used)))
			row_end(row);
		if (left)
			row_put(row, 0, mark, used);
		if (right)
			row_put(row, 1, mark, used);
		at += taken ? taken : 1;
	}
}

static void put_words(
	struct row *row, const struct dedup_word_list *list, size_t from, size_t count, bool left, bool right)
{
	for (size_t i = 0; i < count; i++)
		put_word(row, &list->v[from + i], left, right);
}

static void put_same(struct row *row, const struct dedup_word_list *left, const struct dedup_edit *edit,
	bool is_first, bool is_last)
{
	size_t context = row->style->context, head = is_first ? 0 : context, tail = is_last ? 0 : context;

	if (edit->count <= head + tail + 1) {
		put_words(row, left, edit->a, edit->count, true, true);
		return;
	}
	put_words(row, left, edit->a, head, true, true);
	row_end(row);
	fprintf(row->out, "  ... %zu words that are the same ...\n", edit->count - head - tail);
	put_words(row, left, edit->a + edit->count - tail, tail, true, true);
}

int side_print(FILE *out, const struct side_style *style, const struct dedup_word_list *left,
	const struct dedup_word_list *right, const struct dedup_edits *edits)
{
	struct row row;
	int rc = row_init(&row, out, style);

	for (size_t i = 0; !rc && i < edits->count; i++) {
		const struct dedup_edit *edit = &edits->v[i];

		if (edit->kind == DEDUP_EDIT_SAME)
			put_same(&row, left, edit, !i, i + 1 == edits->count);
		else if (edit->kind == DEDUP_EDIT_GONE)
			put_words(&row, left, edit->a, edit->count, true, false);
		else
			put_words(&row, right, edit->b, edit->count, false, true);
	}
	if (!rc)
		row_end(&row);
	row_release(&row);
	return rc;
}

/* One below the other, in full. */
static int put_titles(FILE *out, const char *const titles[2])
{
	static const char *const sides[2] = {"left:  ", "right: "};

	for (int i = 0; i < 2; i++) {
		size_t used, columns = 2 * strlen(titles[i]), room = DEDUP_SHOWN_BYTES(columns);
		char *shown = malloc(room);

		if (!shown)
			return -ENOMEM;
		dedup_shown(shown, room, titles[i], strlen(titles[i]), columns, &used);
		fprintf(out, "%s%s\n", sides[i], shown);
		free(shown);
	}
	return 0;
}

int side_title(FILE *out, const struct side_style *style, const char *left, const char *right)
{
	const char *titles[2] = {left, right};
	struct row row;
	bool fit = true;
	int rc = row_init(&row, out, style);

	for (int i = 0; !rc && fit && i < 2; i++) {
		size_t used, len = strlen(titles[i]);

		fit = dedup_shown(row.word, DEDUP_SHOWN_BYTES(row.columns), titles[i], len, row.columns,
			      &used) == len;
		row_put(&row, i, SAME, used);
	}
	if (!rc && fit)
		row_end(&row);
	else if (!rc)
		rc = put_titles(out, titles);
	row_release(&row);
	return rc;
}
