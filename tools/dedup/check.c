#include <string.h>

#include "tools/dedup/complain.h"
#include "tools/dedup/options.h"
#include "tools/dedup/stage.h"
#include "tools/tool.h"

bool dedup_asks_to_cut(const struct mithril_dedup_options *o)
{
	return o->line || o->paragraph || o->substring || o->substring_words;
}

static bool writes_files(const struct mithril_dedup_options *o)
{
	return o->output || o->duplicates || o->clusters || o->mask || o->record;
}

static int check_explain(const struct dedup_command *c)
{
	const struct mithril_dedup_options *o = &c->asked;

	if (dedup_asks_to_cut(o) || o->exact_field || o->against_count)
		return dedup_complain(
			TOOL_USAGE, "explain", NULL, "it compares whole texts: near, exact or simhash");
	if (writes_files(o) || o->force || c->dry_run || o->on_error != MITHRIL_DEDUP_STOP ||
		o->method == MITHRIL_DEDUP_STREAM)
		return dedup_complain(TOOL_USAGE, "explain", NULL, "it writes no files, and verifies");
	if (c->count == 2)
		return -1;
	dedup_complain(TOOL_USAGE, "explain", NULL, "two records are compared, each given as FILE:LINE");
	return dedup_wrong_usage();
}

int dedup_options_check(const struct dedup_command *c)
{
	const struct mithril_dedup_options *o = &c->asked;

	if (c->explain)
		return check_explain(c);
	if (!c->count) {
		dedup_complain(TOOL_USAGE, "FILE", NULL, "no file is named");
		return dedup_wrong_usage();
	}
	if (c->stage)
		return dedup_stage_check(c);
	if (c->shard)
		return dedup_complain(TOOL_USAGE, "--shard", NULL, "this is for single stages");
	if (o->output && !strcmp(o->output, "-"))
		return dedup_complain(TOOL_USAGE, "-o -", NULL, "the output is a directory or a file");
	if (writes_files(o) || c->dry_run)
		return -1;
	dedup_complain(TOOL_USAGE, "-o", NULL, "say where the output goes, or use --dry-run");
	return dedup_wrong_usage();
}
