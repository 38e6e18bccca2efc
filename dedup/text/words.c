#include "dedup/text/words.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { DELETED = 0, OTHER = 1, SPACE = ' ' };

#define RUN 2048u /* bytes of ASCII at once */

/* How far a text is: word[0..len) is the start of the word at hand; `count` words were there at the last
 * white space. */
struct state {
	size_t len, count;
};

static uint8_t ascii_of(unsigned c, unsigned normalise)
{
	if (c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f))
		return SPACE;
	if (c < ' ' || c == 0x7f)
		return DELETED;
	if (c >= 'A' && c <= 'Z')
		return (uint8_t)(normalise & DEDUP_LOWER ? c + 32 : c);
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
		return (uint8_t)c;
	return normalise & DEDUP_PUNCT ? DELETED : (uint8_t)c;
}

void dedup_words_init(struct dedup_words *words, unsigned normalise)
{
	*words = (struct dedup_words){.normalise = normalise};
	for (unsigned c = 0; c < 256; c++)
		words->map[c] = c < 128 ? ascii_of(c, normalise) : OTHER;
}

void dedup_words_release(struct dedup_words *words)
{
	free(words->v);
	free(words->word);
	words->v = NULL;
	words->word = NULL;
}

/* Blocks in which every code point is a starter, composes with none before it and is its own NFC. */
int dedup_nfc_is_plain(int32_t c)
{
	static const int32_t ranges[][2] = {
		{0x0000, 0x02ff},   /* Latin */
		{0x0400, 0x0482},   /* Cyrillic */
		{0x048a, 0x052f},   /* Cyrillic */
		{0x05d0, 0x05ea},   /* Hebrew letters */
		{0x0620, 0x064a},   /* Arabic letters */
		{0x2002, 0x2027},   /* punctuation */
		{0x2030, 0x205f},   /* punctuation */
		{0x2190, 0x21ff},   /* arrows */
		{0x2500, 0x25ff},   /* boxes */
		{0x3000, 0x3020},   /* CJK punctuation */
		{0x3041, 0x3096},   /* Hiragana */
		{0x30a1, 0x30fa},   /* Katakana */
		{0x4e00, 0x9fff},   /* Han */
		{0xac00, 0xd7a3},   /* Hangul */
		{0x1f300, 0x1faff}, /* emoji */
	};

	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
		if (c <= ranges[i][1])
			return c >= ranges[i][0];
	return 0;
}

static int make_room(struct dedup_words *words, size_t len)
{
	size_t most = 3 * len + 2; /* a word takes a byte at least; NFC makes at most three of one */

	if (words->capacity < most) {
		uint64_t *grown = realloc(words->v, (most + most / 2) * sizeof *grown);

		if (!grown)
			return -ENOMEM;
		words->v = grown;
		words->capacity = most + most / 2;
	}
	most = 5 * len + 16; /* lower case makes at most three bytes of two */
	if (words->word_capacity < most) {
		free(words->word);
		words->word = malloc(most + most / 2);
		words->word_capacity = words->word ? most + most / 2 : 0;
	}
	return words->word ? 0 : -ENOMEM;
}

/* The finaliser of SplitMix64. */
static uint64_t char_hash(uint64_t c)
{
	c = (c + 1) * 0x9e3779b97f4a7c15u;
	c = (c ^ (c >> 30)) * 0xbf58476d1ce4e5b9u;
	c = (c ^ (c >> 27)) * 0x94d049bb133111ebu;
	return c ^ (c >> 31);
}

/* The word is UTF-8; a character's bytes are its number here. */
static void add_chars(struct dedup_words *words, const char *word, size_t len)
{
	if (words->count)
		words->v[words->count++] = char_hash(SPACE);
	for (size_t i = 0; i < len;) {
		uint64_t c = (uint8_t)word[i++];

		while (i < len && ((uint8_t)word[i] & 0xc0) == 0x80)
			c = c << 8 | (uint8_t)word[i++];
		words->v[words->count++] = char_hash(c);
	}
}

static inline void add_word(struct dedup_words *words, const char *word, size_t len)
{
	if (!len)
		return;
	if (words->normalise & DEDUP_CHARS)
		add_chars(words, word, len);
	else
		words->v[words->count++] = XXH3_64bits(word, len);
}

static void end_word(struct dedup_words *words, struct state *state)
{
	add_word(words, words->word, state->len);
	state->len = 0;
}

bool dedup_word_alone(int32_t c)
{
	return (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x4e00 && c <= 0x9fff) ||
	       (c >= 0x20000 && c <= 0x3ffff);
}

static bool is_deleted(utf8proc_category_t category, unsigned normalise)
{
	if (category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF)
		return true;
	return (normalise & DEDUP_PUNCT) && category >= UTF8PROC_CATEGORY_PC &&
	       category <= UTF8PROC_CATEGORY_SO;
}

bool dedup_word_space(int32_t c)
{
	utf8proc_category_t category = utf8proc_category(c);

	return c == 0x85 || category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
	       category == UTF8PROC_CATEGORY_ZP;
}

/* One code point that is not ASCII: bytes it takes. */
static size_t wide(struct dedup_words *words, struct state *state, const uint8_t *at, size_t left)
{
	utf8proc_int32_t c;
	utf8proc_ssize_t n = utf8proc_iterate(at, (utf8proc_ssize_t)left, &c);
	utf8proc_category_t category;
	bool alone;

	if (n <= 0)
		return 1;
	category = utf8proc_category(c);
	if (dedup_word_space(c)) {
		end_word(words, state);
	} else if (!is_deleted(category, words->normalise)) {
		if (words->normalise & DEDUP_LOWER)
			c = utf8proc_tolower(c);
		alone = dedup_word_alone(c) && !(words->normalise & DEDUP_CHARS);
		if (alone)
			end_word(words, state);
		state->len += (size_t)utf8proc_encode_char(c, (uint8_t *)words->word + state->len);
		if (alone)
			end_word(words, state);
	}
	return (size_t)n;
}

/* The length of the ASCII that a text begins with, RUN at most. */
static size_t ascii_run(const uint8_t *text, size_t len)
{
	size_t n = 0;
	uint64_t eight;

	len = len < RUN ? len : RUN;
	for (; n + 8 <= len; n += 8) {
		memcpy(&eight, text + n, 8);
		if (eight & 0x8080808080808080u)
			break;
	}
	while (n < len && text[n] < 0x80)
		n++;
	return n;
}

/* Every byte is stored and every place noted as an end; what moves on decides which of them count. So nothing
 * is left to guess for the processor. */
static void narrow(struct dedup_words *words, struct state *state, const uint8_t *text, size_t n)
{
	size_t ends[RUN + 1], count = 0, start = 0, len = state->len;
	char *out = words->word;

	for (size_t i = 0; i < n; i++) {
		uint8_t c = words->map[text[i]];

		out[len] = (char)c;
		len += c > SPACE;
		ends[count] = len;
		count += c == SPACE;
	}
	for (size_t i = 0; i < count; i++) {
		add_word(words, out + start, ends[i] - start);
		start = ends[i];
	}
	if (count)
		state->count = words->count;
	if (start)
		memmove(out, out + start, len - start);
	state->len = len - start;
}

static bool is_plain(const uint8_t *at, size_t left)
{
	utf8proc_int32_t c;

	if (*at < 0xcc) /* below U+0300 */
		return true;
	return utf8proc_iterate(at, (utf8proc_ssize_t)left, &c) <= 0 || dedup_nfc_is_plain(c);
}

static int split(struct dedup_words *words, const uint8_t *text, size_t text_len, bool nfc);

/* Goes back to the last white space before text[*at], composes what lies up to the next one, and splits that:
 * white space composes with nothing. */
static int split_composed(
	struct dedup_words *words, struct state *state, const uint8_t *text, size_t len, size_t *at)
{
	size_t start = *at, end = *at;
	uint8_t *composed = NULL;
	utf8proc_ssize_t n;
	int rc;

	while (start && words->map[text[start - 1]] != SPACE)
		start--;
	while (end < len && words->map[text[end]] != SPACE)
		end++;
	words->count = state->count;
	state->len = 0;
	*at = end;
	n = utf8proc_map(
		text + start, (utf8proc_ssize_t)(end - start), &composed, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
	if (n == UTF8PROC_ERROR_NOMEM)
		return -ENOMEM;
	rc = n < 0 ? split(words, text + start, end - start, false)
		   : split(words, composed, (size_t)n, false);
	state->count = words->count;
	free(composed);
	return rc;
}

static int split(struct dedup_words *words, const uint8_t *text, size_t text_len, bool nfc)
{
	struct state state = {.count = words->count};
	size_t i = 0;
	int rc = 0;

	while (!rc && i < text_len) {
		size_t n = ascii_run(text + i, text_len - i);

		if (n) {
			narrow(words, &state, text + i, n);
			i += n;
		} else if (nfc && !is_plain(text + i, text_len - i)) {
			rc = split_composed(words, &state, text, text_len, &i);
		} else {
			i += wide(words, &state, text + i, text_len - i);
		}
	}
	end_word(words, &state);
	return rc;
}

int dedup_words_of(struct dedup_words *words, const char *text, size_t len)
{
	int rc = make_room(words, len);

	words->count = 0;
	return rc ? rc : split(words, (const uint8_t *)text, len, words->normalise & DEDUP_NFC);
}
