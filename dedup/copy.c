#include "dedup/copy.h"

#include <errno.h>
#include <string.h>

/* Bytes that lie together and stay; they are moved all at once. */
struct stretch {
	char *to;
	const char *from;
	size_t len;
};

static void end_stretch(struct stretch *s)
{
	if (s->to != s->from && s->len)
		memmove(s->to, s->from, s->len);
	s->to += s->len;
	s->len = 0;
}

static void add_line(struct stretch *s, const struct dedup_line *line)
{
	if (!s->len)
		s->from = line->text;
	s->len += line->whole;
}

/* Where nothing is cut, all is known already. */
static int gone(
	struct dedup_copy *c, const struct dedup_outcome *outcome, bool cuts, uint32_t id, size_t bytes)
{
	if (cuts)
		return dedup_sorter_add(
			c->lines, c->thread, (struct dedup_triple){.a = id, .b = (uint32_t)bytes});
	dedup_gone_add(c->seen.gone, outcome, id, bytes);
	return 0;
}

/* A record of whose text something is cut, or of which too little would be left. */
static int copy_cut(struct dedup_copy *c, const struct dedup_options *o, const struct dedup_outcome *outcome,
	const struct dedup_cut *cuts, size_t count, size_t input, uint32_t id, const struct dedup_line *line,
	struct stretch *stretch)
{
	struct dedup_rewritten *r = &c->rewritten;
	bool drops = o->cutting.drop > 0;
	int rc = dedup_rewrite(r, o->inputs->v[input].format, o->field, line, cuts, count);

	if (rc)
		return rc == -EBADMSG ? -ESTALE : rc;
	if (drops ? (double)(r->text - r->left) > o->cutting.drop * (double)r->text : r->blank) {
		*dedup_lines_at(&outcome->lines, id) = DEDUP_LINE_CUT;
		c->seen.cut_away++;
		dedup_gone_add(c->seen.gone, outcome, id, line->whole);
		return 0;
	}
	c->seen.kept++;
	c->seen.kept_bytes += drops ? line->whole : r->len;
	if (drops) {
		add_line(stretch, line);
		return 0;
	}
	c->seen.cut++;
	c->seen.cut_bytes += r->text - r->left;
	memcpy(stretch->to, r->data, r->len);
	stretch->to += r->len;
	return 0;
}

int dedup_copy_block(struct dedup_copy *c, const struct dedup_options *o, const struct dedup_outcome *outcome,
	const struct dedup_cut_set *cuts, struct dedup_block *block, size_t *len)
{
	struct stretch stretch = {.to = block->data};
	struct dedup_line line;
	size_t at = 0;
	int rc = 0;

	for (uint32_t id = block->id; !rc && dedup_block_line(block, &at, &line); id++) {
		uint32_t what = *dedup_lines_at(&outcome->lines, id);
		const struct dedup_cut *own = NULL;
		size_t count = 0;

		if (what == id && cuts->count)
			rc = dedup_cut_set_of(cuts, &c->cuts, id, &own, &count);
		if (rc)
			break;
		if (count) {
			end_stretch(&stretch);
			rc = copy_cut(c, o, outcome, own, count, block->input, id, &line, &stretch);
		} else if (what == id || what == DEDUP_LINE_BLANK) {
			c->seen.kept += what == id;
			c->seen.kept_bytes += what == id ? line.whole : 0;
			add_line(&stretch, &line);
		} else {
			end_stretch(&stretch);
			rc = gone(c, outcome, cuts->count, id, line.whole);
		}
	}
	end_stretch(&stretch);
	*len = (size_t)(stretch.to - block->data);
	return rc;
}

void dedup_copy_count(const struct dedup_copy *c, struct dedup_result *result)
{
	const struct dedup_result *seen = &c->seen;

	result->kept += seen->kept;
	result->kept_bytes += seen->kept_bytes;
	result->cut += seen->cut;
	result->cut_bytes += seen->cut_bytes;
	result->cut_away += seen->cut_away;
	dedup_gone_add_up(result->gone, seen->gone);
}

void dedup_copy_release(struct dedup_copy *c)
{
	dedup_rewritten_release(&c->rewritten);
	dedup_cut_reader_release(&c->cuts);
	*c = (struct dedup_copy){0};
}
