#include "dedup/filter.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "dedup/copy.h"
#include "dedup/group/parallel.h"
#include "dedup/read/reader.h"
#include "dedup/turns.h"
#include "store/util/clock.h"

struct copier {
	const struct dedup_options *options;
	const struct dedup_outcome *outcome;
	const struct dedup_cut_set *cuts;
	struct dedup_filter *filter;
	struct dedup_result *result;
	unsigned threads, teams;
	struct dedup_copy *copies; /* one a thread of a team, team by team */
	pthread_mutex_t lock;	   /* of result, done and failed */
	atomic_size_t next;
	uint64_t done;
	int failed;
};

/* The threads that copy one file, block by block. */
struct team {
	struct copier *copier;
	struct dedup_copy *copies;
	struct dedup_reader *reader;
	struct dedup_outfile *to; /* NULL: nothing is written */
	struct dedup_turns turns; /* of the blocks, by their first lines, at `to` */
	uint32_t end;		  /* of the file's lines */
	_Atomic uint32_t lines;
};

static int progress(struct copier *c, size_t bytes)
{
	const struct dedup_options *o = c->options;
	int rc = 0;

	pthread_mutex_lock(&c->lock);
	c->done += bytes;
	if (c->failed)
		rc = c->failed;
	else if (o->progress && o->progress(o->ctx, "writing", c->done, c->result->bytes))
		rc = -EINTR;
	pthread_mutex_unlock(&c->lock);
	return rc;
}

/* In their order. What is not compressed has its place then, and is written when others have theirs. */
static int put(struct team *t, struct dedup_block *block, size_t len)
{
	uint64_t off = 0;
	int rc = 0;

	/* The last line of a file may have no end; that of another file may follow. */
	if (t->copier->options->single && len && block->data[len - 1] != '\n')
		block->data[len++] = '\n';
	if (!dedup_turns_wait(&t->turns, block->id))
		return -ECANCELED;
	if (t->to->coder)
		rc = dedup_outfile_write(t->to, block->data, len);
	else
		off = dedup_outfile_claim(t->to, len);
	dedup_turns_pass(&t->turns, block->id + block->lines);
	return rc || t->to->coder ? rc : dedup_outfile_put_at(t->to, off, block->data, len);
}

static int copy_block(struct team *t, struct dedup_copy *copy, struct dedup_block *block)
{
	struct copier *c = t->copier;
	size_t len = 0;
	int rc = 0;

	if ((uint64_t)block->id + block->lines > t->end)
		return -ESTALE;
	if (!block->why)
		rc = dedup_copy_block(copy, c->options, c->outcome, c->cuts, block, &len);
	if (!rc && t->to) {
		rc = put(t, block, len);
		if (rc && rc != -ECANCELED) {
			pthread_mutex_lock(&c->lock);
			snprintf(c->result->path, sizeof c->result->path, "%s", t->to->path);
			pthread_mutex_unlock(&c->lock);
		}
	}
	t->lines += block->lines;
	return rc ? rc : progress(c, block->len);
}

static int copy_blocks(void *ctx, unsigned thread)
{
	struct team *t = ctx;
	struct copier *c = t->copier;
	struct dedup_block block = {0};
	uint64_t start = clock_now_ns();
	int rc = 0, more = 0;

	while (!rc && (more = dedup_reader_next(t->reader, &block)) > 0)
		rc = copy_block(t, &t->copies[thread], &block);
	rc = rc ? rc : more;
	if (rc)
		dedup_turns_end(&t->turns);
	dedup_block_release(&block);
	pthread_mutex_lock(&c->lock);
	c->result->times.write += (double)(clock_now_ns() - start) * 1e-9;
	if (rc && rc != -ECANCELED)
		c->failed = rc;
	pthread_mutex_unlock(&c->lock);
	return rc;
}

static int copy_lines(struct copier *c, size_t i, struct dedup_outfile *to, struct dedup_copy *copies)
{
	uint32_t id = c->outcome->first_ids[i], end = c->outcome->first_ids[i + 1];
	struct team t = {.copier = c, .copies = copies, .to = to, .end = end};
	int rc = dedup_reader_new(c->options->inputs, i, i + 1, id, &t.reader);

	if (rc)
		return rc;
	dedup_turns_init(&t.turns);
	dedup_turns_pass(&t.turns, id);
	rc = dedup_parallel(c->threads / c->teams, copy_blocks, &t);
	if (!rc && t.lines != end - id)
		rc = -ESTALE;
	dedup_turns_release(&t.turns);
	dedup_reader_free(t.reader);
	return rc == -ECANCELED ? c->failed : rc;
}

static int copy_file(struct copier *c, size_t i, struct dedup_copy *copies)
{
	const struct dedup_options *o = c->options;
	const struct dedup_input *input = &o->inputs->v[i];
	struct dedup_outfile *to = o->output ? &c->filter->files[o->single ? 0 : i] : NULL;
	int rc = 0, copied;

	if (to && !o->single)
		rc = dedup_outfile_open(to, o->output, input->name, input->codec);
	else if (to && !i)
		rc = dedup_outfile_open(to, NULL, o->output, dedup_codec_of_name(o->output));
	copied = rc ? 0 : copy_lines(c, i, to, copies);
	if (to && !rc && !copied && (!o->single || i + 1 == o->inputs->count))
		rc = dedup_outfile_finish(to);
	pthread_mutex_lock(&c->lock);
	if (rc && !*c->result->path)
		snprintf(c->result->path, sizeof c->result->path, "%s", to->path);
	if (copied && !*c->result->path && !c->result->fault.input)
		c->result->fault.input = input;
	if (rc || copied)
		c->failed = rc ? rc : copied;
	pthread_mutex_unlock(&c->lock);
	return rc ? rc : copied;
}

static int copy_files(void *ctx, unsigned team)
{
	struct copier *c = ctx;
	struct dedup_copy *copies = &c->copies[team * (c->threads / c->teams)];
	int rc = 0;
	size_t i;

	while (!rc && (i = atomic_fetch_add(&c->next, 1)) < c->options->inputs->count)
		rc = copy_file(c, i, copies);
	return rc;
}

/* Adds up what the threads have counted. */
static int count(struct copier *c, struct dedup_sorter *lines)
{
	for (unsigned i = 0; c->copies && i < c->threads; i++) {
		dedup_copy_count(&c->copies[i], c->result);
		dedup_copy_release(&c->copies[i]);
	}
	free(c->copies);
	return lines ? dedup_gone_settle(lines, c->outcome, c->result->gone) : 0;
}

int dedup_filter(const struct dedup_options *o, const struct dedup_work *work,
	const struct dedup_outcome *outcome, const struct dedup_cut_set *cuts, struct dedup_filter *filter,
	struct dedup_result *result)
{
	struct copier c = {.options = o,
		.outcome = outcome,
		.cuts = cuts,
		.filter = filter,
		.result = result,
		.threads = o->threads,
		.teams = o->threads < o->inputs->count ? o->threads : (unsigned)o->inputs->count};
	struct dedup_sorter *lines = NULL;
	int rc, counted;

	if (o->single) /* in order, across files */
		c.teams = 1;
	filter->count = !o->output ? 0 : o->single ? 1 : o->inputs->count;
	filter->files = calloc(filter->count + 1, sizeof *filter->files);
	c.copies = calloc(o->threads, sizeof *c.copies);
	rc = filter->files && c.copies ? 0 : -ENOMEM;
	if (!rc && cuts->count)
		rc = dedup_sorter_new(work, "lengths", o->threads, o->memory / 8, &lines);
	for (unsigned i = 0; c.copies && i < o->threads; i++) {
		c.copies[i].lines = lines;
		c.copies[i].thread = i;
	}
	pthread_mutex_init(&c.lock, NULL);
	rc = rc ? rc : dedup_parallel(c.teams, copy_files, &c);
	rc = c.failed ? c.failed : rc;
	counted = count(&c, rc ? NULL : lines);
	dedup_sorter_free(lines);
	pthread_mutex_destroy(&c.lock);
	return rc ? rc : counted;
}
