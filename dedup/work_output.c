#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dedup/work.h"
#include "dedup/write/outfile.h"

enum { PROCESS, PLACE }; /* counts */

/* Where the output goes. */
static uint64_t place_of(const struct dedup_options *o)
{
	const char *output = o->output ? o->output : "", *duplicates = o->duplicates ? o->duplicates : "";

	return XXH3_64bits_withSeed(duplicates, strlen(duplicates), XXH3_64bits(output, strlen(output)));
}

int dedup_work_begin_output(const struct dedup_work *work)
{
	struct dedup_table_writer w;
	int rc = dedup_work_create(work, "output", 0, DEDUP_TABLE_OUTPUT, &w);

	w.counts[PROCESS] = (uint64_t)getpid();
	w.counts[PLACE] = place_of(work->options);
	rc = rc ? rc : dedup_table_finish(&w);
	dedup_table_drop(&w);
	return rc;
}

bool dedup_work_takes_up_output(const struct dedup_work *work)
{
	const struct dedup_options *o = work->options;
	struct dedup_table table;

	if (dedup_work_load(work, "output", 0, DEDUP_TABLE_OUTPUT, &table))
		return false;
	dedup_table_close(&table);
	if (table.counts[PLACE] != place_of(o))
		return false;
	for (size_t i = 0; o->output && i < o->inputs->count; i++)
		dedup_outfile_remove_left(o->output, o->inputs->v[i].name, table.counts[PROCESS]);
	if (o->output)
		dedup_outfile_remove_left(o->output, DEDUP_QUARANTINE_NAME, table.counts[PROCESS]);
	if (o->duplicates)
		dedup_outfile_remove_left(NULL, o->duplicates, table.counts[PROCESS]);
	return true;
}
