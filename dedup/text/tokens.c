#include "dedup/text/tokens.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <utf8proc.h>

/* What a code point does to the word at hand. */
enum kind { PART, SPACE, ALONE, MARK };

void dedup_tokens_init(struct dedup_tokens *t, unsigned normalise)
{
	*t = (struct dedup_tokens){.count = 0};
	dedup_words_init(&t->words, normalise & ~(unsigned)DEDUP_CHARS);
}

void dedup_tokens_release(struct dedup_tokens *t)
{
	dedup_words_release(&t->words);
	free(t->v);
	free(t->places);
	t->v = NULL;
	t->places = NULL;
}

/* Sets how many bytes it takes. What is no UTF-8 belongs to the word around it. */
static enum kind kind_of(const struct dedup_tokens *t, const uint8_t *at, size_t left, size_t *bytes)
{
	utf8proc_int32_t c;
	utf8proc_ssize_t n;
	utf8proc_category_t category;

	*bytes = 1;
	if (*at < 0x80)
		return t->words.map[*at] == ' ' ? SPACE : PART;
	n = utf8proc_iterate(at, (utf8proc_ssize_t)left, &c);
	if (n <= 0)
		return PART;
	*bytes = (size_t)n;
	if (dedup_word_space(c))
		return SPACE;
	category = utf8proc_category(c);
	if (category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC)
		return MARK;
	return dedup_word_alone(c) ? ALONE : PART;
}

static int make_room(struct dedup_tokens *t, size_t more)
{
	size_t capacity = t->count + more + (t->count + more) / 2 + 64;
	uint64_t *v;
	struct dedup_token *places;

	if (t->count + more <= t->capacity)
		return 0;
	v = realloc(t->v, capacity * sizeof *v);
	t->v = v ? v : t->v;
	places = v ? realloc(t->places, capacity * sizeof *places) : NULL;
	t->places = places ? places : t->places;
	if (!places)
		return -ENOMEM;
	t->capacity = capacity;
	return 0;
}

/* A piece of text between two places where words end: mostly one word, or none where it is all punctuation.
 */
static int add(struct dedup_tokens *t, const char *text, size_t from, size_t to)
{
	int rc;

	if (from == to)
		return 0;
	rc = dedup_words_of(&t->words, text + from, to - from);
	rc = rc ? rc : make_room(t, t->words.count);
	for (size_t i = 0; !rc && i < t->words.count; i++) {
		t->places[t->count] = (struct dedup_token){(uint32_t)from, (uint32_t)to};
		t->v[t->count++] = t->words.v[i];
	}
	return rc;
}

int dedup_tokens_of(struct dedup_tokens *t, const char *text, size_t len)
{
	size_t from = 0, bytes;
	bool alone = false; /* what began at `from` is a word by itself */
	int rc = 0;

	t->count = 0;
	for (size_t at = 0; !rc && at < len; at += bytes) {
		enum kind kind = kind_of(t, (const uint8_t *)text + at, len - at, &bytes);

		if (kind == MARK || (kind == PART && !alone))
			continue;
		rc = add(t, text, from, at);
		from = kind == SPACE ? at + bytes : at;
		alone = kind == ALONE;
	}
	return rc ? rc : add(t, text, from, len);
}
