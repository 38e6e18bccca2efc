/*
 * From a text to the hashes of its words, after normalisation: NFC, lower case (one code point to one),
 * without punctuation and symbols (Unicode categories P and S; deleted, so that "don't" is "dont"), each of
 * which can be left out. Words are what white space separates; a Han character, Hiragana or Katakana is a
 * word by itself. Format characters and controls that are no white space are deleted.
 *
 * Or to the hashes of its characters (code points), after the same normalisation, with one space for each run
 * of white space between words; there Han characters are none by themselves.
 */
#ifndef MITHRIL_DEDUP_TEXT_WORDS_H
#define MITHRIL_DEDUP_TEXT_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dedup_normalise {
	DEDUP_NFC = 1,	 /* canonical composition */
	DEDUP_LOWER = 2, /* lower case */
	DEDUP_PUNCT = 4, /* without punctuation and symbols */
	DEDUP_NORMALISE_ALL = 7,
	DEDUP_CHARS = 8, /* the characters of all words with a space between words, instead of words */
};

/* For one thread at a time; the memory grows with the longest text. */
struct dedup_words {
	unsigned normalise; /* of enum dedup_normalise */
	uint8_t map[256];   /* an ASCII byte to what it becomes: 0 deleted, ' ' a separator; 1: not ASCII */
	uint64_t *v;	    /* the hashes of the words (XXH3), or of the characters, in order */
	size_t count, capacity;
	char *word; /* the normalised bytes of the word at hand */
	size_t word_capacity;
};

void dedup_words_init(struct dedup_words *words, unsigned normalise);
void dedup_words_release(struct dedup_words *words);

/* Fills v and count. The text should be UTF-8; bytes that are not are skipped. -ENOMEM. */
int dedup_words_of(struct dedup_words *words, const char *text, size_t len);

/* Whether NFC leaves a string of such code points as it is, told by ranges: false means "perhaps not". */
int dedup_nfc_is_plain(int32_t code_point);

/* Whether a code point that is not ASCII is white space; whether it is a word by itself (Han, Hiragana,
 * Katakana). */
bool dedup_word_space(int32_t code_point);
bool dedup_word_alone(int32_t code_point);

#endif
