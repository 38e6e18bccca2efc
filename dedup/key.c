#include <errno.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dedup/read/record.h"
#include "dedup/scanner.h"

static bool is_json(const struct dedup_scanner *s, const struct dedup_worker *w)
{
	return s->options->inputs->v[w->block.input].format != DEDUP_FORMAT_TEXT;
}

/* The text that is compared; none, where only a key is. */
static int read_text(const struct dedup_scanner *s, struct dedup_worker *w, const struct dedup_line *line,
	const char **text, size_t *len, const char **why)
{
	const struct dedup_options *o = s->options;
	size_t mark = dedup_line_mark(line);

	if (dedup_needs_text(o) || !is_json(s, w))
		return dedup_record_text(
			w->json, o->inputs->v[w->block.input].format, o->field, line, text, len, why);
	*text = "";
	*len = 0;
	return dedup_json_read(w->json, line->text + mark, line->len - mark, why);
}

int dedup_key_read(struct dedup_scanner *s, struct dedup_worker *w, const struct dedup_line *line,
	const char **text, size_t *len, const char **why)
{
	const char *field = s->options->exact_field;
	int rc = read_text(s, w, line, text, len, why);

	if (rc)
		return rc;
	w->key = (struct dedup_key){.bytes = *text, .len = *len, .kind = DEDUP_JSON_STRING};
	if (!field)
		return 0;
	if (!is_json(s, w)) {
		*why = "a line of text has no fields";
		return -EINVAL;
	}
	rc = dedup_json_key(w->json, field, &w->key.kind, &w->key.bytes, &w->key.len, why);
	w->key.none = rc > 0;
	return rc < 0 ? rc : 0;
}

void dedup_key_hash(
	const struct dedup_scanner *s, const struct dedup_worker *w, uint64_t *hash, uint32_t *check)
{
	const struct dedup_key *key = &w->key;

	*hash = XXH3_128bits_withSeed(key->bytes, key->len, s->seeds[0] + key->kind).low64;
	*check = (uint32_t)XXH64(key->bytes, key->len, s->seeds[1] + key->kind);
}
