// links: m_dedup_cut
/* Cuts are what brute force says, in any memory and for any number of threads; a record loses nothing else.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dedup/cut/repeats.h"
#include "dedup/cut/rewrite.h"
#include "dedup/cut/substrings.h"
#include "dedup/cut/winnow.h"
#include "dedup/group/parallel.h"

#define TEXTS 120u
#define LEN 600u

static uint64_t random_of(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
	x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
	return x ^ (x >> 32);
}

struct text {
	char bytes[LEN];
	size_t len;
};

/* Pieces of earlier ones, runs of something short, and noise of few letters. */
static struct text *texts_make(uint64_t seed)
{
	struct text *texts = calloc(TEXTS, sizeof *texts);

	for (unsigned i = 0; i < TEXTS; i++) {
		struct text *t = &texts[i];

		while (t->len < LEN - 100 && random_of(&seed) % 8) {
			size_t n = 1 + random_of(&seed) % 90;
			const struct text *from = &texts[random_of(&seed) % (i + 1)];
			unsigned period = 1 + random_of(&seed) % 5;

			switch (random_of(&seed) % 3) {
			case 0:
				n = n < from->len ? n : from->len;
				memmove(t->bytes + t->len, from->bytes + (from->len - n) / 2, n);
				break;
			case 1:
				for (size_t j = 0; j < n; j++)
					t->bytes[t->len + j] = (char)('a' + j % period);
				break;
			default:
				for (size_t j = 0; j < n; j++)
					t->bytes[t->len + j] = (char)('a' + random_of(&seed) % 3);
			}
			t->len += n;
		}
	}
	return texts;
}

static bool stands_earlier(const struct text *texts, unsigned i, size_t at, size_t length)
{
	for (unsigned j = 0; j <= i; j++)
		for (size_t p = 0; p + length <= texts[j].len && (j < i || p + length <= at); p++)
			if (!memcmp(texts[j].bytes + p, texts[i].bytes + at, length))
				return true;
	return false;
}

struct work {
	struct dedup_substrings *substrings;
	const struct text *texts;
	unsigned threads, step;
};

static int go_through(void *ctx, unsigned thread)
{
	struct work *w = ctx;
	int rc = 0;

	for (unsigned i = TEXTS - 1 - thread; !rc && i < TEXTS; i -= w->threads) {
		const struct text *t = &w->texts[i];

		if (w->step == 0)
			dedup_substrings_note(w->substrings, thread, t->bytes, t->len);
		else if (w->step == 1)
			dedup_substrings_count(w->substrings, thread, t->bytes, t->len);
		else
			rc = dedup_substrings_collect(w->substrings, thread, i, t->bytes, t->len);
	}
	return rc;
}

/* What threads have found, one list each. */
struct finds {
	struct dedup_cuts of[3];
};

static int keep(void *ctx, unsigned thread, struct dedup_cut cut)
{
	return dedup_cuts_add(&((struct finds *)ctx)->of[thread], cut);
}

static void gather(struct dedup_cuts *cuts, struct finds *finds, void (*settle)(struct dedup_cuts *cuts))
{
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(dedup_cuts_add_all(cuts, &finds->of[i]), 0);
		dedup_cuts_release(&finds->of[i]);
	}
	settle(cuts);
}

static unsigned find_substrings(
	const struct text *texts, size_t length, unsigned threads, uint64_t memory, struct dedup_cuts *cuts)
{
	struct work w = {.texts = texts, .threads = threads};
	struct finds finds = {0};
	struct dedup_cut_sink sink = {keep, &finds};
	unsigned parts = 0;

	assert_int_equal(
		dedup_substrings_new(length, threads, TEXTS * LEN / 2, memory, &sink, &w.substrings), 0);
	for (w.step = 0; w.step < 2; w.step++)
		assert_int_equal(dedup_parallel(threads, go_through, &w), 0);
	while (dedup_substrings_more(w.substrings)) {
		assert_int_equal(dedup_parallel(threads, go_through, &w), 0);
		assert_int_equal(dedup_substrings_settle(w.substrings), 0);
		parts++;
	}
	dedup_substrings_free(w.substrings);
	gather(cuts, &finds, dedup_cuts_settle);
	return parts;
}

static void substrings_are_exact(void **state)
{
	static const size_t lengths[] = {16, 23, 100};

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		struct text *texts = texts_make(round);
		size_t length = lengths[round % 3], cut = 0;
		bool *gone = calloc(TEXTS * LEN, sizeof *gone);

		for (unsigned i = 0; i < TEXTS; i++)
			for (size_t at = 0; at + length <= texts[i].len; at++)
				if (stands_earlier(texts, i, at, length))
					memset(gone + i * LEN + at, true, length);
		for (unsigned threads = 1; threads <= 3; threads++) {
			uint64_t memory = threads == 2 ? 4096 : threads == 3 ? 20000 : 0;
			struct dedup_cuts cuts = {0};
			unsigned parts = find_substrings(texts, length, threads, memory, &cuts);

			assert_true(memory ? parts > 2 : parts == 1);
			cut = 0;
			for (size_t i = 0; i < cuts.count; i++) {
				struct dedup_cut c = cuts.v[i];

				assert_true(c.from < c.to && c.to <= texts[c.id].len);
				assert_true(!i || cuts.v[i - 1].id < c.id || cuts.v[i - 1].to < c.from);
				for (size_t at = c.from; at < c.to; at++)
					assert_true(gone[c.id * LEN + at]);
				cut += c.to - c.from;
			}
			for (size_t at = 0; at < TEXTS * LEN; at++)
				cut -= gone[at];
			assert_int_equal(cut, 0);
			dedup_cuts_release(&cuts);
		}
		free(gone);
		free(texts);
	}
}

/* Lines in parts are what they are in one table. */
#define MANY 400u
#define MANY_LEN 1500u

static unsigned cut_lines(char (*texts)[MANY_LEN], uint64_t memory, struct dedup_cuts *cuts)
{
	struct dedup_repeats *repeats;
	struct dedup_repeats_seen seen = {0};
	struct finds finds = {0};
	struct dedup_cut_sink sink = {keep, &finds};
	unsigned parts = 0;

	assert_int_equal(dedup_repeats_new(DEDUP_LINES, 1, memory, &repeats), 0);
	while (dedup_repeats_more(repeats)) {
		for (unsigned i = MANY; i-- > 0;)
			assert_int_equal(dedup_repeats_note(repeats, i, texts[i], strlen(texts[i])), 0);
		assert_true(!memory || dedup_repeats_memory(repeats) <= memory + 400000);
		parts++;
		if (dedup_repeats_overflow(repeats))
			continue;
		for (unsigned i = 0; i < MANY; i++)
			assert_int_equal(
				dedup_repeats_cut(repeats, &seen, i, texts[i], strlen(texts[i]), &sink, 0),
				0);
	}
	gather(cuts, &finds, dedup_repeats_settle);
	dedup_repeats_seen_release(&seen);
	dedup_repeats_free(repeats);
	return parts;
}

static void lines_in_parts(void **state)
{
	char(*texts)[MANY_LEN] = calloc(MANY, sizeof *texts);
	struct dedup_cuts whole = {0}, parts = {0};
	uint64_t seed = 5;

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		for (size_t at = 0; at < MANY_LEN - 10;)
			at += (size_t)sprintf(texts[i] + at, random_of(&seed) % 5 ? "%x\n" : "\n%x",
				(unsigned)(random_of(&seed) % 60000));
	assert_int_equal(cut_lines(texts, 0, &whole), 1);
	assert_true(cut_lines(texts, 280000, &parts) > 3);
	assert_true(whole.count > MANY);
	assert_int_equal(whole.count, parts.count);
	assert_memory_equal(whole.v, parts.v, whole.count * sizeof *whole.v);
	dedup_cuts_release(&whole);
	dedup_cuts_release(&parts);
	free(texts);
}

/* Every window is in one pick, its gram lies in it, and windows that are the same choose the same. */
static void windows_choose(void **state)
{
	static struct dedup_winnow winnow;
	static struct {
		uint64_t key;
		size_t offset;
	} chosen[LEN];
	struct text *texts = texts_make(7);

	(void)state;
	dedup_winnow_init(&winnow, 16, 12345);
	for (unsigned i = 0; i < TEXTS; i++) {
		struct dedup_pick pick;
		size_t at = 0;

		dedup_winnow_text(&winnow, texts[i].bytes, texts[i].len);
		while (dedup_winnow_next(&winnow, &pick)) {
			assert_int_equal(pick.first, at);
			assert_true(pick.windows > 0);
			for (; at < pick.first + pick.windows; at++) {
				assert_true(pick.at >= at && pick.at + winnow.gram <= at + 16);
				chosen[at].key = pick.key;
				chosen[at].offset = pick.at - at;
			}
		}
		assert_int_equal(at, texts[i].len < 16 ? 0 : texts[i].len - 15);
		for (size_t a = 0; a + 1 < at; a++)
			for (size_t b = a + 1; b < at; b++)
				if (!memcmp(texts[i].bytes + a, texts[i].bytes + b, 16)) {
					assert_true(chosen[a].key == chosen[b].key);
					assert_int_equal(chosen[a].offset, chosen[b].offset);
				}
	}
	free(texts);
}

/* Cutting twice is cutting once with both put together. */
static void cuts_compose(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		char text[64], left[64], twice[64], once[64];
		struct dedup_cuts cuts = {0}, later = {0};
		const struct dedup_cut *own;
		size_t n, m, count;

		for (unsigned i = 0; i < sizeof text; i++)
			text[i] = (char)i;
		for (unsigned i = 0; i < 6; i++) {
			uint32_t from = random_of(&seed) % 64, to = from + random_of(&seed) % 12;
			struct dedup_cut cut = {.id = i / 4, .from = from, .to = to < 64 ? to : 64};

			assert_int_equal(dedup_cuts_add(&cuts, cut), 0);
		}
		dedup_cuts_settle(&cuts);
		own = dedup_cuts_of(&cuts, 0, &count);
		n = dedup_cuts_apply(own, count, text, sizeof text, left);
		for (unsigned i = 0; i < 4 && n; i++) {
			uint32_t from = (uint32_t)(random_of(&seed) % n), to = from + random_of(&seed) % 9;
			struct dedup_cut cut = {.from = from, .to = to < n ? to : (uint32_t)n};

			assert_int_equal(dedup_cuts_add(&later, cut), 0);
		}
		dedup_cuts_settle(&later);
		m = dedup_cuts_apply(later.v, later.count, left, n, twice);
		assert_int_equal(dedup_cuts_compose(&cuts, &later), 0);
		own = dedup_cuts_of(&cuts, 0, &count);
		assert_int_equal(dedup_cuts_apply(own, count, text, sizeof text, once), m);
		assert_memory_equal(once, twice, m);
		for (size_t i = 1; i < cuts.count; i++)
			assert_true(cuts.v[i - 1].id < cuts.v[i].id || cuts.v[i - 1].to < cuts.v[i].from);
		dedup_cuts_release(&cuts);
		dedup_cuts_release(&later);
	}
}

static void rewrites(const char *field, const char *line, struct dedup_cut cut, const char *want)
{
	struct dedup_rewritten r = {0};
	struct dedup_line l = {.text = line, .len = strcspn(line, "\r\n"), .whole = strlen(line)};
	enum dedup_format format = field ? DEDUP_FORMAT_JSONL : DEDUP_FORMAT_TEXT;

	assert_int_equal(dedup_rewrite(&r, format, field, &l, &cut, 1), want ? 0 : -EBADMSG);
	if (want) {
		assert_int_equal(r.len, strlen(want));
		assert_memory_equal(r.data, want, r.len);
	}
	dedup_rewritten_release(&r);
}

static void only_the_string_changes(void **state)
{
	struct dedup_cut c = {.from = 1, .to = 5};

	(void)state;
	rewrites("t", "{\"t\": \"abcdefg\"}\r\n", c, "{\"t\": \"afg\"}\r\n");
	rewrites("t", " {\"x\":{\"t\":1}, \"t\"\t:\"a\\u0062\\u00e9\\/fg\",\"t\":\"z\"}", c,
		" {\"x\":{\"t\":1}, \"t\"\t:\"afg\",\"t\":\"z\"}");
	rewrites("t", "{\"t\":\"a\\ud83d\\ude00fg\"}", c, "{\"t\":\"afg\"}");
	rewrites("t", "{\"t\":\"ab\\ud83d\\ude00fg\"}", c, "{\"t\":\"a\\ud83d\\ude00fg\"}"); /* not whole */
	rewrites("m.t", "{\"m\":[\"t\"],\"m\":{\"t\":1}}", c, NULL);
	rewrites("m.t", "{\"l\":[1,{\"m\":{}},\"]\"],\"m\":{\"u\":null,\"t\":\"abcdefg\"}}", c,
		"{\"l\":[1,{\"m\":{}},\"]\"],\"m\":{\"u\":null,\"t\":\"afg\"}}");
	rewrites("m.t", "{\"m\":{\"t\":\"no\"},\"m.t\":\"abcdefg\"}", c,
		"{\"m\":{\"t\":\"no\"},\"m.t\":\"afg\"}");
	rewrites("t", "\xef\xbb\xbf{\"\\u0074\":\"abcdefg\"}", c, "\xef\xbb\xbf{\"\\u0074\":\"afg\"}");
	rewrites("t", "{\"t\":\"abc", c, NULL);
	rewrites("t", "{\"t\":\"abc\\", c, NULL);
	rewrites("t", "{\"t\":5}", c, NULL);
	rewrites("t", "{\"t\":\"a\\ud83dx\"}", c, NULL);
	rewrites(NULL, "abcdefg\n", c, "afg\n");
	rewrites(NULL, "\xc3\xa9\xe6\x97\xa5x\n", c, "\xc3\xa9x\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(substrings_are_exact),
		cmocka_unit_test(lines_in_parts),
		cmocka_unit_test(windows_choose),
		cmocka_unit_test(cuts_compose),
		cmocka_unit_test(only_the_string_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
