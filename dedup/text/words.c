#include "dedup/text/words.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { DELETED = 0, OTHER = 1, SPACE = ' ' };

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

static bool needs_nfc(const char *text, size_t len)
{
	const uint8_t *p = (const uint8_t *)text;

	while (len) {
		utf8proc_int32_t c;
		utf8proc_ssize_t n;

		if (*p < 0xcc) { /* below U+0300 */
			p++;
			len--;
			continue;
		}
		n = utf8proc_iterate(p, (utf8proc_ssize_t)len, &c);
		if (n <= 0)
			n = 1;
		else if (!dedup_nfc_is_plain(c))
			return true;
		p += n;
		len -= (size_t)n;
	}
	return false;
}

static int make_room(struct dedup_words *words, size_t len)
{
	size_t most = len + 2; /* a word takes a byte at least */

	if (words->capacity < most) {
		uint64_t *grown = realloc(words->v, 2 * most * sizeof *grown);

		if (!grown)
			return -ENOMEM;
		words->v = grown;
		words->capacity = 2 * most;
	}
	most = 2 * len + 16; /* lower case takes at most 3 bytes for 2, and one store goes past the end */
	if (words->word_capacity < most) {
		free(words->word);
		words->word = malloc(2 * most);
		words->word_capacity = words->word ? 2 * most : 0;
	}
	return words->word ? 0 : -ENOMEM;
}

static inline void end_word(struct dedup_words *words, size_t len)
{
	if (len)
		words->v[words->count++] = XXH3_64bits(words->word, len);
}

static bool stands_alone(utf8proc_int32_t c)
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

static bool is_space(utf8proc_category_t category, utf8proc_int32_t c)
{
	return c == 0x85 || category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
	       category == UTF8PROC_CATEGORY_ZP;
}

/* One code point that is not ASCII: bytes it takes; *len is that of the word. */
static size_t wide(struct dedup_words *words, const char *at, size_t left, size_t *len)
{
	utf8proc_int32_t c;
	utf8proc_ssize_t n = utf8proc_iterate((const uint8_t *)at, (utf8proc_ssize_t)left, &c);
	utf8proc_category_t category;

	if (n <= 0)
		return 1;
	category = utf8proc_category(c);
	if (is_space(category, c)) {
		end_word(words, *len);
		*len = 0;
	} else if (!is_deleted(category, words->normalise)) {
		if (words->normalise & DEDUP_LOWER)
			c = utf8proc_tolower(c);
		if (stands_alone(c)) {
			end_word(words, *len);
			*len = 0;
		}
		*len += (size_t)utf8proc_encode_char(c, (uint8_t *)words->word + *len);
		if (stands_alone(c)) {
			end_word(words, *len);
			*len = 0;
		}
	}
	return (size_t)n;
}

static void split(struct dedup_words *words, const char *text, size_t text_len)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t i = 0, len = 0;

	while (i < text_len) {
		uint8_t c = words->map[p[i]];

		if (c > SPACE) {
			words->word[len++] = (char)c;
			i++;
		} else if (c == OTHER) {
			i += wide(words, text + i, text_len - i, &len);
		} else {
			if (c == SPACE) {
				end_word(words, len);
				len = 0;
			}
			i++;
		}
	}
	end_word(words, len);
}

int dedup_words_of(struct dedup_words *words, const char *text, size_t len)
{
	uint8_t *composed = NULL;
	int rc;

	words->count = 0;
	if ((words->normalise & DEDUP_NFC) && needs_nfc(text, len)) {
		utf8proc_ssize_t n = utf8proc_map((const uint8_t *)text, (utf8proc_ssize_t)len, &composed,
			UTF8PROC_STABLE | UTF8PROC_COMPOSE);

		if (n == UTF8PROC_ERROR_NOMEM)
			return -ENOMEM;
		if (n >= 0) {
			text = (const char *)composed;
			len = (size_t)n;
		}
	}
	rc = make_room(words, len);
	if (!rc)
		split(words, text, len);
	free(composed);
	return rc;
}
