#include "dedup/count.h"

#include <errno.h>
#include <pthread.h>

#include "dedup/gone.h"
#include "dedup/group/parallel.h"
#include "dedup/read/reader.h"
#include "store/util/clock.h"

struct counter {
	const struct dedup_options *options;
	const struct dedup_outcome *outcome;
	struct dedup_reader *reader;
	struct dedup_result *result;
	pthread_mutex_t lock; /* of result, lines, done and failed */
	uint64_t lines, done;
	int failed;
};

static void count_block(const struct counter *c, const struct dedup_block *block, struct dedup_result *seen)
{
	struct dedup_line line;
	size_t at = 0;

	for (uint32_t id = block->id; dedup_block_line(block, &at, &line); id++)
		if (*dedup_lines_at(&c->outcome->lines, id) == id) {
			seen->kept++;
			seen->kept_bytes += line.whole;
		} else {
			dedup_gone_add(seen->gone, c->outcome, id, line.whole);
		}
}

/* Adds a block's counts, or says why there is no more to do. */
static int add(struct counter *c, const struct dedup_block *block, int rc, const struct dedup_result *seen)
{
	const struct dedup_options *o = c->options;

	pthread_mutex_lock(&c->lock);
	c->result->kept += seen->kept;
	c->result->kept_bytes += seen->kept_bytes;
	dedup_gone_add_up(c->result->gone, seen->gone);
	c->lines += rc ? 0 : block->lines;
	c->done += block->len;
	if (rc && !c->failed)
		c->result->fault.input = &o->inputs->v[block->input];
	if (!rc && o->progress && o->progress(o->ctx, "writing", c->done, c->result->bytes))
		rc = -EINTR;
	c->failed = c->failed ? c->failed : rc;
	rc = c->failed;
	pthread_mutex_unlock(&c->lock);
	return rc;
}

static int work(void *ctx, unsigned thread)
{
	struct counter *c = ctx;
	struct dedup_block block = {0};
	uint64_t start = clock_now_ns();
	int rc = 0, more;

	(void)thread;
	while (!rc && (more = dedup_reader_next(c->reader, &block)) != 0) {
		struct dedup_result seen = {0};

		rc = more < 0 ? more : 0;
		if (!rc && block.id + block.lines > c->outcome->first_ids[block.input + 1])
			rc = -ESTALE;
		if (!rc && !block.why)
			count_block(c, &block, &seen);
		rc = add(c, &block, rc, &seen);
	}
	dedup_block_release(&block);
	pthread_mutex_lock(&c->lock);
	c->result->times.write += (double)(clock_now_ns() - start) * 1e-9;
	pthread_mutex_unlock(&c->lock);
	return rc;
}

int dedup_count(
	const struct dedup_options *o, const struct dedup_outcome *outcome, struct dedup_result *result)
{
	struct counter c = {.options = o, .outcome = outcome, .result = result};
	uint32_t first = outcome->first_ids[0];
	int rc = dedup_reader_new(o->inputs, 0, o->inputs->count, first, &c.reader);

	if (rc)
		return rc;
	pthread_mutex_init(&c.lock, NULL);
	rc = dedup_parallel(o->threads, work, &c);
	if (!rc && c.lines != dedup_outcome_lines(outcome) - first)
		rc = -ESTALE;
	pthread_mutex_destroy(&c.lock);
	dedup_reader_free(c.reader);
	return rc;
}
