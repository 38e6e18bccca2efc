#include <errno.h>
#include <string.h>

#include "dedup/gathered.h"
#include "dedup/group/near.h"
#include "dedup/spill/record.h"
#include "dedup/stages.h"

#define PER_RUN (150u << 10) /* of a merge */

struct verify_stage {
	const struct dedup_work *work;
	uint64_t memory; /* for texts */
	struct dedup_gathered block, later;
	struct dedup_table_writer ties, rest;
	bool has_rest;
	struct dedup_near_options near;
	struct dedup_near_stats stats;
	uint64_t done, of; /* texts */
};

static int put_tie(struct verify_stage *stage, const struct dedup_text *text, const struct dedup_text *anchor)
{
	uint8_t tie[DEDUP_TIE];
	uint32_t bits;

	memcpy(&bits, &text->similarity, sizeof bits);
	put_be32(tie, text->id);
	put_be32(tie + 4, anchor->id);
	put_be32(tie + 8, bits);
	return dedup_table_put(&stage->ties, tie, sizeof tie);
}

static int put_ties(struct verify_stage *stage)
{
	const struct dedup_text *v = stage->block.v;
	int rc = 0;

	for (size_t i = 0; !rc && i < stage->block.count; i++)
		if (v[i].anchor != i)
			rc = put_tie(stage, &v[i], &v[v[i].anchor]);
	return rc;
}

static int progress(void *ctx, size_t done, size_t of)
{
	const struct verify_stage *stage = ctx;
	const struct dedup_options *o = stage->work->options;

	(void)of;
	return o->progress ? o->progress(o->ctx, "comparing", stage->done + done, stage->of) : 0;
}

/* Fills the block with whole components; with the start of one that is larger by itself. 1: the last one goes
 * on; 0: no. */
static int fill(struct verify_stage *stage, struct dedup_merge *m, uint32_t *component)
{
	struct dedup_gathered *block = &stage->block;
	uint64_t room = stage->memory / 8 * 7;
	const uint8_t *record;
	size_t size, table;
	int rc;

	dedup_gathered_clear(block);
	while ((rc = dedup_merge_peek(m, &record, &size, &table)) > 0) {
		bool goes_on = block->count && get_be32(record) == *component;

		if (!goes_on && block->cost > room / 2)
			return 0;
		if (block->count && block->cost + dedup_gathered_cost(stage->near.bands, size) > room)
			return goes_on;
		*component = get_be32(record);
		rc = dedup_gathered_add(block, stage->near.bands, record, size);
		rc = rc ? rc : dedup_merge_next(m);
		if (rc)
			return rc;
	}
	return rc;
}

static int put_rest(struct verify_stage *stage, const struct dedup_text *text, uint32_t component)
{
	stage->has_rest = true;
	return dedup_gathered_put(&stage->rest, text, stage->near.bands, component);
}

/* Texts of the component that come after the block: those that the block's anchors take in are done with. */
static int look(struct verify_stage *stage, struct dedup_near *near, uint32_t component)
{
	struct dedup_gathered *later = &stage->later;
	int rc = dedup_near_look(near, later->v, later->count);

	for (size_t i = 0; !rc && i < later->count; i++) {
		const struct dedup_text *text = &later->v[i];

		if (text->anchor == DEDUP_NEAR_NONE) {
			rc = put_rest(stage, text, component);
			continue;
		}
		rc = put_tie(stage, text, &stage->block.v[text->anchor]);
		stage->done++;
	}
	dedup_gathered_clear(later);
	return rc ? rc : progress(stage, 0, 0) ? -EINTR : 0;
}

static int look_all(
	struct verify_stage *stage, struct dedup_merge *m, struct dedup_near *near, uint32_t component)
{
	uint64_t room = stage->memory / 8;
	const uint8_t *record;
	size_t size, table;
	int rc;

	while ((rc = dedup_merge_peek(m, &record, &size, &table)) > 0 && get_be32(record) == component) {
		if (stage->later.count &&
			stage->later.cost + dedup_gathered_cost(stage->near.bands, size) > room)
			rc = look(stage, near, component);
		else
			rc = 0;
		rc = rc ? rc : dedup_gathered_add(&stage->later, stage->near.bands, record, size);
		rc = rc ? rc : dedup_merge_next(m);
		if (rc)
			return rc;
	}
	return rc < 0 ? rc : look(stage, near, component);
}

/* The block by itself, then what follows of its last component against it. What is left lies in rest files,
 * taking turns. */
static int settle_part(struct verify_stage *stage, struct dedup_merge *m, uint32_t component, unsigned turn)
{
	struct dedup_near *near = NULL;
	int rc = dedup_work_create(stage->work, turn ? "rest1" : "rest0", stage->ties.runs[0].part,
		DEDUP_TABLE_SHINGLES, &stage->rest);

	stage->has_rest = false;
	rc = rc ? rc : dedup_table_begin(&stage->rest, 0);
	rc = rc ? rc : dedup_near_open(stage->block.v, stage->block.count, &stage->near, &near);
	stage->done += rc ? 0 : stage->block.count;
	rc = rc ? rc : put_ties(stage);
	rc = rc ? rc : look_all(stage, m, near, component);
	dedup_near_close(near, &stage->stats);
	rc = rc ? rc : dedup_table_finish(&stage->rest);
	dedup_table_drop(&stage->rest);
	return rc;
}

static int settle_large(struct verify_stage *stage, struct dedup_merge *m, uint32_t component)
{
	struct dedup_merge_shape shape = dedup_gathered_shape(stage->near.bands, 4);
	unsigned shard = stage->ties.runs[0].part, turn = 0;
	int rc = settle_part(stage, m, component, turn);

	while (!rc && stage->has_rest) {
		struct dedup_table table;
		struct dedup_merge rest = {0};

		rc = dedup_work_load(
			stage->work, turn ? "rest1" : "rest0", shard, DEDUP_TABLE_SHINGLES, &table);
		rc = rc ? rc : dedup_merge_open(&rest, &table, 1, 0, &shape);
		if (!rc)
			rc = fill(stage, &rest, &component);
		turn = !turn;
		rc = rc < 0 ? rc : settle_part(stage, &rest, component, turn);
		dedup_merge_close(&rest);
		dedup_table_close(&table);
	}
	return rc;
}

static int settle(struct verify_stage *stage)
{
	struct dedup_near_stats stats;
	int rc = dedup_near(stage->block.v, stage->block.count, &stage->near, &stats);

	stage->stats.candidates += stats.candidates;
	stage->stats.rejected += stats.rejected;
	stage->stats.joined += stats.joined;
	stage->stats.band_ns += stats.band_ns;
	stage->stats.verify_ns += stats.verify_ns;
	stage->done += stage->block.count;
	return rc ? rc : put_ties(stage);
}

static int go_through(struct verify_stage *stage, struct dedup_merge *m)
{
	uint32_t component = 0;
	int rc = 0;

	while (rc >= 0) {
		rc = fill(stage, m, &component);
		if (rc >= 0 && !stage->block.count)
			return 0;
		if (rc > 0)
			rc = settle_large(stage, m, component);
		else if (!rc)
			rc = settle(stage);
	}
	return rc;
}

static int prepare(struct verify_stage *stage, const struct dedup_table *tables, unsigned shard)
{
	uint64_t runs = 0, memory = stage->work->options->memory;

	for (unsigned i = 0; i < stage->work->shards; i++) {
		stage->of += tables[i].counts[0];
		for (size_t r = 0; r < tables[i].run_count; r++)
			runs += tables[i].runs[r].part == shard;
	}
	stage->memory = runs * PER_RUN < memory / 4 * 3 ? memory - runs * PER_RUN : memory / 4;
	return dedup_work_create(stage->work, "ties", shard, DEDUP_TABLE_TIES, &stage->ties);
}

static int finish(struct verify_stage *stage, struct dedup_result *result)
{
	stage->ties.counts[0] = stage->stats.candidates;
	stage->ties.counts[1] = stage->stats.rejected;
	stage->ties.counts[2] = stage->stats.joined;
	result->times.band += (double)stage->stats.band_ns * 1e-9;
	result->times.verify += (double)stage->stats.verify_ns * 1e-9;
	return dedup_table_finish(&stage->ties);
}

int dedup_stage_verify(const struct dedup_work *work, unsigned shard, struct dedup_result *result)
{
	const struct dedup_options *o = work->options;
	struct verify_stage stage = {.work = work,
		.ties.fd = -1,
		.rest.fd = -1,
		.near = {.bands = o->bands.bands,
			.simhash = o->method == DEDUP_SIMHASH,
			.distance = o->distance,
			.threads = o->threads,
			.threshold = o->threshold,
			.progress = progress}};
	struct dedup_merge_shape shape = dedup_gathered_shape(o->bands.bands, DEDUP_SHINGLES_COUNT);
	struct dedup_merge m = {0};
	struct dedup_table *tables = NULL, done;
	int rc = dedup_work_load(work, "ties", shard, DEDUP_TABLE_TIES, &done);

	dedup_table_close(&done);
	if (rc != -ENOENT)
		return rc;
	stage.near.ctx = &stage;
	rc = dedup_work_load_all(work, "shingles", DEDUP_TABLE_SHINGLES, &tables);
	rc = rc ? rc : prepare(&stage, tables, shard);
	rc = rc ? rc : dedup_table_begin(&stage.ties, shard);
	rc = rc ? rc : dedup_merge_open(&m, tables, work->shards, shard, &shape);
	rc = rc ? rc : go_through(&stage, &m);
	rc = rc ? rc : finish(&stage, result);
	dedup_table_drop(&stage.ties);
	dedup_merge_close(&m);
	dedup_work_unload(work, tables);
	dedup_gathered_release(&stage.block);
	dedup_gathered_release(&stage.later);
	return rc;
}
