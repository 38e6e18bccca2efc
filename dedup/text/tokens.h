/*
 * The words of a text as dedup/text/words.h tells them, each with the bytes that it stands in.
 */
#ifndef MITHRIL_DEDUP_TEXT_TOKENS_H
#define MITHRIL_DEDUP_TEXT_TOKENS_H

#include "dedup/text/words.h"

struct dedup_token {
	uint32_t from, to; /* bytes [from, to) of the text, with punctuation that touches the word */
};

/* For one thread at a time; the memory grows with the longest text. */
struct dedup_tokens {
	struct dedup_words words;
	uint64_t *v; /* the hashes of the words, those that dedup_words_of gives of UTF-8 */
	struct dedup_token *places;
	size_t count, capacity;
};

/* `normalise` without DEDUP_CHARS. */
void dedup_tokens_init(struct dedup_tokens *tokens, unsigned normalise);
void dedup_tokens_release(struct dedup_tokens *tokens);

/* Fills v, places and count; the text is less than 4 GiB. Places are in order, and apart but for words that
 * marks have made of one character, which have the same. -ENOMEM. */
int dedup_tokens_of(struct dedup_tokens *tokens, const char *text, size_t len);

#endif
