#include "dedup/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "dedup/scanner.h"
#include "store/util/clock.h"

/* In the order in which they would be kept. */
static int compare_texts(const void *a, const void *b, void *ranks)
{
	const struct dedup_text *x = a, *y = b;

	return dedup_ranks_before(ranks, y->id, x->id) - dedup_ranks_before(ranks, x->id, y->id);
}

/* Which of several lines with one text came first to a thread is chance; which one stands for it is not. */
static int gather_texts(const struct dedup_scanner *s, struct dedup_scan *scan)
{
	size_t texts = 0;

	dedup_outcome_settle(
		s->outcome, s->options->keep == DEDUP_KEEP_FIRST ? NULL : dedup_ranks_before, s->ranks);
	for (unsigned i = 0; i < scan->threads; i++)
		texts += s->workers[i].texts.count;
	scan->texts = malloc((texts + 1) * sizeof *scan->texts);
	if (!scan->texts)
		return -ENOMEM;
	for (unsigned i = 0; i < scan->threads; i++)
		for (size_t j = 0; j < s->workers[i].texts.count; j++) {
			struct dedup_text *text = &scan->texts[scan->text_count++];

			*text = s->workers[i].texts.v[j];
			text->id = *dedup_lines_at(&s->outcome->lines, text->id);
		}
	qsort_r(scan->texts, scan->text_count, sizeof *scan->texts, compare_texts, s->ranks);
	return 0;
}

static int prepare(struct dedup_scanner *s)
{
	const struct dedup_options *o = s->options;
	bool is_stream = o->method == DEDUP_STREAM;
	int rc;

	if (getrandom(s->seeds, sizeof s->seeds, 0) != sizeof s->seeds)
		s->seeds[0] = ~(s->seeds[1] = clock_now_ns());
	s->pass = is_stream ? &dedup_stream_pass : &dedup_note_pass;
	rc = dedup_scanner_open(s, 0, o->inputs->count);
	if (rc)
		return rc;
	return is_stream ? dedup_cuckoo_init(&s->bands, o->bands.bands, o->expect, o->wrong)
			 : dedup_exact_new(&s->exact);
}

int dedup_scan(const struct dedup_options *options, struct dedup_outcome *outcome, struct dedup_ranks *ranks,
	struct dedup_scan *scan, struct dedup_result *result)
{
	struct dedup_scanner s = {.options = options, .outcome = outcome, .ranks = ranks};
	int rc;

	scan->threads = options->threads;
	scan->arenas = calloc(options->threads, sizeof *scan->arenas);
	if (!scan->arenas)
		return -ENOMEM;
	s.arenas = scan->arenas;
	rc = prepare(&s);
	if (rc)
		goto out;
	rc = dedup_scanner_run(&s, result);
	if (!rc || rc == -EBADMSG) {
		scan->faults = dedup_scanner_faults(&s, &scan->fault_count);
		rc = scan->faults ? rc : -ENOMEM;
	}
	rc = rc ? rc : gather_texts(&s, scan);
	scan->table_memory = s.exact ? dedup_exact_memory(s.exact) : dedup_cuckoo_memory(&s.bands);
	result->faults = scan->fault_count;
	result->distinct = result->documents - result->against - result->exact;
out:
	dedup_scanner_close(&s);
	return rc;
}

void dedup_scan_release(struct dedup_scan *scan)
{
	free(scan->texts);
	free(scan->faults);
	for (unsigned i = 0; scan->arenas && i < scan->threads; i++)
		dedup_arena_release(&scan->arenas[i]);
	free(scan->arenas);
	*scan = (struct dedup_scan){0};
}
