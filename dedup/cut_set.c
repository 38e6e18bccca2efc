#include "dedup/cut_set.h"

#include <errno.h>
#include <stdlib.h>

#include "store/util/bytes.h"

#define PIECE 16384u /* cuts of a run, or those of one line */

void dedup_cut_set_init(struct dedup_cut_set *set, const struct dedup_work *work)
{
	*set = (struct dedup_cut_set){.work = work, .table = {.fd = -1}};
}

void dedup_cut_set_release(struct dedup_cut_set *set)
{
	dedup_cuts_release(&set->all);
	dedup_table_close(&set->table);
	dedup_cut_set_init(set, NULL);
}

uint64_t dedup_cut_set_memory(const struct dedup_cut_set *set)
{
	return set->all.capacity * sizeof *set->all.v + set->table.run_count * sizeof *set->table.runs;
}

void dedup_cut_reader_release(struct dedup_cut_reader *reader)
{
	dedup_cuts_release(&reader->part);
	reader->run = 0;
}

static int load(const struct dedup_cut_set *set, struct dedup_cut_reader *reader, size_t run)
{
	struct dedup_cursor c;
	const uint8_t *record;
	int rc;

	reader->part.count = 0;
	reader->run = 0;
	dedup_cursor_open(&c, &set->table, run);
	while ((rc = dedup_cursor_peek(&c, DEDUP_TRIPLE, &record)) > 0) {
		rc = dedup_cuts_add(&reader->part,
			(struct dedup_cut){get_be32(record), get_be32(record + 4), get_be32(record + 8)});
		if (rc)
			break;
		dedup_cursor_skip(&c, DEDUP_TRIPLE);
	}
	dedup_cursor_close(&c);
	reader->run = rc ? 0 : run + 1;
	return rc;
}

/* The last run that begins with the line or one before it. */
static size_t run_of(const struct dedup_table *table, uint32_t id)
{
	size_t low = 0, high = table->run_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (table->runs[middle].part <= id)
			low = middle;
		else
			high = middle;
	}
	return low;
}

int dedup_cut_set_of(const struct dedup_cut_set *set, struct dedup_cut_reader *reader, uint32_t id,
	const struct dedup_cut **cuts, size_t *count)
{
	const struct dedup_cuts *all = &set->all;

	*count = 0;
	*cuts = NULL;
	if (!set->count)
		return 0;
	if (set->table.fd >= 0) {
		size_t run = run_of(&set->table, id);
		int rc = reader->run == run + 1 ? 0 : load(set, reader, run);

		if (rc)
			return rc;
		all = &reader->part;
	}
	*cuts = dedup_cuts_of(all, id, count);
	return 0;
}

/* The lines of a set, one after the other. */
struct lines {
	const struct dedup_cut_set *set;
	struct dedup_cut_reader reader;
	size_t run, at;
};

/* 1: the next line's cuts. */
static int next_line(struct lines *l, struct dedup_cuts *line)
{
	bool in_memory = l->set->table.fd < 0;
	const struct dedup_cuts *all = in_memory ? &l->set->all : &l->reader.part;
	int rc = 0;

	line->count = 0;
	while (!rc && l->at == all->count && !in_memory && l->run < l->set->table.run_count) {
		rc = load(l->set, &l->reader, l->run++);
		l->at = 0;
	}
	while (!rc && l->at < all->count && (!line->count || all->v[l->at].id == line->v->id))
		rc = dedup_cuts_add(line, all->v[l->at++]);
	return rc ? rc : line->count > 0;
}

/* What was found, line by line. */
struct found {
	struct dedup_sequence sequence;
	struct dedup_triple ahead;
	int more;
};

static int next_found(struct found *f, struct dedup_cuts *line, void (*fix)(struct dedup_cuts *line))
{
	line->count = 0;
	while (!line->count && f->more > 0) {
		uint32_t id = f->ahead.a;

		while (f->more > 0 && f->ahead.a == id) {
			int rc = dedup_cuts_add(line, (struct dedup_cut){id, f->ahead.b, f->ahead.c});

			if (rc)
				return rc;
			f->more = dedup_sequence_next(&f->sequence, &f->ahead);
		}
		fix(line); /* of which nothing may be left */
	}
	return f->more < 0 ? f->more : line->count > 0;
}

struct writer {
	struct dedup_cut_set *set;
	struct dedup_table_writer file; /* where there is a work */
	size_t run;			/* cuts of the run */
};

static int put_line(struct writer *w, const struct dedup_cuts *line)
{
	int rc = 0;

	w->set->count += line->count;
	if (!w->set->work)
		return dedup_cuts_add_all(&w->set->all, line);
	if (!w->file.run_count || w->run + line->count > PIECE) {
		rc = dedup_table_begin(&w->file, line->v->id);
		w->run = 0;
	}
	w->run += line->count;
	for (size_t i = 0; !rc && i < line->count; i++) {
		uint8_t record[DEDUP_TRIPLE];

		put_be32(record, line->v[i].id);
		put_be32(record + 4, line->v[i].from);
		put_be32(record + 8, line->v[i].to);
		rc = dedup_table_put(&w->file, record, sizeof record);
	}
	return rc;
}

static int finish(struct writer *w)
{
	const struct dedup_work *work = w->set->work;
	int rc;

	if (!work)
		return 0;
	rc = dedup_table_finish(&w->file);
	rc = rc ? rc : dedup_work_load(work, "cuts", 0, DEDUP_TABLE_TRIPLES, &w->set->table);
	return rc ? rc : dedup_work_unname(work, "cuts", 0);
}

static int compose(
	struct lines *old, struct found *found, void (*fix)(struct dedup_cuts *line), struct writer *w)
{
	struct dedup_cuts earlier = {0}, later = {0};
	int a = next_line(old, &earlier), b = next_found(found, &later, fix), rc = 0;

	while (a >= 0 && b >= 0 && a + b && !rc) {
		bool has_old = a && (!b || earlier.v->id <= later.v->id);
		bool has_new = b && (!a || later.v->id <= earlier.v->id);

		if (has_old && has_new)
			rc = dedup_cuts_compose(&earlier, &later);
		rc = rc ? rc : put_line(w, has_old ? &earlier : &later);
		a = has_old ? next_line(old, &earlier) : a;
		b = has_new ? next_found(found, &later, fix) : b;
	}
	dedup_cuts_release(&earlier);
	dedup_cuts_release(&later);
	return rc ? rc : a < 0 ? a : b < 0 ? b : 0;
}

int dedup_cut_set_add(
	struct dedup_cut_set *set, const struct dedup_sorter *sorter, void (*fix)(struct dedup_cuts *line))
{
	struct dedup_cut_set all;
	struct writer w = {.set = &all, .file = {.fd = -1}};
	struct lines old = {.set = set};
	struct found found = {.more = 0};
	int rc = dedup_sequence_open(&found.sequence, sorter);

	dedup_cut_set_init(&all, set->work);
	found.more = rc ? 0 : dedup_sequence_next(&found.sequence, &found.ahead);
	if (!rc && set->work)
		rc = dedup_work_create(set->work, "cuts", 0, DEDUP_TABLE_TRIPLES, &w.file);
	rc = rc ? rc : compose(&old, &found, fix, &w);
	rc = rc ? rc : finish(&w);
	dedup_table_drop(&w.file);
	dedup_sequence_close(&found.sequence);
	dedup_cut_reader_release(&old.reader);
	if (rc) {
		dedup_cut_set_release(&all);
		return rc;
	}
	dedup_cut_set_release(set);
	*set = all;
	return 0;
}

int dedup_cut_set_take(struct dedup_cut_set *set, struct dedup_cuts *cuts)
{
	struct lines lines = {.set = set};
	struct dedup_cuts line = {0};
	int rc = 0, more = 0;

	if (set->table.fd < 0) {
		*cuts = set->all;
		set->all = (struct dedup_cuts){0};
	} else {
		while (!rc && (more = next_line(&lines, &line)) > 0)
			rc = dedup_cuts_add_all(cuts, &line);
	}
	dedup_cuts_release(&line);
	dedup_cut_reader_release(&lines.reader);
	dedup_cut_set_release(set);
	return rc ? rc : more;
}
