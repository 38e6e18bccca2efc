#include "tools/dedup/stage.h"

#include <string.h>
#include <unistd.h>

#include "dedup/stages.h"
#include "tools/tool.h"

#define COMPRESSED 4u /* times as many bytes of text, as a guess */

static int group(const struct dedup_work *work, unsigned shard, struct dedup_result *result)
{
	(void)shard;
	return dedup_stage_group(work, result);
}

static int cluster(const struct dedup_work *work, unsigned shard, struct dedup_result *result)
{
	(void)shard;
	return dedup_stage_cluster(work, result);
}

static const struct stage {
	const char *name;
	int (*run)(const struct dedup_work *work, unsigned shard, struct dedup_result *result);
	bool is_whole; /* of all shards at once */
} stages[] = {
	{"sketch", dedup_stage_sketch, false},
	{"band", dedup_stage_band, false},
	{"group", group, true},
	{"gather", dedup_stage_gather, false},
	{"verify", dedup_stage_verify, false},
	{"cluster", cluster, true},
	{"filter", dedup_stage_filter, false},
};

static const struct stage *find(const char *name)
{
	for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
		if (!strcmp(stages[i].name, name))
			return &stages[i];
	return NULL;
}

/* Half of what the machine has. */
static uint64_t memory_by_default(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size / 2 : (uint64_t)1 << 30;
}

/* What can be done in stages. */
static bool is_for_stages(const struct dedup_options *d)
{
	return d->method != DEDUP_STREAM;
}

void dedup_stage_choose(struct dedup_options *d)
{
	uint64_t size = 0;

	for (size_t i = 0; i < d->inputs->count; i++)
		size += d->inputs->v[i].codec == DEDUP_CODEC_NONE ? d->inputs->v[i].size
								  : d->inputs->v[i].size * COMPRESSED;
	if (!d->memory && is_for_stages(d) && size > memory_by_default())
		d->memory = memory_by_default();
}

static int check_stage(const struct dedup_command *c)
{
	const struct dedup_options *d = &c->dedup;
	const struct stage *stage = find(c->stage);

	if (!stage)
		return dedup_complain(TOOL_USAGE, *c->stage ? c->stage : "stage", NULL,
			"not sketch, band, group, gather, verify, cluster or filter");
	if (!d->work)
		return dedup_complain(TOOL_USAGE, "stage", NULL, "--work says where its files are");
	if (c->shard >= (d->shards ? d->shards : 1) || (stage->is_whole && c->shard))
		return dedup_complain(TOOL_USAGE, "--shard", NULL, "there is no such shard of this stage");
	if (stage->run == dedup_stage_filter && d->on_error == DEDUP_QUARANTINE && d->shards > 1)
		return dedup_complain(TOOL_USAGE, "--on-error quarantine", NULL, "this needs --shards 1");
	if (d->cutting.line || d->cutting.paragraph || d->cutting.substring)
		return dedup_complain(TOOL_USAGE, "stage", NULL,
			"lines, paragraphs and substrings are cut out of all files at once");
	if (stage->run == dedup_stage_filter && !d->output && !d->duplicates && !d->clusters && !d->mask)
		return dedup_complain(TOOL_USAGE, "filter", NULL, "say with -o where the output goes");
	return -1;
}

int dedup_stage_finish(struct dedup_command *c)
{
	struct dedup_options *d = &c->dedup;
	int code = c->stage ? check_stage(c) : -1;

	if (code >= 0)
		return code;
	if (!c->stage && c->shard)
		return dedup_complain(TOOL_USAGE, "--shard", NULL, "this is for single stages");
	if (!d->memory && (d->work || d->shards))
		d->memory = memory_by_default();
	if (d->memory && !is_for_stages(d))
		return dedup_complain(TOOL_USAGE, "--memory", NULL, "this is for other methods than stream");
	for (int i = 0; d->work && i < c->count; i++)
		if (!strcmp(c->files[i], "-"))
			return dedup_complain(
				TOOL_USAGE, "-", NULL, "with --work, inputs are files that are there again");
	return -1;
}

int dedup_stage_run(const struct dedup_command *c, struct dedup_result *result)
{
	struct dedup_work work;
	int rc = dedup_work_open(&work, &c->dedup);

	*result = (struct dedup_result){0};
	rc = rc ? rc : find(c->stage)->run(&work, c->shard, result);
	return dedup_stages_blame(&work, rc, result);
}
