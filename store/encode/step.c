#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/encode/steps.h"
#include "store/util/array.h"

#define SCAN_MAX 4096u	/* moments looked at for one tensor of weights */
#define TRIES 3u	/* of those, tried on samples, */
#define TRIES_AGAIN 16u /* and once there were some */

static bool same_dims(const struct tensor *a, const struct tensor *b)
{
	return a->len == b->len && a->dtype == b->dtype && a->ndims == b->ndims &&
	       segments_shape(a->dims, a->ndims) == segments_shape(b->dims, b->ndims);
}

static const struct tensor_step *step_of(const struct steps *steps, size_t t)
{
	return steps->of && steps->of[t] ? &steps->list[steps->of[t] - 1] : NULL;
}

uint64_t step_middle(const struct tensor *t, size_t *n)
{
	uint64_t off = t->len / 2 / ENCODE_CHUNK * ENCODE_CHUNK, left = (t->len - off) / 4;

	*n = left < STEP_REGION ? (size_t)left : STEP_REGION;
	return off;
}

int step_read(struct step_search *search, size_t t, uint8_t *dst)
{
	const struct tensor *tensor = &search->file->layout.tensors[t];
	size_t n;
	uint64_t off = step_middle(tensor, &n);

	return search->file->view.read(search->file->view.ctx, tensor->off + off, dst, 4 * n);
}

struct chunk_data *step_before(struct step_search *search, size_t t, const void **bytes)
{
	struct file_encoding *file = search->file;
	const struct tensor *tensor = &file->layout.tensors[t];
	struct chunk_data *data;
	size_t n, have;
	uint64_t off = step_middle(tensor, &n), left = tensor->len - off;
	struct chunk_id id =
		base_chunk(file, t, tensor->off + off, left < ENCODE_CHUNK ? (size_t)left : ENCODE_CHUNK);

	if (chunk_id_is_zero(&id) || decode_chunk(file->encoder->decoder, &id, &data))
		return NULL;
	*bytes = chunk_data_bytes(data, &have);
	if (have >= 4 * n)
		return data;
	decode_release(file->encoder->decoder, data);
	return NULL;
}

static void remember(struct step_search *search, const struct codec_step *found)
{
	struct codec_step step = {
		.form = found->form == CODEC_STEP_MOMENT ? CODEC_STEP_MOMENT : CODEC_STEP_WEIGHTS};

	memcpy(step.k, found->k, 3 * sizeof step.k[0]); /* FIRST has those of WEIGHTS first */
	for (size_t i = 0; i < search->known_count; i++)
		if (!memcmp(&search->known[i], &step, sizeof step))
			return;
	search->known[search->known_next++ % STEPS_KNOWN] = step;
	search->known_count += search->known_count < STEPS_KNOWN;
}

int step_found(struct step_search *search, size_t t, const struct tensor_step *found)
{
	struct steps *steps = &search->file->steps;
	struct tensor_step *list = array_grow(steps->list, steps->count, &steps->capacity, sizeof *list);

	if (list)
		steps->list = list;
	if (!steps->of)
		steps->of = calloc(search->file->layout.count, sizeof *steps->of);
	if (!list || !steps->of)
		return -ENOMEM;
	list[steps->count++] = *found;
	steps->of[t] = (uint32_t)steps->count;
	remember(search, &found->step);
	return 0;
}

/* --- second moments: of the tensor before --- */

static int try_moment(struct step_search *search, size_t t)
{
	struct file_encoding *file = search->file;
	struct tensor_kind *kind = kind_of(&file->steps.moments, &file->layout.tensors[t]);
	const void *before, *m_before;
	struct chunk_data *data, *m_data = NULL;
	struct codec_step step;
	unsigned bits = 32;
	size_t n;
	int rc;

	if (!kind_wanted(kind))
		return 0;
	if ((rc = step_read(search, t, search->now)) || (rc = step_read(search, t - 1, search->m)))
		return rc;
	step_middle(&file->layout.tensors[t], &n);
	data = step_before(search, t, &before);
	if (data)
		m_data = step_before(search, t - 1, &m_before);
	if (m_data)
		bits = codec_step_fit(&step, CODEC_STEP_MOMENT, search->known, search->known_count,
			search->now, (const void *[]){before, search->m, m_before}, n);
	decode_release(file->encoder->decoder, data);
	decode_release(file->encoder->decoder, m_data);
	kind->tried++;
	kind->found += bits <= STEP_NEAR_BITS;
	return bits <= STEP_NEAR_BITS ? step_found(search, t, &(struct tensor_step){.m = t - 1, .step = step})
				      : 0;
}

static int find_moments(struct step_search *search)
{
	const struct layout *layout = &search->file->layout;
	int rc = 0;

	for (size_t t = 1; t < layout->count && !rc; t++) {
		const struct tensor *tensor = &layout->tensors[t];
		if (tensor->dtype == DTYPE_F32 && tensor->len >= ENCODE_TENSOR_MIN &&
			same_dims(tensor, tensor - 1) && !step_of(&search->file->steps, t - 1))
			rc = try_moment(search, t);
	}
	return rc;
}

/* --- weights: of a pair of moments of the same shape --- */

static int try_weights(struct step_search *search, size_t t, size_t m, const void *before, bool *is)
{
	struct codec_step step;
	size_t n;
	int rc;

	step_middle(&search->file->layout.tensors[t], &n);
	if ((rc = step_read(search, m, search->m)) || (rc = step_read(search, m + 1, search->other)))
		return rc;
	*is = codec_step_fit(&step, CODEC_STEP_WEIGHTS, search->known, search->known_count, search->now,
		      (const void *[]){before, search->m, search->other}, n) <= STEP_NEAR_BITS;
	return *is ? step_found(search, t, &(struct tensor_step){.m = m, .step = step}) : 0;
}

/* Pairs of moments of its shape that are no other tensor's, in their order. */
static int find_pair(struct step_search *search, size_t t, const void *before, size_t pairs, bool *is)
{
	struct steps *steps = &search->file->steps;
	const struct tensor *tensors = search->file->layout.tensors;
	unsigned tries = steps->count > pairs ? TRIES_AGAIN : TRIES;
	int rc = 0;

	while (search->first < pairs && steps->list[search->first].used)
		search->first++;
	for (size_t at = search->first; at < pairs && at - search->first < SCAN_MAX && tries && !rc && !*is;
		at++) {
		size_t m = steps->list[at].m;
		if (steps->list[at].used || !same_dims(&tensors[t], &tensors[m]))
			continue;
		tries--;
		rc = try_weights(search, t, m, before, is);
		steps->list[at].used = *is;
	}
	return rc;
}

/* Its moments, which lie behind it, are to be encoded before it. */
static int mark_early(struct steps *steps, size_t count, size_t m)
{
	if (!steps->early && !(steps->early = calloc(count, 1)))
		return -ENOMEM;
	steps->early[m] = steps->early[m + 1] = true;
	return 0;
}

static int try_tensor(struct step_search *search, size_t t, size_t pairs)
{
	struct file_encoding *file = search->file;
	struct steps *steps = &file->steps;
	struct tensor_kind *kind = kind_of(&steps->weights, &file->layout.tensors[t]);
	struct chunk_data *data;
	const void *before;
	bool is = false;
	int rc;

	if (!kind_wanted(kind) || !(data = step_before(search, t, &before)))
		return 0;
	if (!(rc = step_read(search, t, search->now)))
		rc = find_pair(search, t, before, pairs, &is);
	decode_release(file->encoder->decoder, data);
	kind->tried++;
	kind->found += is;
	if (!rc && is && t < steps->list[steps->count - 1].m)
		rc = mark_early(steps, file->layout.count, steps->list[steps->count - 1].m);
	return rc;
}

static int find_weights(struct step_search *search, size_t pairs)
{
	const struct layout *layout = &search->file->layout;
	const struct steps *steps = &search->file->steps;
	int rc = 0;

	for (size_t t = 0; pairs && t < layout->count && !rc; t++) {
		const struct tensor *tensor = &layout->tensors[t];
		bool is_m = t + 1 < layout->count && step_of(steps, t + 1) && step_of(steps, t + 1)->m == t;
		if (tensor->dtype == DTYPE_F32 && tensor->len >= ENCODE_TENSOR_MIN && !step_of(steps, t) &&
			!is_m)
			rc = try_tensor(search, t, pairs);
	}
	return rc;
}

int steps_find(struct file_encoding *file)
{
	struct step_search search = {.file = file};
	size_t pairs;
	int rc = -ENOMEM;

	if (!file->base_cursor || file->layout.count < 2)
		return 0;
	search.now = malloc(4 * STEP_REGION);
	search.m = malloc(4 * STEP_REGION);
	search.other = malloc(4 * STEP_REGION);
	if (search.now && search.m && search.other)
		rc = find_moments(&search);
	pairs = file->steps.count;
	if (!rc)
		rc = find_weights(&search, pairs);
	if (!rc && file->steps.count == pairs)
		rc = step_find_elsewhere(&search, pairs);
	free(search.now);
	free(search.m);
	free(search.other);
	file->noting |= file->steps.count != 0;
	return rc;
}

/* --- chunks --- */

static int moment_bases(
	struct file_encoding *file, size_t m, uint64_t at, size_t len, struct chunk_bases *bases)
{
	const struct tensor *tensor = &file->layout.tensors[m];
	struct extent extent;
	int rc = placed_extent(file, tensor->off + at, &extent);

	bases->id[1] = extent.chunk;
	bases->id[2] = base_chunk(file, m, tensor->off + at, len);
	return rc;
}

static int weights_bases(struct file_encoding *file, size_t m, uint64_t at, struct chunk_bases *bases)
{
	int rc = 0;

	for (unsigned i = 0; i < 2 && !rc; i++) {
		struct extent extent;
		rc = placed_extent(file, file->layout.tensors[m + i].off + at, &extent);
		bases->id[1 + i] = extent.chunk;
	}
	return rc;
}

int step_source(struct file_encoding *file, size_t t, uint64_t off, size_t len, struct source *source)
{
	const struct tensor_step *step = step_of(&file->steps, t);
	uint64_t at = off - file->layout.tensors[t].off;
	struct chunk_bases bases = {.count = 3};
	int rc = -ENXIO;

	if (!step)
		return 0;
	bases.id[0] = base_chunk(file, t, off, len);
	switch (step->step.form) {
	case CODEC_STEP_MOMENT:
		rc = moment_bases(file, step->m, at, len, &bases);
		break;
	case CODEC_STEP_WEIGHTS:
		rc = weights_bases(file, step->m, at, &bases);
		break;
	case CODEC_STEP_FIRST:
		bases.count = 4;
		bases.id[1] = base_chunk(file, t + 1, file->layout.tensors[t + 1].off + at, len);
		rc = step_bases_elsewhere(step, at, len, &bases.id[2]);
		break;
	}
	if (rc)
		return rc == -ENXIO ? 0 : rc;
	source->function = (struct codec_function){.step = &step->step};
	if (chunk_bases_sound(&bases))
		source->bases = bases;
	return 0;
}

void steps_release(struct steps *steps)
{
	free(steps->list);
	free(steps->of);
	free(steps->early);
	step_close_files(steps);
}
