#include "dedup/against/against.h"

#include <errno.h>
#include <stdlib.h>

#include "dedup/against/index.h"
#include "dedup/read/reader.h"
#include "dedup/read/record.h"
#include "store/util/array.h"

struct item {
	uint64_t line;
	uint32_t input, shingles;
};

struct dedup_against {
	struct dedup_against_options options;
	struct item *items;
	size_t count, capacity, few;
	struct dedup_postings postings;
};

/* What loading works with. */
struct loader {
	struct dedup_against *against;
	struct dedup_json *json;
	struct dedup_words words;
	struct dedup_shingles shingles;
	struct dedup_block block;
};

static int add_item(struct loader *l, const char *text, size_t len, uint64_t line)
{
	struct dedup_against *a = l->against;
	struct item *grown;
	int rc = dedup_words_of(&l->words, text, len);

	rc = rc ? rc : dedup_shingles_of(&l->shingles, l->words.v, l->words.count, a->options.ngram);
	if (rc || !l->shingles.count)
		return rc;
	if (a->count == UINT32_MAX)
		return -ENOMEM;
	grown = array_grow(a->items, a->count, &a->capacity, sizeof *grown);
	if (!grown)
		return -ENOMEM;
	a->items = grown;
	grown[a->count] = (struct item){line, (uint32_t)l->block.input, (uint32_t)l->shingles.count};
	for (size_t i = 0; !rc && i < l->shingles.count; i++)
		rc = dedup_postings_add(&a->postings, l->shingles.v[i], (uint32_t)a->count);
	a->count++;
	a->few += l->words.count < a->options.ngram;
	return rc;
}

static int add_block(struct loader *l, uint64_t *line, const char **why)
{
	const struct dedup_against_options *o = &l->against->options;
	enum dedup_format format = o->inputs->v[l->block.input].format;
	struct dedup_line record;
	const char *text;
	size_t at = 0, len;
	int rc = 0;

	*line = l->block.line + 1;
	*why = l->block.why;
	if (*why)
		return -EBADMSG;
	for (; !rc && dedup_block_line(&l->block, &at, &record); ++*line) {
		if (dedup_line_is_blank(&record))
			continue;
		rc = dedup_record_text(l->json, format, o->field, &record, &text, &len, why);
		if (rc)
			return rc == -ENOMEM ? rc : -EBADMSG;
		rc = add_item(l, text, len, *line);
	}
	return rc;
}

int dedup_against_load(const struct dedup_against_options *options, struct dedup_against **against,
	const struct dedup_input **fault_input, uint64_t *line, const char **why)
{
	struct loader l = {0};
	struct dedup_reader *reader = NULL;
	int rc, more = 0;

	*fault_input = NULL;
	*line = 0;
	*why = NULL;
	*against = l.against = calloc(1, sizeof *l.against);
	if (!l.against)
		return -ENOMEM;
	l.against->options = *options;
	dedup_words_init(&l.words, options->normalise);
	rc = dedup_json_new(&l.json);
	rc = rc ? rc : dedup_reader_new(options->inputs, 0, options->inputs->count, 0, &reader);
	while (!rc && (more = dedup_reader_next(reader, &l.block)) > 0)
		rc = add_block(&l, line, why);
	rc = rc ? rc : more;
	if (rc && l.block.input < options->inputs->count)
		*fault_input = &options->inputs->v[l.block.input];
	rc = rc ? rc : dedup_postings_build(&l.against->postings);
	dedup_reader_free(reader);
	dedup_block_release(&l.block);
	dedup_json_free(l.json);
	dedup_words_release(&l.words);
	dedup_shingles_release(&l.shingles);
	if (rc) {
		dedup_against_free(l.against);
		*against = NULL;
	}
	return rc;
}

void dedup_against_free(struct dedup_against *a)
{
	if (!a)
		return;
	free(a->items);
	dedup_postings_release(&a->postings);
	free(a);
}

const struct dedup_against_options *dedup_against_options_of(const struct dedup_against *a)
{
	return &a->options;
}

size_t dedup_against_items(const struct dedup_against *a, size_t *few)
{
	*few = a->few;
	return a->count;
}

const struct dedup_input *dedup_against_place(const struct dedup_against *a, uint32_t item, uint64_t *line)
{
	*line = a->items[item].line;
	return &a->options.inputs->v[a->items[item].input];
}

size_t dedup_against_memory(const struct dedup_against *a)
{
	return a->capacity * sizeof *a->items + dedup_postings_memory(&a->postings);
}

void dedup_finder_release(struct dedup_finder *f)
{
	if (f->ready)
		dedup_words_release(&f->words);
	dedup_shingles_release(&f->shingles);
	free(f->counts);
	free(f->touched);
	*f = (struct dedup_finder){0};
}

static int prepare(const struct dedup_against *a, struct dedup_finder *f)
{
	if (f->ready)
		return 0;
	dedup_words_init(&f->words, a->options.normalise);
	f->ready = true;
	f->counts = calloc(a->count + 1, sizeof *f->counts);
	f->touched = calloc(a->count + 1, sizeof *f->touched);
	return f->counts && f->touched ? 0 : -ENOMEM;
}

static double overlap_of(const struct dedup_against *a, uint32_t item, size_t common, size_t shingles)
{
	size_t own = a->items[item].shingles;

	if (a->options.overlap == DEDUP_OVERLAP_SHARE)
		return (double)common / (double)own;
	return (double)common / (double)(own + shingles - common);
}

int dedup_against_find(const struct dedup_against *a, struct dedup_finder *f, const char *text, size_t len,
	uint32_t *item, double *overlap)
{
	size_t touched = 0;
	int rc = prepare(a, f);

	rc = rc ? rc : dedup_words_of(&f->words, text, len);
	rc = rc ? rc : dedup_shingles_of(&f->shingles, f->words.v, f->words.count, a->options.ngram);
	if (rc)
		return rc;
	for (size_t i = 0; i < f->shingles.count; i++) {
		uint64_t hash = f->shingles.v[i];
		const struct dedup_posting *p = dedup_postings_of(&a->postings, hash);

		for (; p && p->hash == hash; p++)
			if (!f->counts[p->item]++)
				f->touched[touched++] = p->item;
	}
	*overlap = -1;
	for (size_t i = 0; i < touched; i++) {
		uint32_t other = f->touched[i];
		double now = overlap_of(a, other, f->counts[other], f->shingles.count);

		f->counts[other] = 0;
		if (now < a->options.least || now < *overlap || (now == *overlap && other > *item))
			continue;
		*overlap = now;
		*item = other;
	}
	return *overlap > 0;
}
