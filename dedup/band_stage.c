#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/forest.h"
#include "dedup/notes.h"
#include "dedup/spill/merge.h"
#include "dedup/spill/record.h"
#include "dedup/stages.h"
#include "store/util/clock.h"

#define PROGRESS (1u << 18) /* records between calls */

/* Pairs of neighbours with the same hash or key. Of bands only those that tell more than what is known. */
struct band_stage {
	const struct dedup_work *work;
	uint32_t *bases; /* of shards, and the end */
	struct dedup_lines forest;
	struct dedup_table_writer edges;
	uint64_t done; /* records */
};

static int put_edge(struct band_stage *stage, uint32_t a, uint32_t b)
{
	uint8_t edge[DEDUP_EDGE];

	put_be32(edge, a);
	put_be32(edge + 4, b);
	return dedup_table_put(&stage->edges, edge, sizeof edge);
}

/* A shard's own line to one of all. */
static int line_of(const struct band_stage *stage, size_t shard, const uint8_t *record, uint32_t *line)
{
	uint64_t id = get_be48(record);

	if (id >= stage->bases[shard + 1] - stage->bases[shard])
		return -EBADMSG;
	*line = stage->bases[shard] + (uint32_t)id;
	return 0;
}

/* Now and then. */
static int progress(struct band_stage *stage)
{
	const struct dedup_options *o = stage->work->options;

	return ++stage->done % PROGRESS == 0 && o->progress && o->progress(o->ctx, "merging", stage->done, 0)
		       ? -EINTR
		       : 0;
}

/* Joins each record with the one before where their first `same` bytes agree. */
static int join(struct band_stage *stage, struct dedup_merge *m, size_t same, bool all)
{
	uint8_t before[DEDUP_TEXT];
	uint32_t last = 0, line;
	const uint8_t *record;
	size_t size, shard;
	bool any = false;
	int rc;

	while ((rc = dedup_merge_peek(m, &record, &size, &shard)) > 0) {
		bool agrees = any && !memcmp(before, record, same);

		rc = line_of(stage, shard, record + same, &line);
		if (!rc && agrees && (dedup_forest_join(&stage->forest, last, line) || all))
			rc = put_edge(stage, last, line);
		memcpy(before, record, same);
		last = line;
		any = true;
		rc = rc ? rc : dedup_merge_next(m);
		rc = rc ? rc : progress(stage);
		if (rc)
			return rc;
	}
	return rc;
}

static int join_tables(struct band_stage *stage, unsigned shard, const char *what, enum dedup_table_kind kind,
	size_t size, size_t same)
{
	struct dedup_merge_shape shape = {.head = size, .key = same, .size = dedup_merge_fixed};
	struct dedup_table *tables;
	struct dedup_merge m = {0};
	int rc = dedup_work_load_all(stage->work, what, kind, &tables);

	rc = rc ? rc : dedup_table_begin(&stage->edges, kind);
	rc = rc ? rc : dedup_merge_open(&m, tables, stage->work->shards, shard, &shape);
	rc = rc ? rc : join(stage, &m, same, kind == DEDUP_TABLE_TEXTS);
	dedup_merge_close(&m);
	dedup_work_unload(stage->work, tables);
	return rc;
}

static int prepare(struct band_stage *stage, unsigned shard)
{
	struct dedup_outcome outcome;
	struct dedup_result counted = {0};
	uint32_t lines;
	int rc = dedup_outcome_init(&outcome, stage->work->options->inputs->count);

	stage->bases = calloc(stage->work->shards + 1, sizeof *stage->bases);
	if (!rc && !stage->bases)
		rc = -ENOMEM;
	rc = rc ? rc : dedup_notes_count(stage->work, &outcome, stage->bases, &counted);
	dedup_outcome_release(&outcome);
	if (rc)
		return rc;
	lines = stage->bases[stage->work->shards];
	if ((uint64_t)lines * 4 > stage->work->options->memory)
		return -E2BIG;
	rc = lines ? dedup_lines_room(&stage->forest, lines - 1) : 0;
	for (uint32_t id = 0; !rc && id < lines; id++)
		*dedup_lines_at(&stage->forest, id) = id;
	return rc ? rc : dedup_work_create(stage->work, "edges", shard, DEDUP_TABLE_EDGES, &stage->edges);
}

int dedup_stage_band(const struct dedup_work *work, unsigned shard, struct dedup_result *result)
{
	struct band_stage stage = {.work = work, .edges.fd = -1};
	size_t text = work->options->keep == DEDUP_KEEP_FIRST || work->options->keep == DEDUP_KEEP_PREFER
			      ? DEDUP_TEXT
			      : DEDUP_TEXT_RANKED;
	uint64_t start = clock_now_ns();
	struct dedup_table done;
	int rc = dedup_work_load(work, "edges", shard, DEDUP_TABLE_EDGES, &done);

	dedup_table_close(&done);
	if (rc != -ENOENT)
		return rc;
	rc = prepare(&stage, shard);
	rc = rc ? rc : join_tables(&stage, shard, "texts", DEDUP_TABLE_TEXTS, text, DEDUP_TEXT_LINE);
	rc = rc ? rc : join_tables(&stage, shard, "bands", DEDUP_TABLE_BANDS, DEDUP_BAND, DEDUP_BAND_LINE);
	rc = rc ? rc : dedup_table_finish(&stage.edges);
	dedup_table_drop(&stage.edges);
	dedup_lines_release(&stage.forest);
	free(stage.bases);
	result->times.band += (double)(clock_now_ns() - start) * 1e-9;
	return rc;
}
