// links: m_dedup_text PkgConfig::UTF8PROC
/* What counts as the same word and the same set; the ranges that need no NFC are right for every code point.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <utf8proc.h>

#include "dedup/text/shingles.h"
#include "dedup/text/tokens.h"
#include "dedup/text/words.h"

static bool same(unsigned normalise, const char *a, const char *b)
{
	struct dedup_words x, y;
	bool equal;

	dedup_words_init(&x, normalise);
	dedup_words_init(&y, normalise);
	assert_int_equal(dedup_words_of(&x, a, strlen(a)), 0);
	assert_int_equal(dedup_words_of(&y, b, strlen(b)), 0);
	equal = x.count == y.count && !memcmp(x.v, y.v, x.count * sizeof *x.v);
	dedup_words_release(&x);
	dedup_words_release(&y);
	return equal;
}

static size_t count(const char *text)
{
	struct dedup_words words;
	size_t n;

	dedup_words_init(&words, DEDUP_NORMALISE_ALL);
	assert_int_equal(dedup_words_of(&words, text, strlen(text)), 0);
	n = words.count;
	dedup_words_release(&words);
	return n;
}

static void normalises(void **state)
{
	(void)state;
	assert_true(same(DEDUP_NORMALISE_ALL, "Don't  stop,\n\tNOW!", " dont stop now"));
	assert_true(same(DEDUP_NORMALISE_ALL, "CAF\xc3\x89", "cafe\xcc\x81"));
	assert_true(same(DEDUP_NORMALISE_ALL, "\xe2\x80\x9cquoted\xe2\x80\x9d \xe2\x80\x94 so", "quoted so"));
	assert_true(same(DEDUP_NORMALISE_ALL,
		"a\xc2\xa0"
		"b",
		"a b"));
	assert_true(same(DEDUP_NORMALISE_ALL, "soft\xc2\xadhyphen", "softhyphen"));
	assert_true(same(DEDUP_NORMALISE_ALL, "\xd0\x9c\xd0\x98\xd0\xa0", "\xd0\xbc\xd0\xb8\xd1\x80"));
	assert_false(same(DEDUP_NORMALISE_ALL, "ab c", "a bc"));
	/* Composed up to white space only, and what was split before is taken back. */
	assert_true(same(DEDUP_NORMALISE_ALL,
		"\xe6\x97\xa5\xe6\x9c\xac"
		"e\xcc\x81 o\xcc\x88x E\xcc\x81",
		"\xe6\x97\xa5\xe6\x9c\xac\xc3\xa9 \xc3\xb6x \xc3\xa9"));
	assert_true(same(DEDUP_NORMALISE_ALL, "\xe0\xa5\x98", "\xe0\xa4\x95\xe0\xa4\xbc"));
	assert_false(same(0, "Stop", "stop"));
	assert_false(same(DEDUP_LOWER, "stop", "stop!"));
	assert_true(same(DEDUP_LOWER, "STOP!", "stop!"));
	assert_false(same(DEDUP_LOWER, "caf\xc3\xa9", "cafe\xcc\x81"));
	assert_true(same(DEDUP_PUNCT, "a+b", "ab"));
}

static void counts_words(void **state)
{
	(void)state;
	assert_int_equal(count(""), 0);
	assert_int_equal(count(" .,!? "), 0);
	assert_int_equal(count("one"), 1);
	assert_int_equal(count("one two\x1fthree"), 3);
	assert_int_equal(count("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"), 3); /* three Han characters */
	assert_int_equal(count("ab\xe6\x97\xa5"
			       "cd"),
		3);
	assert_int_equal(count("\xff\xfe broken \xc3"), 1); /* never given, but harmless */
}

static void plain_ranges_are_plain(void **state)
{
	(void)state;
	for (utf8proc_int32_t c = 0; c < 0x110000; c++) {
		const utf8proc_property_t *property = utf8proc_get_property(c);
		uint8_t text[4], *composed;
		utf8proc_ssize_t len;

		if (!dedup_nfc_is_plain(c) || c == 0)
			continue;
		assert_int_equal(property->combining_class, 0);
		len = utf8proc_encode_char(c, text);
		assert_int_equal(utf8proc_map(text, len, &composed, UTF8PROC_STABLE | UTF8PROC_COMPOSE), len);
		assert_memory_equal(composed, text, (size_t)len);
		free(composed);
	}
	assert_false(dedup_nfc_is_plain(0x301));
	assert_false(dedup_nfc_is_plain(0x11a8)); /* composes with Hangul */
	assert_false(dedup_nfc_is_plain(0x212b)); /* Angstrom */
}

static void shingles_are_a_set(void **state)
{
	uint64_t words[] = {1, 2, 3, 1, 2, 3, 1, 2};
	struct dedup_shingles s = {0};

	(void)state;
	assert_int_equal(dedup_shingles_of(&s, words, 8, 3), 0);
	assert_int_equal(s.count, 3); /* 123 231 312 */
	assert_int_equal(dedup_shingles_of(&s, words, 8, 1), 0);
	assert_int_equal(s.count, 3);
	assert_int_equal(dedup_shingles_of(&s, words, 2, 5), 0);
	assert_int_equal(s.count, 1);
	assert_int_equal(dedup_shingles_of(&s, words, 0, 5), 0);
	assert_int_equal(s.count, 0);
	dedup_shingles_release(&s);
}

/* The rolling hash of a window is that of the same words alone. */
static void rolls(void **state)
{
	struct dedup_shingles all = {0}, one = {0};
	uint64_t words[100];

	(void)state;
	for (size_t i = 0; i < 100; i++)
		words[i] = (i + 1) * 0x123456789abcdefu;
	for (unsigned n = 1; n <= DEDUP_NGRAM_MAX; n += 7) {
		assert_int_equal(dedup_shingles_of(&all, words, 100, n), 0);
		assert_int_equal(all.count, 101 - n);
		for (size_t i = 0; i + n <= 100; i++) {
			assert_int_equal(dedup_shingles_of(&one, words + i, n, n), 0);
			assert_int_equal(one.v[0], all.v[i]);
		}
	}
	dedup_shingles_release(&all);
	dedup_shingles_release(&one);
}

static void jaccard_is_exact(void **state)
{
	uint64_t a[100], b[100];
	struct dedup_set set = {0};

	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		a[i] = i * 0x9e3779b97f4a7c15u + 1;
	assert_int_equal(dedup_set_fill(&set, a, 100), 0);
	for (size_t common = 0; common <= 100; common++) {
		double is = (double)common / (double)(200 - common);

		for (uint64_t i = 0; i < 100; i++)
			b[i] = i < common ? a[i] : ~a[i];
		assert_true(dedup_set_jaccard(&set, b, 100, is) == is);
		assert_true(dedup_set_jaccard(&set, b, 100, is - 0.1) == is);
		assert_true(dedup_set_jaccard(&set, b, 100, is + 0.001) < is + 0.001);
	}
	/* One text within the other: the sizes alone decide. */
	for (size_t n = 1; n <= 100; n++) {
		double is = (double)n / 100;

		assert_true(dedup_set_jaccard(&set, a, n, is) == is);
		assert_true(dedup_set_jaccard(&set, a, n, is + 0.001) < is + 0.001);
	}
	assert_int_equal(dedup_set_fill(&set, a, 0), 0);
	assert_true(dedup_set_jaccard(&set, b, 0, 0.5) == 0);
	dedup_set_release(&set);
}

/* Words with their places are the words, and the places are in order. */
static void tokens_are_words(void **state)
{
	static const char *const pieces[] = {"a", "B", "don't", " ", "\n", "--", "\u00e9", "e\u0301",
		"\u65e5", "\u304b", "\u3099", "\u3000", "\xc2\x85", "\x01", "\u200b", "\u0915\u093e",
		"\U00020000", "\U0001f600"};
	uint64_t seed = 1;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		unsigned normalise = round % 8;
		struct dedup_tokens tokens;
		struct dedup_words words;
		char text[256] = "";
		uint32_t last = 0;

		dedup_tokens_init(&tokens, normalise);
		dedup_words_init(&words, normalise);
		for (unsigned i = 0; i < 20; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			strcat(text, pieces[(seed >> 33) % (sizeof pieces / sizeof pieces[0])]);
		}
		assert_int_equal(dedup_words_of(&words, text, strlen(text)), 0);
		assert_int_equal(dedup_tokens_of(&tokens, text, strlen(text)), 0);
		assert_int_equal(tokens.count, words.count);
		for (size_t i = 0; i < words.count; i++) {
			struct dedup_token t = tokens.places[i];
			bool again = i && t.from == tokens.places[i - 1].from; /* a mark of the same piece */

			assert_true(tokens.v[i] == words.v[i]);
			assert_true((again || t.from >= last) && t.to > t.from);
			last = t.to;
		}
		assert_true(last <= strlen(text));
		dedup_tokens_release(&tokens);
		dedup_words_release(&words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normalises),
		cmocka_unit_test(counts_words),
		cmocka_unit_test(tokens_are_words),
		cmocka_unit_test(plain_ranges_are_plain),
		cmocka_unit_test(shingles_are_a_set),
		cmocka_unit_test(rolls),
		cmocka_unit_test(jaccard_is_exact),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
