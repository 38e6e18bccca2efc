// links: m_report
/* What a store tells about itself. */
#include "tests/unit/upkeep_world.h"

#include "store/report/report.h"

#define ELEMENTS 200000u

static int setup(void **state)
{
	*state = world_new();
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

static int64_t number(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_integer(value))
		fail_msg("%s is no integer", name);
	return json_integer_value(value);
}

static double real(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_real(value))
		fail_msg("%s is no real", name);
	return json_real_value(value);
}

static json_t *info_of(struct world *w, const char *name)
{
	struct inode inode;
	json_t *info = NULL;

	assert_int_equal(names_lookup(w->store->parts.names, NAMES_ROOT, name, &inode), 0);
	assert_int_equal(report_info(w->store, inode.ino, &info), 0);
	assert_non_null(info);
	assert_int_equal(number(info, "ino"), inode.ino);
	return info;
}

static size_t put_checkpoint(struct world *w, const char *name, unsigned step)
{
	size_t len;
	uint8_t *bytes = checkpoint(step, 2, ELEMENTS, &len);

	world_put(w, name, bytes, len);
	world_drain(w);
	free(bytes);
	return len;
}

static int64_t du(struct world *w)
{
	char command[256];
	long long bytes = 0;
	FILE *pipe;

	snprintf(command, sizeof command, "du -s --block-size=1 %s", w->dir);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_int_equal(fscanf(pipe, "%lld", &bytes), 1);
	pclose(pipe);
	return bytes;
}

static void an_empty_store_has_nothing(void **state)
{
	struct world *w = *state;
	json_t *stats = report_stats(w->store);

	assert_non_null(stats);
	assert_int_equal(number(stats, "logical_bytes"), 0);
	assert_int_equal(number(stats, "files"), 0);
	assert_int_equal(number(stats, "directories"), 0);
	assert_int_equal(number(stats, "chunks"), 0);
	assert_true(real(stats, "ratio") == 0);
	assert_string_equal(json_string_value(json_object_get(stats, "path")), w->dir);
	assert_int_equal(strlen(json_string_value(json_object_get(stats, "uuid"))), 36);
	assert_true(json_is_false(json_object_get(stats, "read_only")));
	json_decref(stats);
}

static void logical_and_stored_bytes_are_what_they_are(void **state)
{
	struct world *w = *state;
	size_t len = put_checkpoint(w, "checkpoint-1", 1);
	json_t *stats;

	put_checkpoint(w, "checkpoint-2", 2);
	put_checkpoint(w, "copy", 1);
	world_put(w, "small", "hello", 5);
	world_drain(w);
	stats = report_stats(w->store);
	assert_int_equal(number(stats, "logical_bytes"), 3 * len + 5);
	assert_int_equal(number(stats, "stored_bytes"), du(w));
	assert_int_equal(number(stats, "files"), 4);
	assert_int_equal(number(stats, "pack_bytes"), packs_bytes(w->store->parts.packs));
	assert_true(number(stats, "kv_bytes") > 0);
	assert_int_equal(number(stats, "reserve_bytes"), kv_reserve_bytes(w->store->parts.kv));
	assert_true(
		number(stats, "kv_bytes") + number(stats, "reserve_bytes") < number(stats, "stored_bytes"));
	assert_float_equal(real(stats, "ratio") *
				   (double)(number(stats, "stored_bytes") - number(stats, "reserve_bytes")),
		(double)number(stats, "logical_bytes"), 1);
	assert_int_equal(number(stats, "staged_files"), 0);
	assert_int_equal(number(stats, "queued_files"), 0);
	/* One of three is a copy, one of two that are not is a difference. */
	assert_true(real(stats, "dedup_share") > 0.32 && real(stats, "dedup_share") < 0.34);
	assert_true(real(stats, "delta_share") > 0.45 && real(stats, "delta_share") < 0.55);
	assert_true(real(stats, "encode_mib_s_per_core") > 0);
	json_decref(stats);
}

static void staged_files_count_with_the_size_they_have_now(void **state)
{
	struct world *w = *state;
	struct stage *stage = w->store->parts.stage;
	struct store_options read_only = {.read_only = true};
	struct store_error error;
	struct content *content;
	struct inode inode;
	char bytes[100000] = {1};
	json_t *stats, *info;

	assert_int_equal(
		content_create(stage, NAMES_ROOT, "open", S_IFREG | 0644, &owner, O_WRONLY, &content, &inode),
		0);
	assert_int_equal(content_write(content, bytes, sizeof bytes, 0, false), sizeof bytes);
	stats = report_stats(w->store);
	assert_int_equal(number(stats, "logical_bytes"), sizeof bytes);
	assert_int_equal(number(stats, "staged_files"), 1);
	assert_true(number(stats, "staged_bytes") >= 0); /* the disk may not have given blocks yet */
	json_decref(stats);
	info = info_of(w, "open");
	assert_string_equal(json_string_value(json_object_get(info, "state")), "staged");
	assert_int_equal(number(info, "size"), sizeof bytes);
	json_decref(info);
	content_release(stage, content, O_WRONLY);

	/* Not yet encoded when somebody looks at the unmounted store. */
	world_open(w, false);
	stage = w->store->parts.stage;
	assert_int_equal(
		content_create(stage, NAMES_ROOT, "raw", S_IFREG | 0644, &owner, O_WRONLY, &content, &inode),
		0);
	assert_int_equal(content_write(content, bytes, 70000, 0, false), 70000);
	content_release(stage, content, O_WRONLY);
	world_shut(w);
	assert_int_equal(store_open(w->dir, &read_only, &w->store, &error), 0);
	stats = report_stats(w->store);
	assert_int_equal(number(stats, "logical_bytes"), sizeof bytes + 70000);
	assert_true(number(stats, "staged_files") >= 1);
	assert_true(json_is_true(json_object_get(stats, "read_only")));
	json_decref(stats);
}

static void a_checkpoint_is_told_tensor_by_tensor(void **state)
{
	struct world *w = *state;
	size_t len = put_checkpoint(w, "checkpoint-1", 1);
	const json_t *segments, *segment;
	int64_t bytes = 0, stored = 0;
	json_t *info;
	size_t i;

	put_checkpoint(w, "checkpoint-2", 2);
	info = info_of(w, "checkpoint-2");
	assert_string_equal(json_string_value(json_object_get(info, "state")), "encoded");
	assert_string_equal(json_string_value(json_object_get(info, "format")), "safetensors");
	assert_int_equal(number(info, "size"), len);
	segments = json_object_get(info, "segments");
	assert_int_equal(json_array_size(segments), 3);
	json_array_foreach(segments, i, segment)
	{
		bytes += number(segment, "bytes");
		stored += number(segment, "stored_bytes");
	}
	assert_int_equal(bytes, len);
	assert_int_equal(stored, number(info, "stored_bytes"));
	assert_true(stored > 0 && stored < (int64_t)len);
	assert_string_equal(json_string_value(json_object_get(json_array_get(segments, 0), "name")),
		"(headers and small tensors)");
	segment = json_array_get(segments, 2);
	assert_string_equal(json_string_value(json_object_get(segment, "name")), "layer.1.weight");
	assert_string_equal(json_string_value(json_object_get(segment, "dtype")), "f32");
	assert_int_equal(json_integer_value(json_array_get(json_object_get(segment, "shape"), 0)), ELEMENTS);
	assert_int_equal(number(segment, "bytes"), 4 * ELEMENTS);
	assert_int_equal(number(segment, "chunks"), 4);
	assert_int_equal(number(segment, "depth_max"), 2);
	assert_true(real(segment, "base_share") > 0.9);
	assert_int_equal(number(json_object_get(segment, "codecs"), "symbols-diff"), 4);
	json_decref(info);
	info = info_of(w, "checkpoint-1");
	assert_true(real(json_array_get(json_object_get(info, "segments"), 2), "base_share") == 0);
	json_decref(info);
}

static void other_states_are_told_too(void **state)
{
	struct world *w = *state;
	struct inode inode;
	json_t *info;

	world_put(w, "small", "hello", 5);
	world_put(w, "empty", "", 0);
	world_drain(w);
	info = info_of(w, "small");
	assert_string_equal(json_string_value(json_object_get(info, "state")), "inline");
	assert_int_equal(number(info, "stored_bytes"), 5);
	json_decref(info);
	info = info_of(w, "empty");
	assert_string_equal(json_string_value(json_object_get(info, "state")), "empty");
	json_decref(info);
	assert_int_equal(report_info(w->store, NAMES_ROOT, &info), -EISDIR);
	assert_int_equal(report_info(w->store, 999999, &info), -ENOENT);
	assert_int_equal(names_lookup(w->store->parts.names, NAMES_ROOT, "small", &inode), 0);
}

static void what_is_no_utf8_is_told_all_the_same(void **state)
{
	struct world *w = *state;
	struct world odd = {0};
	struct store_error error;
	json_t *stats;

	snprintf(odd.dir, sizeof odd.dir, "%.100s/\xff\xfe", w->dir);
	world_shut(w);
	assert_int_equal(store_init(odd.dir, 0, 0, &error), 0);
	world_open(&odd, false);
	stats = report_stats(odd.store);
	assert_non_null(stats);
	json_decref(stats);
	world_shut(&odd);
	world_open(w, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_empty_store_has_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(logical_and_stored_bytes_are_what_they_are, setup, teardown),
		cmocka_unit_test_setup_teardown(
			staged_files_count_with_the_size_they_have_now, setup, teardown),
		cmocka_unit_test_setup_teardown(a_checkpoint_is_told_tensor_by_tensor, setup, teardown),
		cmocka_unit_test_setup_teardown(other_states_are_told_too, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_utf8_is_told_all_the_same, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
