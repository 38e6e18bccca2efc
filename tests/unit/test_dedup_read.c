// links: m_dedup_read
/* Lines come in order with their numbers, from files of every kind; what is wrong is told of with its place.
 */
#include <errno.h>

#include "dedup/read/date.h"
#include "dedup/read/inputs.h"
#include "dedup/read/reader.h"
#include "dedup/read/record.h"
#include "tests/unit/dedup_world.h"

#define MANY 200000u

/* "0\n1\n2\n...": more than a block. */
static char *numbers(size_t count, size_t *len)
{
	char *text = malloc(count * 12);

	*len = 0;
	for (size_t i = 0; i < count; i++)
		*len += (size_t)sprintf(text + *len, "%zu\n", i);
	return text;
}

/* Reads all lines of `numbers`, and returns how many. *why: the first fault, at line *bad. */
static uint32_t read_all(const struct dedup_inputs *inputs, const char **why, uint64_t *bad)
{
	struct dedup_block block = {0};
	struct dedup_reader *reader;
	uint32_t next = 0;
	int rc;

	*why = NULL;
	assert_int_equal(dedup_reader_new(inputs, 0, inputs->count, 0, &reader), 0);
	while ((rc = dedup_reader_next(reader, &block)) > 0) {
		struct dedup_line line;
		uint64_t number = block.line;
		uint32_t lines = 0;
		size_t at = 0;

		assert_int_equal(block.id, next);
		next += block.lines;
		if (block.why) {
			assert_int_equal(block.lines, 1);
			*bad = block.line;
			*why = *why ? *why : block.why;
			continue;
		}
		for (; dedup_block_line(&block, &at, &line); number++, lines++) {
			char text[24];

			snprintf(text, sizeof text, "%llu", (unsigned long long)number);
			if (line.len && line.len < 20 && !*why)
				assert_true(line.len == strlen(text) && !memcmp(line.text, text, line.len));
		}
		assert_int_equal(lines, block.lines);
	}
	assert_int_equal(rc, 0);
	dedup_block_release(&block);
	dedup_reader_free(reader);
	return next;
}

static void reads_every_kind(void **state)
{
	struct world *world = *state;
	struct dedup_inputs inputs = {0};
	const char *why;
	uint64_t bad;
	size_t len, packed_len;
	char *text = numbers(MANY, &len);

	assert_int_equal(dedup_inputs_add(&inputs, world_write(world, "a.jsonl", text, len), 0), 0);
	for (enum dedup_codec codec = DEDUP_CODEC_GZIP; codec < DEDUP_CODEC_COUNT; codec++) {
		size_t half = len / 2, second_len;
		uint8_t *packed = world_encode(codec, text, half, &packed_len);
		uint8_t *second = world_encode(codec, text + half, len - half, &second_len);
		char name[32];

		/* Two members, one after the other. */
		packed = realloc(packed, packed_len + second_len);
		memcpy(packed + packed_len, second, second_len);
		snprintf(name, sizeof name, "a.txt%s", dedup_codec_suffix(codec));
		world_write(world, name, packed, packed_len + second_len);
		assert_int_equal(dedup_inputs_add(&inputs, world->path, 0), 0);
		assert_int_equal(inputs.v[codec].codec, codec);
		assert_int_equal(inputs.v[codec].format, DEDUP_FORMAT_TEXT);
		free(packed);
		free(second);
	}
	assert_int_equal(inputs.v[0].format, DEDUP_FORMAT_JSONL);
	assert_int_equal(read_all(&inputs, &why, &bad), 5 * MANY);
	assert_null(why);
	dedup_inputs_release(&inputs);
	free(text);
}

static uint32_t read_one(struct world *world, const void *data, size_t len, const char **why, uint64_t *bad)
{
	struct dedup_inputs inputs = {0};
	uint32_t lines;

	assert_int_equal(dedup_inputs_add(&inputs, world_write(world, "one", data, len), 0), 0);
	lines = read_all(&inputs, why, bad);
	dedup_inputs_release(&inputs);
	return lines;
}

static void ends_of_files(void **state)
{
	const char *why;
	uint64_t bad;

	assert_int_equal(read_one(*state, "", 0, &why, &bad), 0);
	assert_int_equal(read_one(*state, "\n", 1, &why, &bad), 1);
	assert_int_equal(read_one(*state, "0\n1", 3, &why, &bad), 2);
	assert_int_equal(read_one(*state, "0\r\n1\r\n", 6, &why, &bad), 2);
	assert_null(why);
}

static void tells_of_a_cut(void **state)
{
	size_t len, packed_len;
	char *text = numbers(MANY, &len);

	for (enum dedup_codec codec = DEDUP_CODEC_GZIP; codec < DEDUP_CODEC_COUNT; codec++) {
		uint8_t *packed = world_encode(codec, text, len, &packed_len);
		const char *why;
		uint64_t bad;
		uint32_t lines = read_one(*state, packed, packed_len - 9, &why, &bad);

		assert_non_null(why);
		assert_string_equal(why, "the compressed file ends before its end");
		assert_true(lines <= MANY + 1 && bad + 1 == lines);
		free(packed);
	}
	free(text);
}

static void padding_is_fine_and_rubbish_is_not(void **state)
{
	const char *why;
	uint64_t bad;
	size_t len;
	uint8_t *packed = world_encode(DEDUP_CODEC_GZIP, "0\n1\n", 4, &len);

	packed = realloc(packed, len + 600);
	memset(packed + len, 0, 600);
	assert_int_equal(read_one(*state, packed, len + 600, &why, &bad), 2);
	assert_null(why);
	packed[len + 500] = 1;
	assert_int_equal(read_one(*state, packed, len + 600, &why, &bad), 3);
	assert_string_equal(why, "the compressed file is damaged");
	free(packed);
}

static void a_line_without_end(void **state)
{
	size_t len = DEDUP_LINE_MAX + 5 * DEDUP_BLOCK;
	char *text = malloc(len);
	const char *why;
	uint64_t bad;

	memset(text, 'x', len);
	memcpy(text, "0\n", 2);
	memcpy(text + len - 3, "\n2\n", 3);
	assert_int_equal(read_one(*state, text, len, &why, &bad), 3);
	assert_string_equal(why, "the line is longer than 64 MiB");
	assert_int_equal(bad, 1);
	assert_int_equal(read_one(*state, text, len - 3, &why, &bad), 2);
	assert_int_equal(bad, 1);
	/* Just as long as allowed. */
	assert_int_equal(read_one(*state, text, DEDUP_LINE_MAX / 2, &why, &bad), 2);
	assert_null(why);
	free(text);
}

static void names_below_what_is_shared(void **state)
{
	struct world *world = *state;
	struct dedup_inputs inputs = {0};

	mkdir(world_path(world, "x"), 0777);
	mkdir(world_path(world, "y"), 0777);
	assert_int_equal(dedup_inputs_add(&inputs, world_write(world, "x/part.jsonl", "", 0), 0), 0);
	assert_int_equal(dedup_inputs_add(&inputs, world_write(world, "y/part.jsonl", "", 0), 0), 0);
	assert_int_equal(dedup_inputs_name(&inputs), 0);
	assert_string_equal(inputs.v[0].name, "x/part.jsonl");
	assert_string_equal(inputs.v[1].name, "y/part.jsonl");
	dedup_inputs_release(&inputs);

	world_write(world, "x/other.jsonl", "", 0);
	assert_int_equal(dedup_inputs_add(&inputs, world_path(world, "x/*.jsonl"), 0), 0);
	assert_int_equal(inputs.count, 2);
	assert_int_equal(dedup_inputs_name(&inputs), 0);
	assert_string_equal(inputs.v[0].name, "other.jsonl");
	assert_string_equal(inputs.v[1].name, "part.jsonl");
	assert_int_equal(dedup_inputs_add(&inputs, world_path(world, "x/../x/part.jsonl"), 0), -EEXIST);
	assert_int_equal(dedup_inputs_add(&inputs, world_path(world, "z*"), 0), -ENOENT);
	assert_int_equal(dedup_inputs_add(&inputs, world_path(world, "nothing"), 0), -ENOENT);
	assert_int_equal(dedup_inputs_add(&inputs, world_path(world, "x"), 0), -EISDIR);
	dedup_inputs_release(&inputs);
}

static void notices_a_change(void **state)
{
	struct world *world = *state;
	struct dedup_inputs inputs = {0};
	struct dedup_block block = {0};
	struct dedup_reader *reader;

	assert_int_equal(dedup_inputs_add(&inputs, world_write(world, "changing", "0\n", 2), 0), 0);
	world_write(world, "changing", "0\n1\n", 4);
	assert_int_equal(dedup_reader_new(&inputs, 0, 1, 0, &reader), 0);
	assert_int_equal(dedup_reader_next(reader, &block), -ESTALE);
	assert_int_equal(dedup_reader_next(reader, &block), 0);
	dedup_block_release(&block);
	dedup_reader_free(reader);
	dedup_inputs_release(&inputs);
}

static int text_of(
	enum dedup_format format, const char *line, size_t len, const char *field, const char *wanted)
{
	char padded[512] = {0};
	struct dedup_line at = {.text = padded, .len = len, .whole = len};
	struct dedup_json *json;
	const char *text, *why = NULL;
	size_t text_len;
	int rc;

	memcpy(padded, line, len);
	assert_int_equal(dedup_json_new(&json), 0);
	rc = dedup_record_text(json, format, field, &at, &text, &text_len, &why);
	if (!rc)
		assert_true(text_len == strlen(wanted) && !memcmp(text, wanted, text_len));
	else
		assert_non_null(why);
	dedup_json_free(json);
	return rc;
}

#define JSON(line, field, wanted) text_of(DEDUP_FORMAT_JSONL, line, sizeof(line) - 1, field, wanted)
#define TEXT(line, wanted) text_of(DEDUP_FORMAT_TEXT, line, sizeof(line) - 1, "text", wanted)

static void finds_the_field(void **state)
{
	(void)state;
	assert_int_equal(JSON("{\"text\": \"a\\u00e9\\n\"}", "text", "a\xc3\xa9\n"), 0);
	assert_int_equal(JSON("{\"meta\": {\"in\": {\"text\": \"b\"}}}", "meta.in.text", "b"), 0);
	assert_int_equal(JSON("{\"meta.text\": \"c\", \"meta\": {\"text\": \"d\"}}", "meta.text", "c"), 0);
	assert_int_equal(JSON("{\"a\": {\"b.c\": \"e\"}}", "a.b.c", "e"), 0);
	assert_int_equal(JSON("{\"text\": \"\"}", "text", ""), 0);
	assert_int_equal(JSON("\xef\xbb\xbf{\"text\": \"f\"}", "text", "f"), 0);
	assert_int_equal(JSON("\xef\xbb\xbf", "text", ""), -EBADMSG);
	assert_int_equal(JSON("{\"txt\": \"a\"}", "text", ""), -ENOENT);
	assert_int_equal(JSON("{\"meta\": 1}", "meta.text", ""), -ENOENT);
	assert_int_equal(JSON("{\"text\": 1}", "text", ""), -EINVAL);
	assert_int_equal(JSON("{\"text\": null}", "text", ""), -EINVAL);
	assert_int_equal(JSON("[\"text\"]", "text", ""), -EBADMSG);
	assert_int_equal(JSON("{\"text\": \"a\"", "text", ""), -EBADMSG);
	assert_int_equal(JSON("{\"text\": \"a\"} {}", "text", ""), -EBADMSG);
	assert_int_equal(JSON("{\"text\": \"a\", \"b\": }", "text", ""), -EBADMSG);
	assert_int_equal(JSON("{\"text\": \"a\0b\"}", "text", ""), -EBADMSG);
	assert_int_equal(JSON("{\"text\": \"\xff\"}", "text", ""), -EBADMSG);
	assert_int_equal(TEXT("plain \xc3\xa9", "plain \xc3\xa9"), 0);
	assert_int_equal(TEXT("a\0b", ""), -EBADMSG);
	assert_int_equal(TEXT("a\xc3", ""), -EBADMSG);
}

static void blanks_are_no_records(void **state)
{
	struct dedup_line blank = {.text = " \t\r", .len = 3}, other = {.text = " x", .len = 2},
			  none = {.text = ""};

	(void)state;
	assert_true(dedup_line_is_blank(&blank));
	assert_true(dedup_line_is_blank(&none));
	assert_false(dedup_line_is_blank(&other));
}

static void dates(void **state)
{
	static const struct {
		const char *text;
		double seconds;
	} good[] = {
		{"1970", 0},
		{"2000-03", 951868800},
		{"2024-02-29", 1709164800},
		{"1969-12-31T23:59:59", -1},
		{"0000-03-01", -62162035200},
		{"2024-05-31 10:20", 1717150800},
		{"2024-05-31T10:20:30Z", 1717150830},
		{"2024-05-31T10:20:30.25+01:30", 1717145430.25},
		{"2024-05-31T10:20-0100", 1717154400},
		{"9999-12-31", 253402214400},
	};
	static const char *const bad[] = {"", "24", "2024-", "2024-13", "2024-1-1", "2024-01-01T",
		"2024-01-01T10", "2024-01-01T10:20:", "2024-01-01T10:20:30.", "2024-01-01x",
		"2024-01-01T10:20+1", "2024x", "20240101"};
	double seconds;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_true(dedup_date_of(good[i].text, strlen(good[i].text), &seconds));
		assert_true(seconds == good[i].seconds);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(dedup_date_of(bad[i], strlen(bad[i]), &seconds));
}

/* Two blocks of texts with what lines cannot hold, and one text that cannot be had between them. */
static int next_texts(void *ctx, struct dedup_block *block)
{
	unsigned *call = ctx;

	if (++*call == 2) {
		block->why = "it cannot be had";
		return 1;
	}
	if (*call > 3)
		return 0;
	assert_int_equal(dedup_block_add(block, "a\nb", 3), 0);
	assert_int_equal(dedup_block_add(block, NULL, 0), 0);
	assert_int_equal(dedup_block_add(block, " ", 1), 0);
	return 1;
}

static void texts_of_a_source(void **state)
{
	unsigned calls = 0, seen = 0;
	struct dedup_source source = {next_texts, &calls};
	struct dedup_inputs inputs = {0};
	struct dedup_block block = {0};
	struct dedup_reader *reader;

	(void)state;
	assert_int_equal(dedup_inputs_add_source(&inputs, "rows", &source), 0);
	assert_int_equal(dedup_reader_new(&inputs, 0, 1, 0, &reader), 0);
	while (dedup_reader_next(reader, &block) > 0) {
		struct dedup_line line;
		size_t at = 0;

		assert_int_equal(block.id, seen);
		assert_int_equal(block.line, seen);
		if (block.why) {
			assert_int_equal(block.lines, 1);
			seen++;
			continue;
		}
		assert_true(dedup_block_line(&block, &at, &line));
		assert_true(line.len == 3 && !memcmp(line.text, "a\nb", 3));
		assert_true(dedup_block_line(&block, &at, &line) && dedup_line_is_blank(&line));
		assert_true(dedup_block_line(&block, &at, &line) && !dedup_line_is_blank(&line));
		assert_false(dedup_block_line(&block, &at, &line));
		seen += block.lines;
	}
	assert_int_equal(seen, 7);
	dedup_block_release(&block);
	dedup_reader_free(reader);
	dedup_inputs_release(&inputs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_kind),
		cmocka_unit_test(ends_of_files),
		cmocka_unit_test(tells_of_a_cut),
		cmocka_unit_test(padding_is_fine_and_rubbish_is_not),
		cmocka_unit_test(a_line_without_end),
		cmocka_unit_test(names_below_what_is_shared),
		cmocka_unit_test(notices_a_change),
		cmocka_unit_test(finds_the_field),
		cmocka_unit_test(blanks_are_no_records),
		cmocka_unit_test(dates),
		cmocka_unit_test(texts_of_a_source),
	};
	return cmocka_run_group_tests(tests, world_make, world_remove);
}
