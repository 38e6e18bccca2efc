#include "dedup/filter.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "dedup/count.h"
#include "dedup/cut/rewrite.h"
#include "dedup/gone.h"
#include "dedup/group/parallel.h"
#include "dedup/read/reader.h"
#include "store/util/clock.h"

struct copier {
	const struct dedup_options *options;
	const struct dedup_outcome *outcome;
	const struct dedup_cuts *cuts;
	struct dedup_filter *filter;
	struct dedup_result *result;
	pthread_mutex_t lock; /* of result, failed and progress */
	atomic_size_t next;
	uint64_t done;
	int failed;
};

/* One thread's. */
struct worker {
	struct dedup_result seen;
	struct dedup_rewritten rewritten;
};

/* A run of lines that lie together and go the same way. */
struct stretch {
	struct dedup_outfile *to; /* NULL: nowhere */
	const char *from;
	size_t len;
};

static int check(
	const struct dedup_options *o, const char *dir, const char *name, struct dedup_result *result)
{
	bool is_input;
	int rc = dedup_outfile_check(dir, name, o->inputs, o->force, &is_input);

	if (!rc)
		return 0;
	snprintf(result->path, sizeof result->path, "%s%s%s", dir ? dir : "", dir ? "/" : "", name);
	if (rc == -EEXIST)
		result->fault.why =
			is_input ? "the output would replace an input" : "the file is there already";
	return rc;
}

int dedup_filter_check(const struct dedup_options *o, struct dedup_result *result)
{
	int rc = 0;

	if (o->output && o->single)
		return check(o, NULL, o->output, result);
	for (size_t i = 0; o->output && !rc && i < o->inputs->count; i++)
		rc = check(o, o->output, o->inputs->v[i].name, result);
	return rc;
}

static int write_stretch(struct copier *c, struct stretch *s)
{
	int rc = s->to && s->len ? dedup_outfile_write(s->to, s->from, s->len) : 0;

	/* The last line of a file may have no end; that of another file may follow. */
	if (!rc && s->to && c->options->single && s->len && s->from[s->len - 1] != '\n')
		rc = dedup_outfile_write(s->to, "\n", 1);
	if (rc) {
		pthread_mutex_lock(&c->lock);
		snprintf(c->result->path, sizeof c->result->path, "%s", s->to->path);
		pthread_mutex_unlock(&c->lock);
	}
	s->len = 0;
	return rc;
}

/* Writes a record of whose text something is cut, or finds that too little would be left of it. */
static int copy_cut(struct copier *c, const struct dedup_block *block, uint32_t id,
	const struct dedup_line *line, struct dedup_outfile *to, struct worker *w)
{
	const struct dedup_options *o = c->options;
	struct dedup_rewritten *r = &w->rewritten;
	struct stretch stretch = {.to = to};
	size_t count;
	const struct dedup_cut *cuts = dedup_cuts_of(c->cuts, id, &count);
	int rc = dedup_rewrite(r, o->inputs->v[block->input].format, o->field, line, cuts, count);

	if (rc)
		return rc == -EBADMSG ? -ESTALE : rc;
	if (o->cutting.drop > 0 ? (double)(r->text - r->left) > o->cutting.drop * (double)r->text
				: r->blank) {
		*dedup_lines_at(&c->outcome->lines, id) = DEDUP_LINE_CUT;
		w->seen.cut_away++;
		dedup_gone_add(w->seen.gone, c->outcome, id, line->whole);
		return 0;
	}
	stretch.from = o->cutting.drop > 0 ? line->text : r->data;
	stretch.len = o->cutting.drop > 0 ? line->whole : r->len;
	w->seen.kept++;
	w->seen.kept_bytes += stretch.len;
	if (o->cutting.drop <= 0) {
		w->seen.cut++;
		w->seen.cut_bytes += r->text - r->left;
	}
	return write_stretch(c, &stretch);
}

static bool is_cut(const struct copier *c, uint32_t id)
{
	size_t count = 0;

	if (c->cuts->count)
		dedup_cuts_of(c->cuts, id, &count);
	return count != 0;
}

static int copy_block(
	struct copier *c, const struct dedup_block *block, struct dedup_outfile *to, struct worker *w)
{
	struct dedup_line line;
	struct stretch stretch = {0};
	size_t at = 0;
	int rc = 0;

	for (uint32_t id = block->id; !rc && dedup_block_line(block, &at, &line); id++) {
		uint32_t what = *dedup_lines_at(&c->outcome->lines, id);
		bool stays = what == id || what == DEDUP_LINE_BLANK;
		struct dedup_outfile *where = stays ? to : NULL;

		if (what == id && is_cut(c, id)) {
			rc = write_stretch(c, &stretch);
			rc = rc ? rc : copy_cut(c, block, id, &line, to, w);
			continue;
		}
		if (what == id) {
			w->seen.kept++;
			w->seen.kept_bytes += line.whole;
		} else if (!stays) {
			dedup_gone_add(w->seen.gone, c->outcome, id, line.whole);
		}
		if (stretch.len && where != stretch.to)
			rc = write_stretch(c, &stretch);
		if (!stretch.len)
			stretch = (struct stretch){.to = where, .from = line.text};
		stretch.len += line.whole;
	}
	return rc ? rc : write_stretch(c, &stretch);
}

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

static int copy_lines(struct copier *c, size_t i, struct dedup_outfile *to, struct worker *w)
{
	uint32_t id = c->outcome->first_ids[i], end = c->outcome->first_ids[i + 1];
	struct dedup_block block = {0};
	struct dedup_reader *reader;
	int rc, more = 0;

	rc = dedup_reader_new(c->options->inputs, i, i + 1, id, &reader);
	while (!rc && (more = dedup_reader_next(reader, &block)) > 0) {
		if (block.lines > end - id)
			rc = -ESTALE;
		id += block.lines;
		if (!rc && !block.why)
			rc = copy_block(c, &block, to, w);
		rc = rc ? rc : progress(c, block.len);
	}
	if (!rc && more < 0)
		rc = more;
	if (!rc && id != end)
		rc = -ESTALE;
	dedup_block_release(&block);
	dedup_reader_free(reader);
	return rc;
}

static int copy_file(struct copier *c, size_t i, struct worker *w)
{
	const struct dedup_options *o = c->options;
	const struct dedup_input *input = &o->inputs->v[i];
	struct dedup_outfile *to = o->output ? &c->filter->files[o->single ? 0 : i] : NULL;
	int rc = 0, copied;

	if (to && !o->single)
		rc = dedup_outfile_open(to, o->output, input->name, input->codec);
	else if (to && !i)
		rc = dedup_outfile_open(to, NULL, o->output, dedup_codec_of_name(o->output));
	copied = rc ? 0 : copy_lines(c, i, to, w);
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

static void add_up(struct dedup_result *result, const struct dedup_result *seen)
{
	result->kept += seen->kept;
	result->kept_bytes += seen->kept_bytes;
	result->cut += seen->cut;
	result->cut_bytes += seen->cut_bytes;
	result->cut_away += seen->cut_away;
	dedup_gone_add_up(result->gone, seen->gone);
}

static int work(void *ctx, unsigned thread)
{
	struct copier *c = ctx;
	struct worker w = {0};
	uint64_t start = clock_now_ns();
	int rc = 0;
	size_t i;

	(void)thread;
	while (!rc && (i = atomic_fetch_add(&c->next, 1)) < c->options->inputs->count)
		rc = copy_file(c, i, &w);
	pthread_mutex_lock(&c->lock);
	add_up(c->result, &w.seen);
	c->result->times.write += (double)(clock_now_ns() - start) * 1e-9;
	pthread_mutex_unlock(&c->lock);
	dedup_rewritten_release(&w.rewritten);
	return rc;
}

int dedup_filter(const struct dedup_options *o, const struct dedup_outcome *outcome,
	const struct dedup_cuts *cuts, struct dedup_filter *filter, struct dedup_result *result)
{
	struct copier c = {
		.options = o, .outcome = outcome, .cuts = cuts, .filter = filter, .result = result};
	unsigned threads = o->threads < o->inputs->count ? o->threads : (unsigned)o->inputs->count;
	int rc = 0;

	if (!o->output && !cuts->count)
		return dedup_count(o, outcome, result);
	filter->count = o->single ? 1 : o->inputs->count;
	filter->files = calloc(filter->count, sizeof *filter->files);
	if (!filter->files)
		return -ENOMEM;
	pthread_mutex_init(&c.lock, NULL);
	if (o->single)
		threads = 1; /* in order, across files */
	rc = dedup_parallel(threads, work, &c);
	rc = c.failed ? c.failed : rc;
	pthread_mutex_destroy(&c.lock);
	return rc;
}

int dedup_filter_publish(
	const struct dedup_options *o, struct dedup_filter *filter, struct dedup_result *result)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < filter->count; i++) {
		struct dedup_outfile *file = &filter->files[i];

		if (!file->is_there)
			continue;
		rc = dedup_outfile_publish(file, o->force);
		if (rc)
			snprintf(result->path, sizeof result->path, "%s", file->path);
	}
	return rc;
}

void dedup_filter_release(struct dedup_filter *filter)
{
	for (size_t i = 0; filter->files && i < filter->count; i++)
		dedup_outfile_drop(&filter->files[i]);
	free(filter->files);
	*filter = (struct dedup_filter){0};
}
