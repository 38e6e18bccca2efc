#include "dedup/spill/merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

size_t dedup_merge_fixed(const struct dedup_merge_shape *shape, const uint8_t *head)
{
	(void)head;
	return shape->head;
}

/* Looks at the run's next record. 1, 0 at its end. */
static int look(struct dedup_merge *m, struct dedup_merge_run *run)
{
	const uint8_t *head;
	int rc = dedup_cursor_peek(&run->cursor, m->shape.head, &head);

	if (rc <= 0)
		return rc;
	run->size = m->shape.size(&m->shape, head);
	return run->size == SIZE_MAX ? -EBADMSG : dedup_cursor_peek(&run->cursor, run->size, &run->record);
}

static bool less(const struct dedup_merge *m, size_t a, size_t b)
{
	const struct dedup_merge_run *x = &m->runs[a], *y = &m->runs[b];
	int order = memcmp(x->record, y->record, m->shape.key);

	return order ? order < 0 : x->table < y->table;
}

static void swap(struct dedup_merge *m, size_t a, size_t b)
{
	struct dedup_merge_run one = m->runs[a];

	m->runs[a] = m->runs[b];
	m->runs[b] = one;
}

/* The heap's order, from `at` down. */
static void sift(struct dedup_merge *m, size_t at)
{
	for (;;) {
		size_t least = at, child = 2 * at + 1;

		if (child < m->count && less(m, child, least))
			least = child;
		if (child + 1 < m->count && less(m, child + 1, least))
			least = child + 1;
		if (least == at)
			return;
		swap(m, at, least);
		at = least;
	}
}

int dedup_merge_open(struct dedup_merge *m, const struct dedup_table *tables, size_t count, uint32_t part,
	const struct dedup_merge_shape *shape)
{
	size_t runs = 0;

	*m = (struct dedup_merge){.shape = *shape};
	for (size_t t = 0; t < count; t++)
		for (size_t r = 0; r < tables[t].run_count; r++)
			runs += tables[t].runs[r].part == part;
	m->runs = calloc(runs + 1, sizeof *m->runs);
	if (!m->runs)
		return -ENOMEM;
	for (size_t t = 0; t < count; t++)
		for (size_t r = 0; r < tables[t].run_count; r++) {
			struct dedup_merge_run *run = &m->runs[m->count];
			int rc;

			if (tables[t].runs[r].part != part)
				continue;
			dedup_cursor_open(&run->cursor, &tables[t], r);
			run->table = t;
			m->opened = m->count + 1;
			rc = look(m, run);
			if (rc < 0)
				return rc;
			if (rc)
				m->count++;
			else
				dedup_cursor_close(&run->cursor);
		}
	m->opened = m->count;
	for (size_t i = m->count / 2; i-- > 0;)
		sift(m, i);
	return 0;
}

void dedup_merge_close(struct dedup_merge *m)
{
	for (size_t i = 0; i < m->opened; i++)
		dedup_cursor_close(&m->runs[i].cursor);
	free(m->runs);
	*m = (struct dedup_merge){0};
}

int dedup_merge_peek(struct dedup_merge *m, const uint8_t **record, size_t *size, size_t *table)
{
	if (!m->count)
		return 0;
	*record = m->runs[0].record;
	*size = m->runs[0].size;
	*table = m->runs[0].table;
	return 1;
}

int dedup_merge_next(struct dedup_merge *m)
{
	struct dedup_merge_run *run = &m->runs[0];
	uint8_t before[64];
	int rc;

	memcpy(before, run->record, m->shape.key);
	dedup_cursor_skip(&run->cursor, run->size);
	rc = look(m, run);
	if (rc < 0)
		return rc;
	if (rc && memcmp(before, run->record, m->shape.key) > 0)
		return -EBADMSG;
	if (!rc)
		swap(m, 0, --m->count);
	sift(m, 0);
	return 0;
}
