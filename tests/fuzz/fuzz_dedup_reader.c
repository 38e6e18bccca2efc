// links: m_dedup_read m_dedup_text
/* Any file is read to its end: the lines of its blocks are all of its bytes, and every record's text becomes
 * words. The first byte says how the file is named. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dedup/read/reader.h"
#include "dedup/read/record.h"
#include "dedup/text/shingles.h"
#include "dedup/text/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
}

static void use_lines(const struct dedup_block *block, struct dedup_json *json, enum dedup_format format)
{
	struct dedup_words words;
	struct dedup_shingles shingles = {0};
	struct dedup_line line;
	size_t at = 0, seen = 0, count = 0;

	dedup_words_init(&words, DEDUP_NORMALISE_ALL);
	while (dedup_block_line(block, &at, &line)) {
		const char *text, *why;
		size_t len;

		check(line.text == block->data + seen && line.len <= line.whole);
		seen += line.whole;
		count++;
		if (dedup_record_text(json, format, "a.text", &line, &text, &len, &why))
			continue;
		check(!dedup_words_of(&words, text, len) && words.count <= len + 1);
		check(!dedup_shingles_of(&shingles, words.v, words.count, 3));
		check(shingles.count <= words.count && (shingles.count || !words.count));
	}
	check(seen == block->len && count == block->lines);
	dedup_shingles_release(&shingles);
	dedup_words_release(&words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum dedup_format format = size && data[0] & 1 ? DEDUP_FORMAT_TEXT : DEDUP_FORMAT_JSONL;
	struct dedup_inputs inputs = {0};
	struct dedup_block block = {0};
	struct dedup_reader *reader = NULL;
	struct dedup_json *json = NULL;
	uint32_t id = 0;
	char path[64];
	int fd = memfd_create("input", MFD_CLOEXEC);

	check(fd >= 0);
	if (size > 1)
		check(write(fd, data + 1, size - 1) == (ssize_t)(size - 1));
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	check(!dedup_inputs_add(&inputs, path, format));
	check(!dedup_reader_new(&inputs, 0, 1, 0, &reader) && !dedup_json_new(&json));
	while (dedup_reader_next(reader, &block) > 0) {
		check(block.id == id && block.line == id && block.lines > 0);
		id += block.lines;
		if (!block.why)
			use_lines(&block, json, format);
	}
	dedup_json_free(json);
	dedup_reader_free(reader);
	dedup_block_release(&block);
	dedup_inputs_release(&inputs);
	close(fd);
	return 0;
}
