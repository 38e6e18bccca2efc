// links: m_dedup
/* The files of the stages, from anywhere: each later stage either ends with an error or leaves files that the
 * next one takes. The first byte chooses the file, the rest is what its one run holds, or, for the upper
 * half, the file itself. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dedup/stages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
	const char *name;
	enum dedup_table_kind kind;
	uint32_t part;
} files[] = {
	{"notes", DEDUP_TABLE_NOTES, 0},
	{"notes", DEDUP_TABLE_NOTES, 1},
	{"texts", DEDUP_TABLE_TEXTS, 0},
	{"bands", DEDUP_TABLE_BANDS, 0},
	{"edges", DEDUP_TABLE_EDGES, DEDUP_TABLE_TEXTS},
	{"edges", DEDUP_TABLE_EDGES, DEDUP_TABLE_BANDS},
	{"lines", DEDUP_TABLE_LINES, 0},
	{"components", DEDUP_TABLE_COMPONENTS, 0},
	{"shingles", DEDUP_TABLE_SHINGLES, 0},
	{"ties", DEDUP_TABLE_TIES, 0},
	{"outcome", DEDUP_TABLE_OUTCOME, 0},
	{"outcome", DEDUP_TABLE_OUTCOME, UINT32_MAX},
};
#define FILES (sizeof files / sizeof files[0])

static const char text[] = "{\"text\": \"one two three four\"}\n{\"text\": \"one two three five\"}\n\n"
			   "{\"text\": \"one two three four\"}\n{\"text\": \"six\"}\n";

static void check(int holds)
{
	if (!holds)
		abort();
}

static void write_all(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	check(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
}

/* Puts the input into one of the files, with one run (or two for notes, whose lines are right then). */
static void damage(const struct dedup_work *work, const uint8_t *data, size_t size)
{
	size_t which = data[0] % FILES;
	char path[PATH_MAX + 32];
	struct dedup_table_writer w;
	struct dedup_table table;
	uint64_t counts[DEDUP_TABLE_COUNTS] = {0};

	snprintf(path, sizeof path, "%s/%s-0", work->dir, files[which].name);
	if (data[0] >= 128) {
		write_all(path, data + 1, size - 1);
		return;
	}
	if (!dedup_work_load(work, files[which].name, 0, files[which].kind, &table)) {
		memcpy(counts, table.counts, sizeof counts);
		dedup_table_close(&table);
	}
	check(!dedup_work_create(work, files[which].name, 0, files[which].kind, &w));
	check(!dedup_table_begin(&w, files[which].part));
	check(!dedup_table_put(&w, data + 1, size - 1));
	memcpy(w.counts, counts, sizeof counts);
	check(!dedup_table_finish(&w));
	dedup_table_drop(&w);
}

/* From the stage after the one that leaves this file. */
static void go_on(const struct dedup_work *work, size_t which)
{
	static const unsigned from[FILES] = {0, 0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 5};
	struct dedup_result result = {0};
	struct dedup_outcome outcome;
	int rc = 0;

	for (unsigned stage = from[which]; !rc && stage < 5; stage++) {
		static const char *const leaves[] = {"edges", "lines", "shingles", "ties", "outcome"};
		char path[PATH_MAX + 32];

		snprintf(path, sizeof path, "%s/%s-0", work->dir, leaves[stage]);
		unlink(path);
		rc = stage == 0	  ? dedup_stage_band(work, 0, &result)
		     : stage == 1 ? dedup_stage_group(work, &result)
		     : stage == 2 ? dedup_stage_gather(work, 0, &result)
		     : stage == 3 ? dedup_stage_verify(work, 0, &result)
				  : dedup_stage_cluster(work, &result);
	}
	check(!dedup_outcome_init(&outcome, 1));
	rc = rc ? rc : dedup_stages_outcome(work, &outcome, &result);
	for (uint32_t id = 0; !rc && id < dedup_outcome_lines(&outcome); id++) {
		struct dedup_fate fate = dedup_outcome_of(&outcome, id);

		check(fate.keeper == id || dedup_outcome_of(&outcome, fate.keeper).how == DEDUP_HOW_STAYS);
	}
	dedup_outcome_release(&outcome);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dedup_inputs inputs = {0};
	struct dedup_options options = {
		.inputs = &inputs,
		.field = "text",
		.method = DEDUP_NEAR,
		.normalise = DEDUP_NORMALISE_ALL,
		.ngram = 1,
		.threshold = .5,
		.bands = {4, 1},
		.values = 4,
		.on_error = DEDUP_SKIP,
		.memory = 1u << 16,
		.threads = 1,
	};
	struct dedup_result result = {0};
	struct dedup_work work;
	char path[64];
	int fd = memfd_create("input", MFD_CLOEXEC);

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	check(fd >= 0 && write(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1);
	check(!dedup_inputs_add(&inputs, path, DEDUP_FORMAT_JSONL) && !dedup_inputs_name(&inputs));
	check(!dedup_work_open(&work, &options));
	check(!dedup_stages_run(&work, &result));
	if (size) {
		damage(&work, data, size);
		go_on(&work, data[0] % FILES);
	}
	dedup_work_remove(&work);
	dedup_inputs_release(&inputs);
	close(fd);
	return 0;
}
