// links: m_report
/* Tensors that are roundings of others, in real stores: found, kept small, told of, and given back. */
#include "tests/unit/upkeep_world.h"

#include <math.h>

#include "store/codec/codec.h"
#include "store/report/report.h"
#include "store/util/bytes.h"

#define ELEMENTS 300000u

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

/* One tensor of a file: values of a model, which is a number, after some steps. */
struct spec {
	const char *name;
	enum dtype dtype; /* f32, f16 or bf16 */
	unsigned model, step;
};

static float value_of(const struct spec *spec, size_t i)
{
	uint64_t state = (i + 1) * 0x9e3779b97f4a7c15u + spec->model * 0x2545f4914f6cdd1du;
	float v;

	world_random(&state);
	v = 0.02f * near_gaussian(&state);
	for (unsigned s = 0; s < spec->step; s++)
		v += 2e-5f * near_gaussian(&state);
	return v;
}

/* To nearest, of what is no larger than f16 can say. */
static uint16_t half_of(uint32_t x)
{
	uint32_t sign = x >> 16 & 0x8000, a = x & 0x7fffffff, up;
	float f;

	memcpy(&f, &a, 4);
	if (a < 0x38800000)
		return (uint16_t)(sign | (uint32_t)lrintf(f * 16777216));
	up = a - 0x38000000 + 0xfff + (a >> 13 & 1);
	return (uint16_t)(sign | up >> 13);
}

/* The codec knows rounding; its own tests say that it knows it right. */
static void round_to(enum dtype dtype, uint8_t *dst, const uint8_t *f32, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t x = get_le32(f32 + 4 * i);
		if (dtype == DTYPE_BF16) {
			put_le16(dst + 2 * i, (uint16_t)((x + 0x7fff + (x >> 16 & 1)) >> 16));
		} else {
			put_le16(dst + 2 * i, half_of(x));
		}
	}
}

static const char *dtype_text(enum dtype dtype)
{
	return dtype == DTYPE_F32 ? "F32" : dtype == DTYPE_F16 ? "F16" : "BF16";
}

/* A safetensors file. The caller frees. */
static uint8_t *make_file(const struct spec *specs, size_t count, size_t elements, size_t *len)
{
	char *header = malloc(256 * count + 16);
	size_t n = (size_t)sprintf(header, "{"), data = 0;
	uint8_t *file, *wide = malloc(4 * elements), *at;

	for (size_t i = 0; i < count; i++) {
		size_t bytes = elements * (specs[i].dtype == DTYPE_F32 ? 4 : 2);
		n += (size_t)sprintf(header + n,
			"%s\"%s\":{\"dtype\":\"%s\",\"shape\":[%zu],\"data_offsets\":[%zu,%zu]}",
			i ? "," : "", specs[i].name, dtype_text(specs[i].dtype), elements, data,
			data + bytes);
		data += bytes;
	}
	n += (size_t)sprintf(header + n, "}");
	file = malloc(8 + n + data);
	put_le64(file, n);
	memcpy(file + 8, header, n);
	at = file + 8 + n;
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < elements; k++) {
			float v = value_of(&specs[i], k);
			memcpy(wide + 4 * k, &v, 4);
		}
		if (specs[i].dtype == DTYPE_F32)
			memcpy(at, wide, 4 * elements);
		else
			round_to(specs[i].dtype, at, wide, elements);
		at += elements * (specs[i].dtype == DTYPE_F32 ? 4 : 2);
	}
	free(wide);
	free(header);
	*len = 8 + n + data;
	return file;
}

static uint64_t new_bytes(struct world *w, const char *name)
{
	struct recipe_head head;
	struct inode inode;

	assert_int_equal(names_lookup(w->store->parts.names, NAMES_ROOT, name, &inode), 0);
	assert_int_equal(recipe_head_get(w->store->parts.recipes, inode.recipe, &head), 0);
	return head.new_bytes;
}

/* Bytes that the file took. */
static uint64_t put_file(struct world *w, const char *name, const struct spec *specs, size_t count)
{
	size_t len;
	uint8_t *bytes = make_file(specs, count, ELEMENTS, &len);

	world_put(w, name, bytes, len);
	world_drain(w);
	free(bytes);
	return new_bytes(w, name);
}

static void expect_file(struct world *w, const char *name, const struct spec *specs, size_t count)
{
	size_t len;
	uint8_t *bytes = make_file(specs, count, ELEMENTS, &len);

	world_expect(w, name, bytes, len);
	free(bytes);
}

static void tell(void *ctx, const char *line)
{
	(void)ctx;
	print_message("%s\n", line);
}

static void expect_clean(struct world *w)
{
	struct fsck_options options = {.data = true, .report = tell};

	assert_int_equal(fsck_run(&w->store->parts, &options), 0);
}

struct census {
	struct chunks *chunks;
	unsigned by_codec[CODEC_COUNT], depth, wide, times;
	bool in_bounds, counted;
};

static int count_chunk(void *ctx, const struct chunk_id *id, const struct chunk_record *record)
{
	struct census *census = ctx;
	struct chunk_record counted = *record, bases[FRAME_BASES_MAX];
	uint32_t wide = 1;

	(void)id;
	census->by_codec[record->codec]++;
	census->depth = record->depth > census->depth ? record->depth : census->depth;
	census->wide += record->bases.count > 1;
	for (uint32_t i = 0; i < record->bases.count; i++)
		assert_int_equal(chunks_get(census->chunks, &record->bases.id[i], &bases[i]), 0);
	if (!chunks_stand(census->chunks, &counted, bases) || counted.frames != record->frames ||
		counted.chain_bytes != record->chain_bytes)
		census->counted = false;
	/* what it is derived from has two to four times its raw bytes, and costs so many times as many */
	if (record->codec == CODEC_DERIVED)
		wide = 2;
	if (record->codec == CODEC_STEP)
		wide = record->bases.count;
	if (record->chain_bytes > census->times * wide * record->raw_len)
		census->in_bounds = false;
	return 0;
}

static struct census take_census_of(struct world *w, unsigned times)
{
	struct census census = {
		.chunks = w->store->parts.chunks, .times = times, .in_bounds = true, .counted = true};

	assert_int_equal(chunks_each(w->store->parts.chunks, count_chunk, &census), 0);
	assert_true(census.in_bounds);
	assert_true(census.counted);
	census.chunks = NULL;
	return census;
}

static struct census take_census(struct world *w)
{
	return take_census_of(w, 2);
}

static struct gc_result collect(struct world *w)
{
	struct gc_result result;

	assert_int_equal(gc_run(&w->store->parts, 0, NULL, NULL, &result), 0);
	return result;
}

#define HALF ((uint64_t)2 * ELEMENTS)

static const struct spec master[] = {
	{"model.a.weight", DTYPE_F32, 1, 5}, {"model.b.weight", DTYPE_F32, 2, 5}};
static const struct spec bf16[] = {{"a.weight", DTYPE_BF16, 1, 5}, {"b.weight", DTYPE_BF16, 2, 5}};
static const struct spec f16[] = {{"a.weight", DTYPE_F16, 1, 5}, {"b.weight", DTYPE_F16, 2, 5}};

static void a_rounding_takes_hardly_anything(void **state)
{
	struct world *w = *state;
	struct census census;

	put_file(w, "master", master, 2);
	assert_in_range(put_file(w, "export", bf16, 2), 1, 6000);
	assert_in_range(put_file(w, "half", f16, 2), 1, 6000);
	census = take_census(w);
	/* three chunks of 256 KiB a tensor, the last one shorter; each but that stands on two */
	assert_int_equal(census.by_codec[CODEC_DERIVED], 2 * 2 * 3);
	assert_int_equal(census.wide, 2 * 2 * 2);
	assert_int_equal(census.depth, 2);
	for (int again = 0; again < 2; again++) {
		expect_file(w, "export", bf16, 2);
		expect_file(w, "half", f16, 2);
		expect_file(w, "master", master, 2);
		world_open(w, true);
	}
	expect_clean(w);
}

static void the_master_of_a_rounding_takes_the_rest(void **state)
{
	struct world *w = *state;
	uint64_t rounded = put_file(w, "export", bf16, 2), rest = put_file(w, "master", master, 2), alone;
	struct world *other = world_new();

	alone = put_file(other, "master", master, 2);
	world_free(other);
	print_message("f32 alone %zu KiB; bf16 %zu KiB and the rest %zu KiB\n", (size_t)alone >> 10,
		(size_t)rounded >> 10, (size_t)rest >> 10);
	assert_true(rounded + rest < alone + alone / 50);
	assert_int_equal(take_census(w).by_codec[CODEC_WIDENED], 2 * 5);
	world_open(w, true);
	expect_file(w, "master", master, 2);
	expect_file(w, "export", bf16, 2);
	expect_clean(w);
}

/* Names say nothing here, and all shapes are the same. */
static void a_source_is_found_by_its_content(void **state)
{
	struct world *w = *state;
	const struct spec many[] = {{"x0", DTYPE_F32, 1, 5}, {"x1", DTYPE_F32, 2, 5}, {"x2", DTYPE_F32, 3, 5},
		{"x3", DTYPE_F32, 4, 5}};
	const struct spec odd[] = {{"y.p", DTYPE_BF16, 2, 5}, {"y.q", DTYPE_BF16, 3, 5}};

	put_file(w, "master", many, 4);
	assert_in_range(put_file(w, "export", odd, 2), 1, 6000);
	expect_file(w, "export", odd, 2);
}

static void another_model_of_the_same_shapes_is_no_source(void **state)
{
	struct world *w = *state;
	const struct spec stranger[] = {{"a.weight", DTYPE_BF16, 77, 5}, {"b.weight", DTYPE_BF16, 78, 5}};
	struct census census;

	put_file(w, "master", master, 2);
	put_file(w, "export", stranger, 2);
	census = take_census(w);
	assert_int_equal(census.by_codec[CODEC_DERIVED], 0);
	expect_file(w, "export", stranger, 2);
}

/* Of many steps the right one is taken, whatever came after it. */
static void the_right_step_is_the_source(void **state)
{
	struct world *w = *state;
	struct spec specs[] = {{"w", DTYPE_F32, 1, 0}}, rounded[] = {{"w", DTYPE_BF16, 1, 2}};

	for (unsigned step = 0; step < 6; step++) {
		char name[32];
		snprintf(name, sizeof name, "master-%u", step);
		specs[0].step = step;
		put_file(w, name, specs, 1);
	}
	assert_in_range(put_file(w, "export", rounded, 1), 1, 3000);
	expect_file(w, "export", rounded, 1);
	take_census(w);
}

static void one_file_may_have_both(void **state)
{
	struct world *w = *state;
	const struct spec before[] = {{"model.a", DTYPE_BF16, 1, 5}, {"model.b", DTYPE_BF16, 2, 5},
		{"master.a", DTYPE_F32, 1, 5}, {"master.b", DTYPE_F32, 2, 5}};
	const struct spec after[] = {{"master.a", DTYPE_F32, 11, 5}, {"model.a", DTYPE_BF16, 11, 5},
		{"master.b", DTYPE_F32, 12, 5}, {"model.b", DTYPE_BF16, 12, 5}};
	struct census census;

	put_file(w, "before", before, 4);
	census = take_census(w);
	assert_int_equal(census.by_codec[CODEC_WIDENED], 2 * 5);
	put_file(w, "after", after, 4);
	census = take_census(w);
	assert_int_equal(census.by_codec[CODEC_DERIVED], 2 * 3);
	world_open(w, true);
	expect_file(w, "before", before, 4);
	expect_file(w, "after", after, 4);
	expect_clean(w);
}

/* A bf16 file that is all in another one, which goes. */
static void what_is_shared_brings_what_it_stands_on(void **state)
{
	struct world *w = *state;
	const struct spec both[] = {{"master.a", DTYPE_F32, 1, 5}, {"model.a", DTYPE_BF16, 1, 5}};
	const struct spec one[] = {{"model.a", DTYPE_BF16, 1, 5}};

	put_file(w, "both", both, 2);
	assert_in_range(put_file(w, "one", one, 1), 0, 2000);
	world_delete(w, "both");
	collect(w);
	world_open(w, true);
	expect_file(w, "one", one, 1);
	expect_clean(w);
}

/* Appends a chunk and announces it, as an encoder does that is not done yet. */
static struct chunk_id announce(struct world *w, enum dtype dtype, const void *raw, size_t len,
	const struct codec_result *result, const void *payload, const struct chunk_bases *bases)
{
	struct chunks *chunks = w->store->parts.chunks;
	struct frame frame = {.id = chunk_id_of(chunks_seed(chunks), 0, raw, len),
		.bases = *bases,
		.raw_len = (uint32_t)len,
		.payload_len = (uint32_t)result->len,
		.codec = (uint8_t)result->codec,
		.codec_version = CODEC_VERSION,
		.dtype = (uint8_t)dtype};
	struct chunk_record record, below[FRAME_BASES_MAX];
	struct frame_place place;

	chunks_pin(chunks, &frame.id);
	assert_int_equal(packs_append(w->store->parts.packs, &frame, payload, &place), 0);
	for (uint32_t i = 0; i < bases->count; i++)
		assert_int_equal(chunks_get(chunks, &bases->id[i], &below[i]), 0);
	record = chunk_record_of(&frame, &place);
	assert_true(chunks_stand(chunks, &record, below));
	assert_int_equal(chunks_announce(chunks, &frame.id, &record), 0);
	return frame.id;
}

/* A chunk is shared with a file that is given up in the end, and with it what it stands on. */
static void what_is_shared_before_it_is_published_brings_its_bases(void **state)
{
	enum { COUNT = 131072, CHUNK = 2 * COUNT };
	struct world *w = *state;
	struct chunks *chunks = w->store->parts.chunks;
	struct codec_workspace *ws = codec_workspace_new();
	const struct spec wide = {"w", DTYPE_F32, 1, 5}, narrow = {"w", DTYPE_BF16, 1, 5};
	struct chunk_bases bases = {.count = 2}, none = {.count = 0};
	struct chunk_record record;
	struct codec_result result;
	size_t wide_len, len;
	uint8_t *wide_file = make_file(&wide, 1, COUNT, &wide_len),
		*file = make_file(&narrow, 1, COUNT, &len), *payload = malloc(CHUNK);
	const uint8_t *halves = wide_file + wide_len - 2 * CHUNK;
	const struct codec_bases bytes = {.count = 2, .at = {{halves, CHUNK}, {halves + CHUNK, CHUNK}}};
	struct chunk_id id;

	for (unsigned i = 0; i < 2; i++) {
		const struct codec_input in = {.src = halves + i * CHUNK, .len = CHUNK, .dtype = DTYPE_F32};
		assert_int_equal(codec_encode(ws, payload, CHUNK, &in, CODEC_DEFAULT, -1, &result), 0);
		bases.id[i] = announce(w, DTYPE_F32, in.src, CHUNK, &result, payload, &none);
	}
	const struct codec_input in = {.src = file + len - CHUNK, .len = CHUNK, .dtype = DTYPE_BF16};
	assert_int_equal(codec_derive(ws, payload, CHUNK, &in, &bytes,
				 &(struct codec_function){.from = DTYPE_F32}, CODEC_DEFAULT, &result),
		0);
	id = announce(w, DTYPE_BF16, in.src, CHUNK, &result, payload, &bases);
	world_put(w, "export", file, len);
	world_drain(w);
	encoder_settle(w->store->parts.encoder);
	chunks_retract(chunks, &id);
	chunks_unpin(chunks, &id);
	assert_int_equal(chunks_get(chunks, &id, &record), 0);
	assert_int_equal(record.codec, CODEC_DERIVED);
	for (unsigned i = 0; i < 2; i++) {
		chunks_retract(chunks, &bases.id[i]);
		chunks_unpin(chunks, &bases.id[i]);
		assert_int_equal(chunks_get(chunks, &bases.id[i], &record), 0);
	}
	collect(w);
	world_open(w, true);
	world_expect(w, "export", file, len);
	expect_clean(w);
	codec_workspace_free(ws);
	free(payload);
	free(wide_file);
	free(file);
}

static void threads_do_not_matter(void **state)
{
	struct world *w = *state;
	const struct spec specs[] = {{"master.a", DTYPE_F32, 1, 5}, {"model.a", DTYPE_BF16, 1, 5},
		{"model.c", DTYPE_F16, 3, 5}, {"master.c", DTYPE_F32, 3, 5}};
	uint64_t bytes[2][2];

	for (unsigned i = 0; i < 2; i++) {
		struct world *one = i ? w : world_new();
		struct store_options options = {.quiet_ms = 1, .threads = i ? 5 : 1};
		struct store_error error;

		world_shut(one);
		assert_int_equal(store_open(one->dir, &options, &one->store, &error), 0);
		bytes[i][0] = put_file(one, "both", specs, 4);
		bytes[i][1] = put_file(one, "export", bf16, 2);
		if (!i)
			world_free(one);
	}
	assert_int_equal(bytes[0][0], bytes[1][0]);
	assert_int_equal(bytes[0][1], bytes[1][1]);
}

/* --- the optimizer --- */

/* Whose tensors a file has, and in which order. */
enum content_of { MOMENTS, WEIGHTS_AND_MOMENTS, MOMENTS_AND_WEIGHTS, WEIGHTS };

static const char *const parts_names[] = {"optimizer", "first", "last", "weights"};

/* What AdamW has of one tensor after some steps, in its own arithmetic; the second tensor is not decayed. */
static void adam(unsigned model, unsigned steps, double beta2, float *w, float *m, float *v)
{
	float decay = model ? 1 : (float)(1 - 1e-3 * 0.1);

	for (size_t i = 0; i < ELEMENTS; i++) {
		uint64_t state = (i + 1) * 0x9e3779b97f4a7c15u + model;

		world_random(&state);
		w[i] = 0.02f * near_gaussian(&state);
		m[i] = v[i] = 0;
		for (unsigned s = 0; s < steps; s++) {
			float g = 1e-3f * near_gaussian(&state);
			m[i] += (g - m[i]) * (float)(1 - 0.9);
			v[i] = v[i] * (float)beta2 + (float)(1 - beta2) * g * g;
			w[i] = w[i] * decay - 3e-4f * m[i] / (sqrtf(v[i]) / 0.2f + 1e-8f);
		}
	}
}

/* A file of two tensors' first and second moments, and of their weights. The caller frees. */
static uint8_t *training(enum content_of parts, unsigned steps, double beta2, size_t *len)
{
	static const struct spec specs[] = {{"model.0", DTYPE_F32, 1, 0}, {"model.1", DTYPE_F32, 1, 0},
		{"state.0.exp_avg", DTYPE_F32, 1, 0}, {"state.0.exp_avg_sq", DTYPE_F32, 1, 0},
		{"state.1.exp_avg", DTYPE_F32, 2, 0}, {"state.1.exp_avg_sq", DTYPE_F32, 2, 0},
		{"weights.0", DTYPE_F32, 1, 0}, {"weights.1", DTYPE_F32, 1, 0}};
	static const size_t from[] = {2, 0, 2, 6}, counts[] = {4, 6, 6, 2};
	size_t count = counts[parts];
	uint8_t *file = make_file(specs + from[parts], count, ELEMENTS, len);
	uint8_t *at = file + *len - count * 4 * ELEMENTS, *moments = at, *weights = at;
	float *w = malloc(4 * ELEMENTS), *m = malloc(4 * ELEMENTS), *v = malloc(4 * ELEMENTS);

	if (parts == WEIGHTS_AND_MOMENTS)
		moments += 8 * ELEMENTS;
	if (parts == MOMENTS_AND_WEIGHTS)
		weights += 16 * ELEMENTS;
	for (unsigned i = 0; i < 2; i++) {
		adam(i, steps, beta2, w, m, v);
		if (parts != WEIGHTS) {
			memcpy(moments + 8 * ELEMENTS * i, m, 4 * ELEMENTS);
			memcpy(moments + 8 * ELEMENTS * i + 4 * ELEMENTS, v, 4 * ELEMENTS);
		}
		if (parts != MOMENTS)
			memcpy(weights + 4 * ELEMENTS * i, w, 4 * ELEMENTS);
	}
	free(w);
	free(m);
	free(v);
	return file;
}

static void training_name(char name[32], enum content_of parts, unsigned steps)
{
	snprintf(name, 32, "%s-%u", parts_names[parts], steps);
}

static uint64_t put_training(struct world *w, enum content_of parts, unsigned steps, double beta2)
{
	char name[32];
	size_t len;
	uint8_t *bytes = training(parts, steps, beta2, &len);

	training_name(name, parts, steps);
	world_put(w, name, bytes, len);
	world_drain(w);
	free(bytes);
	return new_bytes(w, name);
}

static void expect_training(struct world *w, enum content_of parts, unsigned steps, double beta2)
{
	char name[32];
	size_t len;
	uint8_t *bytes = training(parts, steps, beta2, &len);

	training_name(name, parts, steps);
	world_expect(w, name, bytes, len);
	free(bytes);
}

/* What the last one stands on goes, checkpoint by checkpoint. */
static void rotate_training_of(
	struct world *w, enum content_of parts, unsigned first, unsigned last, unsigned times)
{
	for (unsigned steps = first; steps < last; steps++) {
		char name[32];

		training_name(name, parts, steps);
		world_delete(w, name);
		collect(w);
		take_census_of(w, times);
	}
}

static void rotate_training(struct world *w, enum content_of parts, unsigned first, unsigned last)
{
	rotate_training_of(w, parts, first, last, 2);
}

static void a_second_moment_follows_from_the_first(void **state)
{
	struct world *w = *state;
	unsigned before = 0;

	for (unsigned beta = 0; beta < 2; beta++) {
		double beta2 = beta ? 0.95 : 0.999;
		unsigned first = 20 + 20 * beta;

		for (unsigned steps = first; steps < first + 8; steps++)
			put_training(w, MOMENTS, steps, beta2);
		/* chains end, and what follows stands alone again */
		assert_in_range(take_census(w).by_codec[CODEC_STEP] - before, 2 * 5 * 2, 2 * 5 * 7 - 1);
		before = take_census(w).by_codec[CODEC_STEP];
		world_open(w, true);
		for (unsigned steps = first; steps < first + 8; steps++)
			expect_training(w, MOMENTS, steps, beta2);
	}
	print_message("%zu KiB, a step later %zu KiB\n", (size_t)new_bytes(w, "optimizer-20") >> 10,
		(size_t)new_bytes(w, "optimizer-21") >> 10);
	assert_true(new_bytes(w, "optimizer-21") * 100 < new_bytes(w, "optimizer-20") * 54);
	expect_clean(w);
	rotate_training(w, MOMENTS, 20, 27);
	world_open(w, true);
	expect_training(w, MOMENTS, 27, 0.999);
	expect_training(w, MOMENTS, 44, 0.95);
	expect_clean(w);
}

/* Whether they lie before the moments or behind them. */
static void weights_follow_from_the_moments(void **state)
{
	struct world *w = *state;

	for (enum content_of parts = WEIGHTS_AND_MOMENTS; parts <= MOMENTS_AND_WEIGHTS; parts++) {
		unsigned before = take_census(w).by_codec[CODEC_STEP];
		uint64_t alone = put_training(w, parts, 20, 0.999);
		uint64_t later = put_training(w, parts, 21, 0.999);

		print_message("%zu KiB, a step later %zu KiB\n", (size_t)alone >> 10, (size_t)later >> 10);
		assert_int_equal(take_census(w).by_codec[CODEC_STEP] - before, 2 * 5 * 2);
		assert_true(later * 100 < alone * 37);
		put_training(w, parts, 22, 0.999);
		take_census(w);
		world_open(w, true);
		for (unsigned steps = 20; steps < 23; steps++)
			expect_training(w, parts, steps, 0.999);
		expect_clean(w);
		rotate_training(w, parts, 20, 22);
		world_open(w, true);
		expect_training(w, parts, 22, 0.999);
		expect_clean(w);
		rotate_training(w, parts, 22, 23);
	}
}

/* A folder has its weights in a file of their own, which is saved before the optimizer's. */
static void first_moments_follow_from_weights_elsewhere(void **state)
{
	struct world *w = *state;
	uint64_t alone, later;

	put_training(w, WEIGHTS, 20, 0.999);
	alone = put_training(w, MOMENTS, 20, 0.999);
	put_training(w, WEIGHTS, 21, 0.999);
	later = put_training(w, MOMENTS, 21, 0.999);
	print_message("%zu KiB, a step later %zu KiB\n", (size_t)alone >> 10, (size_t)later >> 10);
	assert_int_equal(take_census(w).by_codec[CODEC_STEP], 2 * 5 * 2);
	assert_true(later * 100 < alone * 25);
	/* weights of another step are no help */
	put_training(w, WEIGHTS, 23, 0.999);
	put_training(w, MOMENTS, 22, 0.999);
	assert_int_equal(take_census(w).by_codec[CODEC_STEP], 2 * 5 * 3);
	world_open(w, true);
	for (unsigned steps = 20; steps < 23; steps++)
		expect_training(w, MOMENTS, steps, 0.999);
	expect_clean(w);
	rotate_training(w, WEIGHTS, 20, 22);
	rotate_training(w, MOMENTS, 20, 22);
	world_open(w, true);
	expect_training(w, MOMENTS, 22, 0.999);
	expect_training(w, WEIGHTS, 23, 0.999);
	expect_clean(w);
}

/* What several of its bases have below them in common counts once. */
static void steps_of_a_folder_go_on(void **state)
{
	struct world *w = *state;

	for (unsigned steps = 20; steps < 24; steps++) {
		put_training(w, WEIGHTS, steps, 0.999);
		put_training(w, MOMENTS, steps, 0.999);
	}
	assert_int_equal(take_census(w).by_codec[CODEC_STEP], 2 * 5 * 2 * 3);
	rotate_training(w, WEIGHTS, 20, 23);
	rotate_training(w, MOMENTS, 20, 23);
	world_open(w, true);
	expect_training(w, MOMENTS, 23, 0.999);
	expect_clean(w);
}

/* Where few bytes come first, they take more to read. */
static void steps_go_on_longer_where_smallness_comes_first(void **state)
{
	struct world *w = *state;
	struct store_options options = {.quiet_ms = 1, .level = CODEC_SMALL};
	struct store_error error;

	world_shut(w);
	assert_int_equal(store_open(w->dir, &options, &w->store, &error), 0);
	for (unsigned steps = 20; steps < 26; steps++)
		put_training(w, WEIGHTS_AND_MOMENTS, steps, 0.999);
	assert_int_equal(take_census_of(w, 8).by_codec[CODEC_STEP], 2 * 5 * 2 * 5);
	world_open(w, true);
	rotate_training_of(w, WEIGHTS_AND_MOMENTS, 20, 25, 8);
	expect_training(w, WEIGHTS_AND_MOMENTS, 25, 0.999);
	expect_clean(w);
}

static void steps_do_not_depend_on_threads(void **state)
{
	uint64_t bytes[2];

	for (unsigned i = 0; i < 2; i++) {
		struct world *one = i ? *state : world_new();
		struct store_options options = {.quiet_ms = 1, .threads = i ? 5 : 1};
		struct store_error error;

		world_shut(one);
		assert_int_equal(store_open(one->dir, &options, &one->store, &error), 0);
		put_training(one, WEIGHTS_AND_MOMENTS, 20, 0.999);
		bytes[i] = put_training(one, WEIGHTS_AND_MOMENTS, 21, 0.999);
		if (!i)
			world_free(one);
	}
	assert_int_equal(bytes[0], bytes[1]);
}

static void what_is_of_another_step_follows_from_nothing(void **state)
{
	struct world *w = *state;

	put_training(w, WEIGHTS_AND_MOMENTS, 20, 0.999);
	put_training(w, WEIGHTS_AND_MOMENTS, 25, 0.999);
	assert_int_equal(take_census(w).by_codec[CODEC_STEP], 0);
	expect_training(w, WEIGHTS_AND_MOMENTS, 25, 0.999);
}

/* --- rotation --- */

static void the_master_may_go(void **state)
{
	struct world *w = *state;
	struct gc_result result;
	uint64_t before;

	put_file(w, "master", master, 2);
	put_file(w, "export", bf16, 2);
	world_delete(w, "master");
	before = packs_bytes(w->store->parts.packs);
	result = collect(w);
	assert_int_equal(result.chunks_rebased, 2 * 3);
	assert_true(packs_bytes(w->store->parts.packs) < before / 2);
	assert_int_equal(take_census(w).by_codec[CODEC_DERIVED], 0);
	world_open(w, true);
	expect_file(w, "export", bf16, 2);
	expect_clean(w);
}

static void the_rounding_may_go(void **state)
{
	struct world *w = *state;

	put_file(w, "export", bf16, 2);
	put_file(w, "master", master, 2);
	world_delete(w, "export");
	collect(w);
	take_census(w);
	world_open(w, true);
	expect_file(w, "master", master, 2);
	expect_clean(w);
	world_delete(w, "master");
	collect(w);
	assert_int_equal(packs_bytes(w->store->parts.packs), 0);
}

/* What stood on the rounding gets onto its own kind, both halves of it. */
static void masters_stand_by_themselves_again(void **state)
{
	struct world *w = *state, *other = world_new();
	const struct spec next[] = {{"model.a.weight", DTYPE_F32, 1, 6}, {"model.b.weight", DTYPE_F32, 2, 6}};
	uint64_t bytes;

	put_file(other, "master", master, 2);
	put_file(other, "next", next, 2);
	bytes = packs_bytes(other->store->parts.packs);
	world_free(other);
	put_file(w, "export", bf16, 2);
	put_file(w, "master", master, 2);
	put_file(w, "next", next, 2);
	world_delete(w, "export");
	collect(w);
	print_message("%zu KiB, without the export in between %zu KiB\n",
		(size_t)packs_bytes(w->store->parts.packs) >> 10, (size_t)bytes >> 10);
	assert_true(packs_bytes(w->store->parts.packs) * 100 <= bytes * 103);
	take_census(w);
	world_open(w, true);
	expect_file(w, "master", master, 2);
	expect_file(w, "next", next, 2);
	expect_clean(w);
}

/* Two masters that stand on one that goes: the one that an export is derived from, with another chunk of it,
 * may not stand on the other one now. */
static void what_is_shared_gets_no_new_base(void **state)
{
	struct world *w = *state;
	struct spec wide[] = {{"model.w", DTYPE_F32, 1, 1}}, narrow[] = {{"w", DTYPE_BF16, 1, 3}};

	for (wide[0].step = 1; wide[0].step <= 3; wide[0].step++) {
		char name[32];
		snprintf(name, sizeof name, "master-%u", wide[0].step);
		put_file(w, name, wide, 1);
	}
	put_file(w, "export", narrow, 1);
	assert_int_equal(take_census(w).by_codec[CODEC_SYMBOLS_DIFF], 2 * 5);
	world_delete(w, "master-1");
	assert_int_equal(collect(w).chunks_rebased, 2 * 5);
	/* the last chunk of the export stands on one */
	assert_int_equal(take_census(w).by_codec[CODEC_SYMBOLS_DIFF], 1);
	world_open(w, true);
	expect_file(w, "export", narrow, 1);
	expect_clean(w);
}

/* Masters and exports side by side, each rotated at its own pace. */
static void both_may_be_rotated(void **state)
{
	struct world *w = *state;
	char name[32];

	for (unsigned step = 1; step <= 8; step++) {
		const struct spec wide[] = {{"model.w", DTYPE_F32, 1, step}},
				  narrow[] = {{"w", DTYPE_BF16, 1, step}};

		snprintf(name, sizeof name, "master-%u", step);
		if (step % 2)
			put_file(w, name, wide, 1);
		snprintf(name, sizeof name, "export-%u", step);
		put_file(w, name, narrow, 1);
		snprintf(name, sizeof name, "master-%u", step);
		if (step % 2 == 0)
			put_file(w, name, wide, 1);
		if (step > 2) {
			snprintf(name, sizeof name, "master-%u", step - 2);
			world_delete(w, name);
		}
		if (step > 4) {
			snprintf(name, sizeof name, "export-%u", step - 4);
			world_delete(w, name);
		}
		if (step > 2)
			collect(w);
		take_census(w);
	}
	world_open(w, true);
	for (unsigned step = 5; step <= 8; step++) {
		const struct spec wide[] = {{"model.w", DTYPE_F32, 1, step}},
				  narrow[] = {{"w", DTYPE_BF16, 1, step}};

		snprintf(name, sizeof name, "export-%u", step);
		expect_file(w, name, narrow, 1);
		snprintf(name, sizeof name, "master-%u", step);
		if (step > 6)
			expect_file(w, name, wide, 1);
	}
	expect_clean(w);
}

/* --- damage --- */

static void ignore(void *ctx, const char *line)
{
	(void)ctx;
	(void)line;
}

static void a_lost_index_comes_back_with_all_bases(void **state)
{
	struct world *w = *state;
	struct fsck_options options = {.data = true, .repair = true, .report = ignore};
	struct kv_batch *batch = kv_batch_new();
	struct census before, after;
	struct kv_iter *it;

	put_file(w, "master", master, 2);
	put_file(w, "export", bf16, 2);
	before = take_census(w);
	world_open(w, false);
	it = kv_iter_new(w->store->parts.kv, KV_CHUNKS, NULL, 0);
	for (; kv_iter_valid(it); kv_iter_next(it)) {
		size_t len;
		const void *key = kv_iter_key(it, &len);
		kv_batch_delete(w->store->parts.kv, batch, KV_CHUNKS, key, len);
	}
	kv_iter_free(it);
	assert_int_equal(kv_write(w->store->parts.kv, batch, true), 0);
	kv_batch_free(batch);
	assert_int_equal(fsck_run(&w->store->parts, &options), 0);
	after = take_census(w);
	assert_memory_equal(&before, &after, sizeof before);
	expect_clean(w);
	expect_file(w, "export", bf16, 2);
}

static int find_second_base(void *ctx, const struct chunk_id *id, const struct chunk_record *record)
{
	(void)id;
	if (record->bases.count < 2)
		return 0;
	*(struct chunk_id *)ctx = record->bases.id[1];
	return 1;
}

/* Damage of a base that is not the first hurts what is derived, and is told with its files. */
static void a_lost_base_hurts_what_is_derived(void **state)
{
	struct world *w = *state;
	struct fsck_options options = {.report = ignore};
	struct kv_batch *batch = kv_batch_new();
	struct chunk_id base;
	struct inode inode;
	uint8_t *read = malloc(3 * HALF);

	put_file(w, "master", master, 2);
	put_file(w, "export", bf16, 2);
	world_open(w, false);
	assert_int_equal(chunks_each(w->store->parts.chunks, find_second_base, &base), 1);
	chunks_delete(w->store->parts.chunks, batch, &base);
	assert_int_equal(kv_write(w->store->parts.kv, batch, true), 0);
	kv_batch_free(batch);
	/* the chunk itself, and the two files that have it */
	assert_int_equal(fsck_run(&w->store->parts, &options), 3);
	assert_int_equal(names_lookup(w->store->parts.names, NAMES_ROOT, "export", &inode), 0);
	assert_int_equal(world_read(w, inode.ino, read, 3 * HALF), -EBADMSG);
	free(read);
}

/* --- what is told --- */

static json_t *segment_of(struct world *w, const char *file, const char *tensor)
{
	struct inode inode;
	json_t *info = NULL, *segment, *found = NULL;
	size_t i;

	assert_int_equal(names_lookup(w->store->parts.names, NAMES_ROOT, file, &inode), 0);
	assert_int_equal(report_info(w->store, inode.ino, &info), 0);
	json_array_foreach(json_object_get(info, "segments"), i, segment)
	{
		if (!strcmp(json_string_value(json_object_get(segment, "name")), tensor))
			found = json_incref(segment);
	}
	json_decref(info);
	assert_non_null(found);
	return found;
}

static void expect_origin(
	struct world *w, const char *file, const char *tensor, const char *from_file, const char *from_tensor)
{
	json_t *segment = segment_of(w, file, tensor), *origin = json_object_get(segment, "derived_from");
	const char *path = json_string_value(json_object_get(origin, "file"));

	assert_string_equal(json_string_value(json_object_get(origin, "tensor")), from_tensor);
	if (from_file)
		assert_string_equal(path, from_file);
	else
		assert_null(path);
	json_decref(segment);
}

static void info_names_what_a_tensor_is_derived_from(void **state)
{
	struct world *w = *state;
	const struct spec both[] = {{"master.c", DTYPE_F32, 3, 5}, {"model.c", DTYPE_BF16, 3, 5}};
	json_t *segment;

	put_file(w, "master", master, 2);
	put_file(w, "export", bf16, 2);
	put_file(w, "both", both, 2);
	expect_origin(w, "export", "a.weight", "/master", "model.a.weight");
	expect_origin(w, "export", "b.weight", "/master", "model.b.weight");
	expect_origin(w, "both", "model.c", "/both", "master.c");
	segment = segment_of(w, "export", "a.weight");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(segment, "codecs"), "derived")), 3);
	json_decref(segment);
	segment = segment_of(w, "master", "model.a.weight");
	assert_true(json_is_null(json_object_get(segment, "derived_from")));
	json_decref(segment);
	world_open(w, false);
	world_delete(w, "master");
	expect_origin(w, "export", "a.weight", NULL, "model.a.weight");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_rounding_takes_hardly_anything, setup, teardown),
		cmocka_unit_test_setup_teardown(the_master_of_a_rounding_takes_the_rest, setup, teardown),
		cmocka_unit_test_setup_teardown(a_source_is_found_by_its_content, setup, teardown),
		cmocka_unit_test_setup_teardown(
			another_model_of_the_same_shapes_is_no_source, setup, teardown),
		cmocka_unit_test_setup_teardown(the_right_step_is_the_source, setup, teardown),
		cmocka_unit_test_setup_teardown(one_file_may_have_both, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_shared_brings_what_it_stands_on, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_shared_before_it_is_published_brings_its_bases, setup, teardown),
		cmocka_unit_test_setup_teardown(threads_do_not_matter, setup, teardown),
		cmocka_unit_test_setup_teardown(a_second_moment_follows_from_the_first, setup, teardown),
		cmocka_unit_test_setup_teardown(weights_follow_from_the_moments, setup, teardown),
		cmocka_unit_test_setup_teardown(first_moments_follow_from_weights_elsewhere, setup, teardown),
		cmocka_unit_test_setup_teardown(steps_of_a_folder_go_on, setup, teardown),
		cmocka_unit_test_setup_teardown(
			steps_go_on_longer_where_smallness_comes_first, setup, teardown),
		cmocka_unit_test_setup_teardown(steps_do_not_depend_on_threads, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_of_another_step_follows_from_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(the_master_may_go, setup, teardown),
		cmocka_unit_test_setup_teardown(the_rounding_may_go, setup, teardown),
		cmocka_unit_test_setup_teardown(masters_stand_by_themselves_again, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_shared_gets_no_new_base, setup, teardown),
		cmocka_unit_test_setup_teardown(both_may_be_rotated, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lost_index_comes_back_with_all_bases, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lost_base_hurts_what_is_derived, setup, teardown),
		cmocka_unit_test_setup_teardown(info_names_what_a_tensor_is_derived_from, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
