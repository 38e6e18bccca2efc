#include "tools/dedup/summary.h"

#include <stdio.h>

#include "dedup/record.h"
#include "tools/print.h"

static double share(uint64_t part, uint64_t of)
{
	return of ? 100.0 * (double)part / (double)of : 0;
}

static double rate(const struct dedup_result *r)
{
	return r->times.wall > 0 ? (double)r->bytes / 1e6 / r->times.wall : 0;
}

static void print_near(const struct dedup_command *c, const struct dedup_result *r)
{
	const struct dedup_options *o = &c->job.options;

	if (o->method == DEDUP_EXACT)
		printf("near    not looked for\n");
	else if (o->method == DEDUP_SIMHASH)
		printf("near    %llu duplicates with %u of 64 bits different at most (%llu pairs compared, "
		       "%llu of "
		       "them rejected)\n",
			(unsigned long long)r->near, o->distance, (unsigned long long)r->candidates,
			(unsigned long long)r->rejected);
	else if (o->method == DEDUP_STREAM)
		printf("near    %llu texts share one of %ux%u bands with an earlier one, %g of them may "
		       "not\n",
			(unsigned long long)r->near, o->bands.bands, o->bands.rows, o->wrong);
	else
		printf("near    %llu duplicates from %g on (%ux%u bands; %llu pairs compared, %llu of them "
		       "rejected)\n",
			(unsigned long long)r->near, o->threshold, o->bands.bands, o->bands.rows,
			(unsigned long long)r->candidates, (unsigned long long)r->rejected);
}

static void print_against(const struct dedup_command *c, const struct dedup_result *r)
{
	size_t few, items;

	if (!c->job.options.against)
		return;
	items = dedup_against_items(c->job.options.against, &few);
	printf("against %llu documents hit one of %zu items", (unsigned long long)r->against, items);
	if (few)
		printf("; %zu of these have too few words to be found in a longer text", few);
	putchar('\n');
}

static void print_cut(const struct dedup_command *c, const struct dedup_result *r)
{
	const struct dedup_cutting *cutting = &c->job.options.cutting;
	char cut[PRINT_AMOUNT];

	if (!cutting->line && !cutting->paragraph && !cutting->substring)
		return;
	if (cutting->drop > 0)
		printf("cut     %llu documents go of which more than %g stands earlier\n",
			(unsigned long long)r->cut_away, cutting->drop);
	else
		printf("cut     %s that stand earlier from %llu documents; %llu more had nothing else\n",
			print_bytes(cut, r->cut_bytes), (unsigned long long)r->cut,
			(unsigned long long)r->cut_away);
}

static void print_kept(const struct dedup_command *c, const struct dedup_result *r)
{
	char kept[PRINT_AMOUNT];

	printf("kept    %llu documents (%.1f %%), %s%s%s", (unsigned long long)r->kept,
		share(r->kept, r->documents), print_bytes(kept, r->kept_bytes),
		c->job.options.output ? " in " : "",
		c->job.options.output ? c->job.options.output : "; no record was written");
	if (r->faults)
		printf("; %llu bad records %s", (unsigned long long)r->faults,
			c->job.options.on_error == DEDUP_QUARANTINE ? "in quarantine" : "skipped");
	putchar('\n');
}

/* Stages that had nothing to do are left out. */
static void print_time(const struct dedup_command *c, const struct dedup_result *r)
{
	const struct dedup_times *t = &r->times;
	unsigned threads = c->job.options.threads;
	const struct {
		const char *name;
		double seconds;
	} stages[] = {{"parse", t->parse}, {"against", t->against}, {"hash", t->exact},
		{"normalise", t->normalise}, {"sketch", t->sketch}, {"band", t->band}, {"verify", t->verify},
		{"cut", t->cut}, {"write", t->write}};
	const char *before = ": ";

	printf("time    %.2f s, %.0f MB/s with %u thread%s", t->wall, rate(r), threads,
		threads == 1 ? "" : "s");
	for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
		if (stages[i].seconds < .005)
			continue;
		printf("%s%s %.2f", before, stages[i].name, stages[i].seconds);
		before = ", ";
	}
	putchar('\n');
}

void dedup_summary_print(const struct dedup_command *c, const struct dedup_result *r)
{
	char read[PRINT_AMOUNT];

	printf("read    %llu documents, %s in %zu file%s; %.0f bytes a text\n",
		(unsigned long long)r->documents, print_bytes(read, r->bytes), c->job.inputs.count,
		c->job.inputs.count == 1 ? "" : "s",
		r->documents ? (double)r->text_bytes / (double)r->documents : 0);
	print_against(c, r);
	if (c->job.options.method == DEDUP_STREAM)
		printf("exact   not looked for by itself\n");
	else
		printf("exact   %llu duplicates (%.1f %%)\n", (unsigned long long)r->exact,
			share(r->exact, r->documents));
	print_near(c, r);
	print_cut(c, r);
	print_kept(c, r);
	print_time(c, r);
}

void dedup_summary_json(const struct dedup_command *c, const struct dedup_result *r)
{
	json_t *all = dedup_record_summary(&c->job.options, r);

	print_json(all);
	json_decref(all);
}
