#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/encode/private.h"
#include "store/util/array.h"

#define REGION 16384u  /* elements in a tensor's middle that stand for it; they lie in one chunk */
#define NEAR_BITS 12u  /* an element may differ by so many */
#define SCAN_MAX 4096u /* moments looked at for one tensor of weights */
#define TRIES 3u       /* of those, tried on samples */

/* What one search needs: the middles of tensors. */
struct search {
	struct file_encoding *file;
	uint8_t *now, *m, *other;
	struct codec_step known[STEPS_KNOWN]; /* found last */
	size_t known_count, known_next, cursor;
};

static bool same_dims(const struct tensor *a, const struct tensor *b)
{
	return a->len == b->len && a->dtype == b->dtype && a->ndims == b->ndims &&
	       segments_shape(a->dims, a->ndims) == segments_shape(b->dims, b->ndims);
}

static const struct tensor_step *step_of(const struct steps *steps, size_t t)
{
	return steps->of && steps->of[t] ? &steps->list[steps->of[t] - 1] : NULL;
}

/* Where the middle of a tensor begins, in bytes from its start, and how many elements it has. */
static uint64_t middle_of(const struct tensor *t, size_t *n)
{
	uint64_t off = t->len / 2 / ENCODE_CHUNK * ENCODE_CHUNK, left = (t->len - off) / 4;

	*n = left < REGION ? (size_t)left : REGION;
	return off;
}

static int read_middle(struct search *search, size_t t, uint8_t *dst)
{
	const struct tensor *tensor = &search->file->layout.tensors[t];
	size_t n;
	uint64_t off = middle_of(tensor, &n);

	return search->file->view.read(search->file->view.ctx, tensor->off + off, dst, 4 * n);
}

/* The chunk that has the middle of tensor t as it was before; NULL: there is none. */
static struct chunk_data *middle_before(struct search *search, size_t t, const void **bytes)
{
	struct file_encoding *file = search->file;
	const struct tensor *tensor = &file->layout.tensors[t];
	struct chunk_data *data;
	size_t n, have;
	uint64_t off = middle_of(tensor, &n), left = tensor->len - off;
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

/* Enters what was found; the newest coefficients are tried first for what comes. */
static int found(struct search *search, size_t t, size_t m, const struct codec_step *step)
{
	struct steps *steps = &search->file->steps;
	struct tensor_step *list = array_grow(steps->list, steps->count, &steps->capacity, sizeof *list);
	size_t i = 0;

	if (list)
		steps->list = list;
	if (!steps->of)
		steps->of = calloc(search->file->layout.count, sizeof *steps->of);
	if (!list || !steps->of)
		return -ENOMEM;
	list[steps->count++] = (struct tensor_step){.m = m, .step = *step};
	steps->of[t] = (uint32_t)steps->count;
	while (i < search->known_count && memcmp(&search->known[i], step, sizeof *step) != 0)
		i++;
	if (i < search->known_count)
		return 0;
	search->known[search->known_next++ % STEPS_KNOWN] = *step;
	search->known_count += search->known_count < STEPS_KNOWN;
	return 0;
}

/* --- second moments: of the tensor before --- */

static int try_moment(struct search *search, size_t t)
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
	if ((rc = read_middle(search, t, search->now)) || (rc = read_middle(search, t - 1, search->m)))
		return rc;
	middle_of(&file->layout.tensors[t], &n);
	data = middle_before(search, t, &before);
	if (data)
		m_data = middle_before(search, t - 1, &m_before);
	if (m_data)
		bits = codec_step_fit(&step, CODEC_STEP_MOMENT, search->known, search->known_count,
			search->now, before, search->m, m_before, n);
	decode_release(file->encoder->decoder, data);
	decode_release(file->encoder->decoder, m_data);
	kind->tried++;
	kind->found += bits <= NEAR_BITS;
	return bits <= NEAR_BITS ? found(search, t, t - 1, &step) : 0;
}

static int find_moments(struct search *search)
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

static int try_weights(struct search *search, size_t t, size_t m, const void *before, bool *is)
{
	struct codec_step step;
	size_t n;
	int rc;

	middle_of(&search->file->layout.tensors[t], &n);
	if ((rc = read_middle(search, m, search->m)) || (rc = read_middle(search, m + 1, search->other)))
		return rc;
	*is = codec_step_fit(&step, CODEC_STEP_WEIGHTS, search->known, search->known_count, search->now,
		      before, search->m, search->other, n) <= NEAR_BITS;
	return *is ? found(search, t, m, &step) : 0;
}

/* Weights and moments mostly come in one order, so the search goes on behind the pair found last. */
static int find_pair(struct search *search, size_t t, const void *before, size_t pairs, bool *is)
{
	const struct steps *steps = &search->file->steps;
	const struct tensor *tensors = search->file->layout.tensors;
	unsigned tries = TRIES;
	int rc = 0;

	for (size_t i = 0; i < pairs && i < SCAN_MAX && tries && !rc && !*is; i++) {
		size_t at = (search->cursor + i) % pairs, m = steps->list[at].m;
		if (!same_dims(&tensors[t], &tensors[m]))
			continue;
		tries--;
		rc = try_weights(search, t, m, before, is);
		if (*is)
			search->cursor = at + 1;
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

static int find_weights(struct search *search)
{
	struct file_encoding *file = search->file;
	const struct layout *layout = &file->layout;
	struct steps *steps = &file->steps;
	size_t pairs = steps->count;
	int rc = 0;

	for (size_t t = 0; pairs && t < layout->count && !rc; t++) {
		const struct tensor *tensor = &layout->tensors[t];
		bool is_m = t + 1 < layout->count && step_of(steps, t + 1) && step_of(steps, t + 1)->m == t;
		const void *before;
		struct chunk_data *data;
		bool is = false;
		if (tensor->dtype != DTYPE_F32 || tensor->len < ENCODE_TENSOR_MIN || step_of(steps, t) ||
			is_m || !(data = middle_before(search, t, &before)))
			continue;
		struct tensor_kind *kind = kind_of(&steps->weights, tensor);
		if (kind_wanted(kind)) {
			if (!(rc = read_middle(search, t, search->now)))
				rc = find_pair(search, t, before, pairs, &is);
			kind->tried++;
			kind->found += is;
		}
		decode_release(file->encoder->decoder, data);
		if (!rc && is && t < steps->list[steps->count - 1].m)
			rc = mark_early(steps, layout->count, steps->list[steps->count - 1].m);
	}
	return rc;
}

int steps_find(struct file_encoding *file)
{
	struct search search = {.file = file};
	int rc = -ENOMEM;

	if (!file->base_cursor || file->layout.count < 2)
		return 0;
	search.now = malloc(4 * REGION);
	search.m = malloc(4 * REGION);
	search.other = malloc(4 * REGION);
	if (search.now && search.m && search.other)
		rc = find_moments(&search);
	if (!rc)
		rc = find_weights(&search);
	free(search.now);
	free(search.m);
	free(search.other);
	file->noting |= file->steps.count != 0;
	return rc;
}

/* --- chunks --- */

int step_source(struct file_encoding *file, size_t t, uint64_t off, size_t len, struct source *source)
{
	const struct tensor_step *step = step_of(&file->steps, t);
	const struct tensor *tensors = file->layout.tensors;
	struct chunk_bases bases = {.count = 3};
	struct extent m, v;
	uint64_t at;
	int rc;

	if (!step)
		return 0;
	at = off - tensors[t].off;
	rc = placed_extent(file, tensors[step->m].off + at, &m);
	bases.id[0] = base_chunk(file, t, off, len);
	bases.id[1] = m.chunk;
	if (!rc && step->step.form == CODEC_STEP_MOMENT) {
		bases.id[2] = base_chunk(file, step->m, tensors[step->m].off + at, len);
	} else if (!rc) {
		rc = placed_extent(file, tensors[step->m + 1].off + at, &v);
		bases.id[2] = v.chunk;
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
}
