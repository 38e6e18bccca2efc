#include "dedup/notes.h"

#include <errno.h>
#include <string.h>

#include "dedup/read/reader.h"
#include "dedup/spill/record.h"

enum { MARKS, FIRSTS, FAULTS };			   /* parts */
enum { LINES, DOCUMENTS, BYTES, TEXT_BYTES, BAD }; /* counts */

int dedup_notes_done(const struct dedup_work *work, unsigned shard)
{
	struct dedup_table table;
	int rc = dedup_work_load(work, "notes", shard, DEDUP_TABLE_NOTES, &table);

	dedup_table_close(&table);
	return rc;
}

int dedup_notes_create(struct dedup_notes_writer *w, const struct dedup_work *work, unsigned shard)
{
	w->count = 0;
	return dedup_work_create(work, "notes", shard, DEDUP_TABLE_NOTES, &w->file);
}

static int flush(struct dedup_notes_writer *w)
{
	int rc = w->count ? dedup_table_begin(&w->file, MARKS) : 0;

	rc = rc ? rc : dedup_table_put(&w->file, w->waiting, w->count * 8);
	w->count = 0;
	return rc;
}

int dedup_notes_mark(struct dedup_notes_writer *w, uint32_t id, uint32_t mark)
{
	put_be32(w->waiting + w->count * 8, id);
	put_be32(w->waiting + w->count * 8 + 4, mark);
	return ++w->count < DEDUP_NOTES_WAIT ? 0 : flush(w);
}

static int put_firsts(
	struct dedup_notes_writer *w, const struct dedup_outcome *outcome, size_t first, size_t end)
{
	int rc = dedup_table_begin(&w->file, FIRSTS);

	for (size_t i = first; !rc && i < end; i++) {
		uint8_t bytes[4];

		put_be32(bytes, outcome->first_ids[i + 1]);
		rc = dedup_table_put(&w->file, bytes, sizeof bytes);
	}
	return rc;
}

/* For who reads them: file 4, line in it 8, length of the reason 4, the reason. */
static int put_faults(struct dedup_notes_writer *w, const struct dedup_scan_fault *faults, size_t count)
{
	int rc = dedup_table_begin(&w->file, FAULTS);

	for (size_t i = 0; !rc && i < count; i++) {
		uint8_t head[16];

		put_be32(head, faults[i].input);
		put_be64(head + 4, faults[i].line);
		put_be32(head + 12, (uint32_t)strlen(faults[i].why));
		rc = dedup_table_put(&w->file, head, sizeof head);
		rc = rc ? rc : dedup_table_put(&w->file, faults[i].why, strlen(faults[i].why));
	}
	return rc;
}

int dedup_notes_finish(struct dedup_notes_writer *w, const struct dedup_outcome *outcome, size_t first,
	size_t end, const struct dedup_scan_fault *faults, size_t fault_count,
	const struct dedup_result *seen)
{
	int rc = flush(w);

	rc = rc ? rc : put_firsts(w, outcome, first, end);
	rc = rc ? rc : put_faults(w, faults, fault_count);
	w->file.counts[LINES] = outcome->first_ids[end];
	w->file.counts[DOCUMENTS] = seen->documents;
	w->file.counts[BYTES] = seen->bytes;
	w->file.counts[TEXT_BYTES] = seen->text_bytes;
	w->file.counts[BAD] = fault_count;
	return rc ? rc : dedup_table_finish(&w->file);
}

void dedup_notes_drop(struct dedup_notes_writer *w)
{
	dedup_table_drop(&w->file);
}

/* The shard's files follow those before. */
static int count_shard(const struct dedup_work *work, unsigned shard, const struct dedup_table *table,
	struct dedup_outcome *outcome, uint32_t base)
{
	size_t first, end, run = 0;
	struct dedup_cursor c;
	uint32_t last = 0;
	int rc = 0;

	dedup_work_inputs(work, shard, &first, &end);
	while (run < table->run_count && table->runs[run].part != FIRSTS)
		run++;
	if (run == table->run_count)
		return -EBADMSG;
	dedup_cursor_open(&c, table, run);
	for (size_t i = first; !rc && i < end; i++) {
		uint8_t bytes[4];

		rc = dedup_cursor_read(&c, bytes, sizeof bytes);
		if (!rc && get_be32(bytes) < last)
			rc = -EBADMSG;
		last = rc ? last : get_be32(bytes);
		outcome->first_ids[i + 1] = base + last;
	}
	if (!rc && last != table->counts[LINES])
		rc = -EBADMSG;
	dedup_cursor_close(&c);
	return rc;
}

int dedup_notes_count(const struct dedup_work *work, struct dedup_outcome *outcome, uint32_t *bases,
	struct dedup_result *result)
{
	int rc = 0;

	bases[0] = 0;
	for (unsigned i = 0; !rc && i < work->shards; i++) {
		struct dedup_table table;

		rc = dedup_work_load(work, "notes", i, DEDUP_TABLE_NOTES, &table);
		if (!rc && table.counts[LINES] > DEDUP_LINES_MAX - bases[i])
			rc = -EOVERFLOW;
		bases[i + 1] = bases[i] + (rc ? 0 : (uint32_t)table.counts[LINES]);
		rc = rc ? rc : count_shard(work, i, &table, outcome, bases[i]);
		if (!rc) {
			result->documents += table.counts[DOCUMENTS];
			result->bytes += table.counts[BYTES];
			result->text_bytes += table.counts[TEXT_BYTES];
			result->faults += table.counts[BAD];
		}
		dedup_table_close(&table);
	}
	return rc;
}

static int mark_run(const struct dedup_table *table, size_t run, const struct dedup_outcome *outcome,
	uint32_t base, uint32_t end)
{
	struct dedup_cursor c;
	const uint8_t *bytes;
	int rc;

	dedup_cursor_open(&c, table, run);
	while ((rc = dedup_cursor_peek(&c, 8, &bytes)) > 0) {
		uint32_t id = get_be32(bytes), mark = get_be32(bytes + 4);

		if (id >= end - base || mark < DEDUP_LINE_GONE) {
			rc = -EBADMSG;
			break;
		}
		*dedup_lines_at(&outcome->lines, base + id) = mark;
		dedup_cursor_skip(&c, 8);
	}
	dedup_cursor_close(&c);
	return rc;
}

int dedup_notes_lines(const struct dedup_work *work, struct dedup_outcome *outcome, const uint32_t *bases)
{
	uint32_t count = bases[work->shards];
	int rc = count ? dedup_lines_room(&outcome->lines, count - 1) : 0;

	for (uint32_t id = 0; !rc && id < count; id++)
		*dedup_lines_at(&outcome->lines, id) = id;
	for (unsigned i = 0; !rc && i < work->shards; i++) {
		struct dedup_table table;

		rc = dedup_work_load(work, "notes", i, DEDUP_TABLE_NOTES, &table);
		for (size_t run = 0; !rc && run < table.run_count; run++)
			if (table.runs[run].part == MARKS)
				rc = mark_run(&table, run, outcome, bases[i], bases[i + 1]);
		dedup_table_close(&table);
	}
	return rc;
}
