#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/notes.h"
#include "dedup/saved.h"
#include "dedup/spill/record.h"
#include "dedup/stages.h"

#define TIES UINT32_MAX /* the part after those of the lines */

enum { CANDIDATES, REJECTED, JOINED, EXACT }; /* counts of the outcome */

/* A tie binds lines that stand for texts; that keepers stay is looked at afterwards. */
static int tie_run(const struct dedup_table *table, size_t run, struct dedup_outcome *outcome, bool is_new)
{
	uint32_t lines = dedup_outcome_lines(outcome);
	struct dedup_cursor c;
	const uint8_t *tie;
	int rc;

	dedup_cursor_open(&c, table, run);
	while ((rc = dedup_cursor_peek(&c, DEDUP_TIE, &tie)) > 0) {
		uint32_t id = get_be32(tie), keeper = get_be32(tie + 4), bits = get_be32(tie + 8);
		float similarity;

		memcpy(&similarity, &bits, sizeof similarity);
		if (id >= lines || keeper >= lines || id == keeper || !(similarity >= 0 && similarity <= 1) ||
			*dedup_lines_at(&outcome->lines, id) != (is_new ? id : keeper))
			rc = -EBADMSG;
		else
			rc = dedup_outcome_tie(outcome, id, keeper, (double)similarity);
		if (rc)
			break;
		dedup_cursor_skip(&c, DEDUP_TIE);
	}
	dedup_cursor_close(&c);
	return rc;
}

/* Every line leads to one that stays, in two steps at most. */
static int check(const struct dedup_outcome *outcome)
{
	uint32_t lines = dedup_outcome_lines(outcome);

	for (uint32_t id = 0; id < lines; id++) {
		uint32_t to = *dedup_lines_at(&outcome->lines, id);
		float similarity;
		bool tied = dedup_outcome_is_tied(outcome, id, &similarity);

		if (to >= DEDUP_LINE_GONE)
			continue;
		if (to >= lines || (tied && *dedup_lines_at(&outcome->lines, to) != to))
			return -EBADMSG;
		to = *dedup_lines_at(&outcome->lines, to);
		if (to >= lines || *dedup_lines_at(&outcome->lines, to) != to)
			return -EBADMSG;
	}
	return 0;
}

/* The lines of all shards. */
static int get_lines(const struct dedup_table *table, const struct dedup_work *work, const uint32_t *bases,
	struct dedup_outcome *outcome)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < work->shards; i++)
		rc = dedup_lines_get(table, i, &outcome->lines, bases[i], bases[i + 1] - bases[i]);
	return rc;
}

static int put_ties(struct dedup_table_writer *w, const struct dedup_outcome *outcome)
{
	int rc = dedup_table_begin(w, TIES);

	for (uint32_t id = 0; !rc && id < dedup_outcome_lines(outcome); id++) {
		uint8_t bytes[DEDUP_TIE];
		float similarity;
		uint32_t bits;

		if (!dedup_outcome_is_tied(outcome, id, &similarity))
			continue;
		memcpy(&bits, &similarity, sizeof bits);
		put_be32(bytes, id);
		put_be32(bytes + 4, *dedup_lines_at(&outcome->lines, id));
		put_be32(bytes + 8, bits);
		rc = dedup_table_put(w, bytes, sizeof bytes);
	}
	return rc;
}

static int take_all_ties(
	const struct dedup_work *work, struct dedup_outcome *outcome, struct dedup_table_writer *w)
{
	struct dedup_table *tables;
	int rc;

	if (!dedup_method_compares(work->options->method))
		return 0;
	rc = dedup_work_load_all(work, "ties", DEDUP_TABLE_TIES, &tables);
	for (unsigned i = 0; !rc && i < work->shards; i++) {
		for (unsigned k = CANDIDATES; k <= JOINED; k++)
			w->counts[k] += tables[i].counts[k];
		for (size_t run = 0; !rc && run < tables[i].run_count; run++)
			rc = tie_run(&tables[i], run, outcome, true);
	}
	dedup_work_unload(work, tables);
	return rc;
}

static int save(const struct dedup_work *work, const uint32_t *bases, struct dedup_outcome *outcome)
{
	struct dedup_table lines = {.fd = -1};
	struct dedup_table_writer w;
	int rc = dedup_work_create(work, "outcome", 0, DEDUP_TABLE_OUTCOME, &w);

	rc = rc ? rc : dedup_work_load(work, "lines", 0, DEDUP_TABLE_LINES, &lines);
	rc = rc ? rc : get_lines(&lines, work, bases, outcome);
	w.counts[EXACT] = rc ? 0 : lines.counts[0];
	rc = rc ? rc : take_all_ties(work, outcome, &w);
	rc = rc ? rc : check(outcome);
	rc = rc ? rc : dedup_lines_put(&w, &outcome->lines, bases, work->shards);
	rc = rc ? rc : put_ties(&w, outcome);
	rc = rc ? rc : dedup_table_finish(&w);
	dedup_table_drop(&w);
	dedup_table_close(&lines);
	return rc;
}

int dedup_stage_cluster(const struct dedup_work *work, struct dedup_result *result)
{
	struct dedup_outcome outcome = {0};
	struct dedup_result counted = {0};
	struct dedup_table done;
	uint32_t *bases;
	int rc = dedup_work_load(work, "outcome", 0, DEDUP_TABLE_OUTCOME, &done);

	(void)result;
	dedup_table_close(&done);
	if (rc != -ENOENT)
		return rc;
	bases = calloc(work->shards + 1, sizeof *bases);
	rc = bases ? dedup_outcome_init(&outcome, work->options->inputs->count) : -ENOMEM;
	rc = rc ? rc : dedup_notes_count(work, &outcome, bases, &counted);
	rc = rc ? rc : save(work, bases, &outcome);
	dedup_outcome_release(&outcome);
	free(bases);
	return rc;
}

static uint64_t count_marks(const struct dedup_outcome *outcome, uint32_t mark)
{
	uint64_t count = 0;

	for (uint32_t id = 0; id < dedup_outcome_lines(outcome); id++)
		count += *dedup_lines_at(&outcome->lines, id) == mark;
	return count;
}

int dedup_stages_outcome(
	const struct dedup_work *work, struct dedup_outcome *outcome, struct dedup_result *result)
{
	struct dedup_table table = {.fd = -1};
	uint32_t *bases = calloc(work->shards + 1, sizeof *bases);
	int rc = bases ? dedup_notes_count(work, outcome, bases, result) : -ENOMEM;

	rc = rc ? rc : dedup_work_load(work, "outcome", 0, DEDUP_TABLE_OUTCOME, &table);
	rc = rc ? rc : get_lines(&table, work, bases, outcome);
	for (size_t run = 0; !rc && run < table.run_count; run++)
		if (table.runs[run].part == TIES)
			rc = tie_run(&table, run, outcome, false);
	rc = rc ? rc : check(outcome);
	if (!rc) {
		result->candidates = table.counts[CANDIDATES];
		result->rejected = table.counts[REJECTED];
		result->near = table.counts[JOINED];
		result->exact = table.counts[EXACT];
		result->against = count_marks(outcome, DEDUP_LINE_AGAINST);
		result->distinct = result->documents - result->against - result->exact;
	}
	dedup_table_close(&table);
	free(bases);
	return rc;
}
