#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dedup/beside.h"
#include "dedup/work.h"
#include "dedup/write/outfile.h"

enum { PROCESS, PLACE }; /* counts */

/* Where the output goes. */
static uint64_t place_of(const struct dedup_options *o)
{
	const char *names[] = {o->output, o->duplicates, o->clusters, o->mask, o->record};
	uint64_t hash = 0;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		hash = XXH3_64bits_withSeed(
			names[i] ? names[i] : "", names[i] ? strlen(names[i]) : 0, hash + 1);
	return hash;
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
	if (o->output && o->single)
		dedup_outfile_remove_left(NULL, o->output, table.counts[PROCESS]);
	for (size_t i = 0; o->output && !o->single && i < o->inputs->count; i++)
		dedup_outfile_remove_left(o->output, o->inputs->v[i].name, table.counts[PROCESS]);
	dedup_beside_remove_left(o, table.counts[PROCESS]);
	return true;
}
