#include "dedup/report/diff.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "store/util/array.h"

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Bytes of a character that stands by itself; 0: it does not. */
static size_t alone(const char *text, size_t len)
{
	utf8proc_int32_t c;
	utf8proc_ssize_t bytes;
	utf8proc_category_t category;

	if (!((unsigned char)*text & 0x80))
		return 0;
	bytes = utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, &c);
	if (bytes <= 0 || utf8proc_charwidth(c) != 2)
		return 0;
	category = utf8proc_category(c);
	return category == UTF8PROC_CATEGORY_LO || category == UTF8PROC_CATEGORY_PO ||
			       category == UTF8PROC_CATEGORY_PS || category == UTF8PROC_CATEGORY_PE
		       ? (size_t)bytes
		       : 0;
}

static size_t word_end(const char *text, size_t len)
{
	size_t end = alone(text, len);

	if (end)
		return end;
	for (end = 1; end < len && !is_space(text[end]); end++)
		if (alone(text + end, len - end))
			break;
	return end;
}

int dedup_word_list_of(struct dedup_word_list *list, const char *text, size_t len)
{
	bool glued = false;

	for (size_t i = 0, end; i < len; i = end) {
		struct dedup_word *grown;

		end = i + 1;
		if (is_space(text[i])) {
			glued = false;
			continue;
		}
		end = i + word_end(text + i, len - i);
		grown = array_grow(list->v, list->count, &list->capacity, sizeof *grown);
		if (!grown)
			return -ENOMEM;
		list->v = grown;
		grown[list->count] = (struct dedup_word){text + i, end - i, 1469598103934665603u, glued};
		for (size_t j = i; j < end; j++) /* FNV-1a; words that are equal are compared too */
			grown[list->count].hash =
				(grown[list->count].hash ^ (unsigned char)text[j]) * 1099511628211u;
		list->count++;
		glued = true;
	}
	return 0;
}

void dedup_word_list_release(struct dedup_word_list *list)
{
	free(list->v);
	*list = (struct dedup_word_list){0};
}

void dedup_edits_release(struct dedup_edits *edits)
{
	free(edits->v);
	*edits = (struct dedup_edits){0};
}

static int add(struct dedup_edits *edits, enum dedup_edit_kind kind, size_t a, size_t b, size_t count)
{
	struct dedup_edit *grown;

	if (!count)
		return 0;
	if (edits->count && edits->v[edits->count - 1].kind == kind) {
		edits->v[edits->count - 1].count += count;
		return 0;
	}
	grown = array_grow(edits->v, edits->count, &edits->capacity, sizeof *grown);
	if (!grown)
		return -ENOMEM;
	edits->v = grown;
	grown[edits->count++] = (struct dedup_edit){kind, a, b, count};
	return 0;
}

/* The part of the lists between their common beginning and end. */
struct middle {
	const struct dedup_word *a, *b;
	long n, m;   /* words */
	size_t from; /* of the lists */
	/* Furthest x on each diagonal, for each number of differences: 2d + 1 of them from d * d on. */
	int *reach;
};

static bool is_same(const struct dedup_word *a, const struct dedup_word *b)
{
	return a->hash == b->hash && a->len == b->len && !memcmp(a->text, b->text, a->len);
}

static int *reach_at(const struct middle *mid, long d, long diagonal)
{
	return &mid->reach[d * d + diagonal + d];
}

static long step(const struct middle *mid, long d, long diagonal)
{
	long x = 0;

	if (d && (diagonal == -d || (diagonal != d && *reach_at(mid, d - 1, diagonal - 1) <
							      *reach_at(mid, d - 1, diagonal + 1))))
		x = *reach_at(mid, d - 1, diagonal + 1);
	else if (d)
		x = *reach_at(mid, d - 1, diagonal - 1) + 1;
	return x;
}

/* How many words differ at least; -1: more than DEDUP_DIFF_MAX. */
static long search(struct middle *mid)
{
	for (long d = 0; d <= DEDUP_DIFF_MAX && d <= mid->n + mid->m; d++)
		for (long k = -d; k <= d; k += 2) {
			long x = step(mid, d, k), y = x - k;

			while (x >= 0 && y >= 0 && x < mid->n && y < mid->m &&
				is_same(mid->a + x, mid->b + y)) {
				x++;
				y++;
			}
			*reach_at(mid, d, k) = (int)x;
			/* Diagonals between those that this step fills are never read. */
			if (x >= mid->n && y >= mid->m)
				return d;
		}
	return -1;
}

/* Backwards from the end: where the last of d differences was, and what followed it. */
static int trace(const struct middle *mid, long d, struct dedup_edit *back)
{
	long x = mid->n, y = mid->m;
	int count = 0;

	for (; d >= 0; d--) {
		long k = x - y, start = step(mid, d, k);

		back[count++] = (struct dedup_edit){
			DEDUP_EDIT_SAME, (size_t)start, (size_t)(start - k), (size_t)(x - start)};
		if (!d)
			break;
		x = start;
		y = start - k;
		if (k == -d || (k != d && *reach_at(mid, d - 1, k - 1) < *reach_at(mid, d - 1, k + 1))) {
			y--;
			back[count++] = (struct dedup_edit){DEDUP_EDIT_NEW, (size_t)x, (size_t)y, 1};
		} else {
			x--;
			back[count++] = (struct dedup_edit){DEDUP_EDIT_GONE, (size_t)x, (size_t)y, 1};
		}
	}
	return count;
}

static int diff_middle(struct dedup_edits *edits, struct middle *mid)
{
	long most = mid->n + mid->m < DEDUP_DIFF_MAX ? mid->n + mid->m : DEDUP_DIFF_MAX, d;
	struct dedup_edit *back = calloc(2 * (size_t)most + 2, sizeof *back);
	int rc = 0;

	mid->reach = calloc((size_t)(most + 1) * (size_t)(most + 1), sizeof *mid->reach);
	if (!back || !mid->reach) {
		rc = -ENOMEM;
		goto out;
	}
	d = search(mid);
	if (d < 0) {
		rc = add(edits, DEDUP_EDIT_GONE, mid->from, mid->from, (size_t)mid->n);
		rc = rc ? rc
			: add(edits, DEDUP_EDIT_NEW, mid->from + (size_t)mid->n, mid->from, (size_t)mid->m);
		goto out;
	}
	for (int i = trace(mid, d, back) - 1; !rc && i >= 0; i--)
		rc = add(edits, back[i].kind, mid->from + back[i].a, mid->from + back[i].b, back[i].count);
out:
	free(mid->reach);
	free(back);
	return rc;
}

int dedup_diff(struct dedup_edits *edits, const struct dedup_word_list *a, const struct dedup_word_list *b)
{
	size_t from = 0, end = 0, least = a->count < b->count ? a->count : b->count;
	struct middle mid;
	int rc;

	while (from < least && is_same(&a->v[from], &b->v[from]))
		from++;
	while (end < least - from && is_same(&a->v[a->count - 1 - end], &b->v[b->count - 1 - end]))
		end++;
	mid = (struct middle){
		.a = a->v + from,
		.b = b->v + from,
		.n = (long)(a->count - from - end),
		.m = (long)(b->count - from - end),
		.from = from,
	};
	rc = add(edits, DEDUP_EDIT_SAME, 0, 0, from);
	if (!rc && (mid.n || mid.m))
		rc = diff_middle(edits, &mid);
	return rc ? rc : add(edits, DEDUP_EDIT_SAME, a->count - end, b->count - end, end);
}
