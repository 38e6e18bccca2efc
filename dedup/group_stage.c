#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/forest.h"
#include "dedup/notes.h"
#include "dedup/ranks.h"
#include "dedup/saved.h"
#include "dedup/spill/record.h"
#include "dedup/stages.h"
#include "store/util/clock.h"

struct group_stage {
	const struct dedup_work *work;
	uint32_t *bases;
	struct dedup_outcome outcome; /* lines: forest of texts, then who stays of each */
	struct dedup_ranks ranks;
	struct dedup_lines forest; /* of what hangs together, then the components */
};

static int join_edges(struct group_stage *stage, const struct dedup_table *table, size_t run)
{
	uint32_t lines = dedup_outcome_lines(&stage->outcome);
	bool same = table->runs[run].part == DEDUP_TABLE_TEXTS;
	struct dedup_cursor c;
	const uint8_t *edge;
	int rc;

	dedup_cursor_open(&c, table, run);
	while ((rc = dedup_cursor_peek(&c, DEDUP_EDGE, &edge)) > 0) {
		uint32_t a = get_be32(edge), b = get_be32(edge + 4);

		if (a >= lines || b >= lines || *dedup_lines_at(&stage->outcome.lines, a) >= lines ||
			*dedup_lines_at(&stage->outcome.lines, b) >= lines) {
			rc = -EBADMSG;
			break;
		}
		dedup_forest_join(&stage->forest, a, b);
		if (same)
			dedup_forest_join(&stage->outcome.lines, a, b);
		dedup_cursor_skip(&c, DEDUP_EDGE);
	}
	dedup_cursor_close(&c);
	return rc;
}

static int join_all(struct group_stage *stage)
{
	struct dedup_table *tables;
	int rc = dedup_work_load_all(stage->work, "edges", DEDUP_TABLE_EDGES, &tables);

	for (unsigned i = 0; !rc && i < stage->work->shards; i++)
		for (size_t run = 0; !rc && run < tables[i].run_count; run++)
			rc = join_edges(stage, &tables[i], run);
	dedup_work_unload(stage->work, tables);
	return rc;
}

static int read_ranks(struct group_stage *stage, const struct dedup_table *table, size_t run, unsigned shard)
{
	uint32_t base = stage->bases[shard], count = stage->bases[shard + 1] - base;
	struct dedup_cursor c;
	const uint8_t *text;
	int rc;

	dedup_cursor_open(&c, table, run);
	while ((rc = dedup_cursor_peek(&c, DEDUP_TEXT_RANKED, &text)) > 0) {
		uint64_t id = get_be48(text + DEDUP_TEXT_LINE);

		if (id >= count) {
			rc = -EBADMSG;
			break;
		}
		dedup_ranks_note(&stage->ranks, base + (uint32_t)id, get_be64(text + DEDUP_TEXT_RANK));
		dedup_cursor_skip(&c, DEDUP_TEXT_RANKED);
	}
	dedup_cursor_close(&c);
	return rc;
}

static int read_all_ranks(struct group_stage *stage)
{
	uint32_t lines = dedup_outcome_lines(&stage->outcome);
	struct dedup_table *tables;
	int rc = lines ? dedup_ranks_room(&stage->ranks, lines - 1) : 0;

	if (rc || !dedup_ranks_are_own(&stage->ranks))
		return rc;
	for (uint32_t id = 0; id < lines; id++) /* blank and bad ones have none */
		dedup_ranks_note(&stage->ranks, id, UINT64_MAX);
	rc = dedup_work_load_all(stage->work, "texts", DEDUP_TABLE_TEXTS, &tables);
	for (unsigned i = 0; !rc && i < stage->work->shards; i++)
		for (size_t run = 0; !rc && run < tables[i].run_count; run++)
			rc = read_ranks(stage, &tables[i], run, i);
	dedup_work_unload(stage->work, tables);
	return rc;
}

static bool test(const uint8_t *bits, uint32_t i)
{
	return bits[i / 8] >> (i % 8) & 1;
}

static void set(uint8_t *bits, uint32_t i)
{
	bits[i / 8] |= (uint8_t)(1u << (i % 8));
}

/* A text's component is the lowest line of its tree; DEDUP_LINE_GONE where nothing else is in it, and for
 * lines that do not stand for a text. */
static int find_components(struct group_stage *stage, uint64_t *exact)
{
	const struct dedup_lines *lines = &stage->outcome.lines;
	uint32_t count = dedup_outcome_lines(&stage->outcome);
	uint8_t *seen = calloc(count / 8 + 1, 1), *again = calloc(count / 8 + 1, 1);
	int rc = seen && again ? 0 : -ENOMEM;

	for (uint32_t id = 0; !rc && id < count; id++) {
		uint32_t root = dedup_forest_root(&stage->forest, id);

		if (*dedup_lines_at(lines, id) != id)
			continue;
		if (test(seen, root))
			set(again, root);
		set(seen, root);
	}
	for (uint32_t id = count; !rc && id-- > 0;) { /* from above: roots are still roots then */
		uint32_t root = dedup_forest_root(&stage->forest, id), to = *dedup_lines_at(lines, id);

		*exact += to != id && to < DEDUP_LINE_GONE;
		*dedup_lines_at(&stage->forest, id) = to == id && test(again, root) ? root : DEDUP_LINE_GONE;
	}
	free(seen);
	free(again);
	return rc;
}

static int save(const struct group_stage *stage, const char *what, enum dedup_table_kind kind,
	const struct dedup_lines *lines, uint64_t count)
{
	struct dedup_table_writer w;
	int rc = dedup_work_create(stage->work, what, 0, kind, &w);

	w.counts[0] = count;
	rc = rc ? rc : dedup_lines_put(&w, lines, stage->bases, stage->work->shards);
	rc = rc ? rc : dedup_table_finish(&w);
	dedup_table_drop(&w);
	return rc;
}

static int prepare(struct group_stage *stage)
{
	const struct dedup_options *o = stage->work->options;
	struct dedup_result counted = {0};
	uint64_t each = 9;
	uint32_t lines;
	int rc;

	stage->bases = calloc(stage->work->shards + 1, sizeof *stage->bases);
	rc = stage->bases ? dedup_notes_count(stage->work, &stage->outcome, stage->bases, &counted) : -ENOMEM;
	if (rc)
		return rc;
	each += dedup_ranks_are_own(&stage->ranks) ? 8 : 0;
	lines = dedup_outcome_lines(&stage->outcome);
	if (lines * each > o->memory)
		return -E2BIG;
	rc = dedup_notes_lines(stage->work, &stage->outcome, stage->bases);
	rc = rc || !lines ? rc : dedup_lines_room(&stage->forest, lines - 1);
	for (uint32_t id = 0; !rc && id < lines; id++)
		*dedup_lines_at(&stage->forest, id) = id;
	return rc;
}

int dedup_stage_group(const struct dedup_work *work, struct dedup_result *result)
{
	struct group_stage stage = {.work = work};
	uint64_t start = clock_now_ns(), exact = 0;
	struct dedup_table done;
	int rc = dedup_work_load(work, "lines", 0, DEDUP_TABLE_LINES, &done);

	dedup_table_close(&done);
	if (rc != -ENOENT)
		return rc;
	rc = dedup_ranks_init(&stage.ranks, work->options, &stage.outcome);
	rc = rc ? rc : dedup_outcome_init(&stage.outcome, work->options->inputs->count);
	rc = rc ? rc : prepare(&stage);
	rc = rc ? rc : join_all(&stage);
	rc = rc ? rc : read_all_ranks(&stage);
	if (!rc)
		dedup_outcome_settle(&stage.outcome, dedup_ranks_before, &stage.ranks);
	rc = rc ? rc : find_components(&stage, &exact);
	rc = rc ? rc : save(&stage, "components", DEDUP_TABLE_COMPONENTS, &stage.forest, 0);
	rc = rc ? rc : save(&stage, "lines", DEDUP_TABLE_LINES, &stage.outcome.lines, exact);
	dedup_lines_release(&stage.forest);
	dedup_ranks_release(&stage.ranks);
	dedup_outcome_release(&stage.outcome);
	free(stage.bases);
	result->times.band += (double)(clock_now_ns() - start) * 1e-9;
	return rc;
}
