#include "tools/compilers/pickle.h"

#include <string.h>

#include "store/util/bytes.h"

#define SHORT_BINUNICODE 0x8c /* length of one byte */
#define BINUNICODE 'X'	      /* length of four */
#define MEMOIZE 0x94
#define BININT 'J'
#define BININT1 'K'
#define BININT2 'M'
#define LONG1 0x8a

/* Base 32 of a SHA-256, without its last sign. */
#define DIGEST_LEN 51u

/* The text of a string opcode at `at`; its length, or 0. */
static size_t string_at(const uint8_t *entry, size_t len, size_t at, const char **text)
{
	size_t head = entry[at] == SHORT_BINUNICODE ? 2 : entry[at] == BINUNICODE ? 5 : 0, n;

	if (!head || len - at < head)
		return 0;
	n = head == 2 ? entry[at + 1] : get_le32(entry + at + 1);
	if (n > len - at - head)
		return 0;
	*text = (const char *)entry + at + head;
	return n;
}

static bool is_digest(const char *text)
{
	for (size_t i = 0; i < DIGEST_LEN; i++)
		if (!((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= '2' && text[i] <= '7')))
			return false;
	return true;
}

static bool parse_line(const char *text, size_t len, struct pickle_component *out)
{
	const char *colon;

	if (len < DIGEST_LEN + 5 || text[0] != '[' || text[DIGEST_LEN + 1] != ']' ||
		text[DIGEST_LEN + 2] != ' ' || !is_digest(text + 1))
		return false;
	out->digest = text + 1;
	out->digest_len = DIGEST_LEN;
	out->name = text + DIGEST_LEN + 3;
	colon = memmem(out->name, len - DIGEST_LEN - 3, ": ", 2);
	if (!colon)
		return false;
	out->name_len = (size_t)(colon - out->name);
	out->value = colon + 2;
	out->value_len = (size_t)(text + len - out->value);
	out->starts = out->name_len == 2 && !memcmp(out->name, "gm", 2);
	return true;
}

bool pickle_component(const uint8_t *entry, size_t len, size_t *at, struct pickle_component *out)
{
	for (; *at < len; (*at)++) {
		const char *text;
		size_t n = string_at(entry, len, *at, &text);

		if (n && parse_line(text, n, out)) {
			*at = (size_t)((const uint8_t *)text - entry) + n;
			return true;
		}
	}
	return false;
}

/* The non-negative integer of an opcode at the beginning of `entry`; 0: something else. */
static uint64_t number_at(const uint8_t *entry, size_t len)
{
	uint64_t value = 0;
	size_t n;

	if (len < 2)
		return 0;
	if (entry[0] == BININT1)
		return entry[1];
	n = entry[0] == BININT2 ? 2 : entry[0] == BININT ? 4 : entry[0] == LONG1 ? entry[1] : 0;
	entry += entry[0] == LONG1 ? 2 : 1;
	if (!n || n > 8 || n + 2 > len)
		return 0;
	for (size_t i = 0; i < n; i++)
		value |= (uint64_t)entry[i] << (8 * i);
	return value >> (8 * n - 1) ? 0 : value;
}

/* The number behind a key of a dictionary. */
static uint64_t number_of(const uint8_t *entry, size_t len, const char *key)
{
	size_t key_len = strlen(key);
	const uint8_t *from = entry, *end = entry + len, *found;

	while ((found = memmem(from, (size_t)(end - from), key, key_len))) {
		from = found + key_len;
		if (found - entry < 2 || found[-2] != SHORT_BINUNICODE || found[-1] != key_len || from == end)
			continue;
		from += *from == MEMOIZE;
		return number_at(from, (size_t)(end - from));
	}
	return 0;
}

uint64_t pickle_time_taken_ns(const uint8_t *entry, size_t len)
{
	uint64_t both = number_of(entry, len, "forward_time_taken_ns") +
			number_of(entry, len, "backward_time_taken_ns");

	return both ? both : number_of(entry, len, "_time_taken_ns");
}
