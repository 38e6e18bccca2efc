#include <errno.h>
#include <stdlib.h>

#include "dedup/scanner.h"
#include "store/util/array.h"

static int add_pending(struct dedup_scanner *s, struct dedup_worker *w, uint32_t id)
{
	struct dedup_worker_pending *p = &w->pending;
	unsigned bands = s->options->bands.bands;
	uint32_t *ids = array_grow(p->ids, p->count, &p->capacity, sizeof *ids);

	if (!ids)
		return -ENOMEM;
	p->ids = ids;
	if (p->keys_capacity < p->capacity) {
		uint64_t *keys = realloc(p->keys, p->capacity * bands * sizeof *keys);

		if (!keys)
			return -ENOMEM;
		p->keys = keys;
		p->keys_capacity = p->capacity;
	}
	dedup_sketch(&s->sketcher, w->shingles.v, w->shingles.count, w->sketch);
	dedup_bands_keys(s->options->bands, w->sketch, p->keys + p->count * bands);
	p->ids[p->count++] = id;
	return 0;
}

static int note(struct dedup_scanner *s, struct dedup_worker *w, uint32_t id, const char *text, size_t len)
{
	int rc;

	w->seen.documents++;
	w->seen.text_bytes += len;
	*dedup_lines_at(&s->outcome->lines, id) = id;
	rc = dedup_shingle(s, w, text, len);
	if (!rc && w->shingles.count)
		rc = add_pending(s, w, id);
	dedup_worker_lap(w, &w->seen.times.sketch);
	return rc;
}

/* After the texts of all blocks before it. -ERANGE: too many. */
static int put_block(struct dedup_scanner *s, struct dedup_worker *w)
{
	struct dedup_worker_pending *p = &w->pending;
	int rc = 0;

	if (!dedup_turns_wait(&s->turns, w->block.id))
		return 0;
	s->put += p->count;
	if (s->put > s->options->expect)
		rc = -ERANGE;
	for (size_t i = 0; rc >= 0 && i < p->count; i++) {
		rc = dedup_cuckoo_put(&s->bands, p->keys + i * s->options->bands.bands);
		if (rc > 0) {
			*dedup_lines_at(&s->outcome->lines, p->ids[i]) = DEDUP_LINE_GONE;
			w->seen.near++;
		}
	}
	p->count = 0;
	dedup_turns_pass(&s->turns, w->block.id + w->block.lines);
	dedup_worker_lap(w, &w->seen.times.band);
	return rc < 0 ? rc : 0;
}

const struct dedup_pass dedup_stream_pass = {
	.room = dedup_note_room,
	.mark = dedup_note_mark,
	.text = note,
	.end_block = put_block,
};
