#include "tools/dedup/stage.h"

#include <string.h>

#include "dedup/stages.h"
#include "tools/dedup/complain.h"
#include "tools/tool.h"

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

int dedup_stage_check(const struct dedup_command *c)
{
	const struct mithril_dedup_options *d = &c->asked;
	const struct stage *stage = find(c->stage);

	if (!stage)
		return dedup_complain(TOOL_USAGE, *c->stage ? c->stage : "stage", NULL,
			"not sketch, band, group, gather, verify, cluster or filter");
	if (!d->work)
		return dedup_complain(TOOL_USAGE, "stage", NULL, "--work says where its files are");
	if (c->shard >= (d->shards ? d->shards : 1) || (stage->is_whole && c->shard))
		return dedup_complain(TOOL_USAGE, "--shard", NULL, "there is no such shard of this stage");
	if (stage->run == dedup_stage_filter && d->on_error == MITHRIL_DEDUP_QUARANTINE && d->shards > 1)
		return dedup_complain(TOOL_USAGE, "--on-error quarantine", NULL, "this needs --shards 1");
	if (dedup_asks_to_cut(d))
		return dedup_complain(TOOL_USAGE, "stage", NULL,
			"lines, paragraphs and substrings are cut out of all files at once");
	if (stage->run == dedup_stage_filter && !d->output && !d->duplicates && !d->clusters && !d->mask)
		return dedup_complain(TOOL_USAGE, "filter", NULL, "say with -o where the output goes");
	return -1;
}

int dedup_stage_run(const struct dedup_command *c, struct dedup_result *result)
{
	struct dedup_work work;
	int rc = dedup_work_open(&work, &c->job.options);

	*result = (struct dedup_result){0};
	rc = rc ? rc : find(c->stage)->run(&work, c->shard, result);
	return dedup_stages_blame(&work, rc, result);
}
