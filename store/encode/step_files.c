#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/encode/steps.h"

#define HITS 32u		/* newest files looked at */
#define FILES_TRIED 3u		/* of those, for one tensor */
#define TENSORS_TRIED 3u	/* in each, on samples */
#define TENSORS_TRIED_AGAIN 16u /* in one that had some */
#define SCAN_MAX 4096u		/* tensors of a file looked at for one */

/* One first moment, and what it is compared with. */
struct trial {
	struct step_search *search;
	size_t m;			 /* tensor of the file */
	const struct codec_step *moment; /* of the second moment */
	const void *m_before, *v_before; /* middles */
	struct tensor_step found;
	bool is;
};

/* The chunk of exactly these bytes of a file. */
static int chunk_at(struct recipe_cursor *cursor, uint64_t off, size_t len, struct chunk_id *id)
{
	struct extent extent;

	if (recipe_cursor_at(cursor, off, &extent) || chunk_id_is_zero(&extent.chunk) || extent.off != off ||
		extent.chunk_off || extent.len != len)
		return -ENXIO;
	*id = extent.chunk;
	return 0;
}

int step_bases_elsewhere(const struct tensor_step *step, uint64_t at, size_t len, struct chunk_id ids[2])
{
	int rc = chunk_at(step->files->cursor, step->w + at, len, &ids[0]);

	return rc ? rc : chunk_at(step->files->before, step->w_before + at, len, &ids[1]);
}

static struct chunk_data *read_chunk(
	struct trial *trial, struct recipe_cursor *cursor, uint64_t off, const void **bytes)
{
	const struct tensor *tensor = &trial->search->file->layout.tensors[trial->m];
	struct decoder *decoder = trial->search->file->encoder->decoder;
	struct chunk_data *data;
	struct chunk_id id;
	size_t n, have;
	uint64_t at = step_middle(tensor, &n), left = tensor->len - at;

	if (chunk_at(cursor, off + at, left < ENCODE_CHUNK ? (size_t)left : ENCODE_CHUNK, &id) ||
		decode_chunk(decoder, &id, &data))
		return NULL;
	*bytes = chunk_data_bytes(data, &have);
	if (have >= 4 * n)
		return data;
	decode_release(decoder, data);
	return NULL;
}

/* Whether the weights at these places of the two files make the moment. */
static void compare(struct trial *trial, const struct step_files *files, uint64_t w, uint64_t w_before)
{
	struct step_search *search = trial->search;
	struct decoder *decoder = search->file->encoder->decoder;
	const void *now, *before;
	struct chunk_data *data = read_chunk(trial, files->cursor, w, &now), *before_data = NULL;
	struct codec_step weights, first;
	size_t n;

	step_middle(&search->file->layout.tensors[trial->m], &n);
	if (data)
		before_data = read_chunk(trial, files->before, w_before, &before);
	if (before_data &&
		codec_step_fit(&weights, CODEC_STEP_WEIGHTS, search->known, search->known_count, now,
			(const void *[]){before, search->m, search->other}, n) <= STEP_NEAR_BITS) {
		first = codec_step_first(&weights, trial->moment);
		trial->is = codec_step_bits(&first, search->m,
				    (const void *[]){trial->m_before, trial->v_before, now, before},
				    n) <= STEP_NEAR_BITS;
		trial->found = (struct tensor_step){
			.m = trial->m, .step = first, .files = files, .w = w, .w_before = w_before};
	}
	decode_release(decoder, data);
	decode_release(decoder, before_data);
}

/* The tensor of a file as it was before: in the file that has the others, or in the next older one. */
static bool older_place(
	struct trial *trial, struct step_files *files, const struct segment_entry *entry, uint64_t *off)
{
	struct recipes *recipes = trial->search->file->encoder->recipes;
	struct tensor_hit hits[HITS];
	struct segment segment;
	int n;

	segment_of(&trial->search->file->layout.tensors[trial->m], &segment);
	snprintf(segment.name, sizeof segment.name, "%s", files->segments.names + entry->name);
	n = recipes_find_tensor(recipes, &segment, hits, HITS);
	for (int i = 0; i < n; i++) {
		if (files->before ? hits[i].recipe != files->before_recipe
				  : hits[i].recipe >= files->segments.recipe)
			continue;
		if (!files->before) {
			files->before = recipe_cursor_new(recipes, hits[i].recipe);
			files->before_recipe = hits[i].recipe;
		}
		*off = hits[i].off;
		return files->before && hits[i].len == entry->len;
	}
	return false;
}

/* Tensors of the same shape that are no other moment's, in their order. */
static void try_file(struct trial *trial, struct step_files *files, unsigned tries)
{
	const struct tensor *m = &trial->search->file->layout.tensors[trial->m];
	struct segments *s = &files->segments;
	uint64_t shape = segments_shape(m->dims, m->ndims), w_before;

	while (files->first < s->count && s->list[files->first].used)
		files->first++;
	for (size_t at = files->first; at < s->count && at - files->first < SCAN_MAX && tries && !trial->is;
		at++) {
		struct segment_entry *entry = &s->list[at];
		if (entry->used || entry->dtype != DTYPE_F32 || entry->len != m->len || entry->shape != shape)
			continue;
		tries--;
		if (older_place(trial, files, entry, &w_before))
			compare(trial, files, entry->off, w_before);
		entry->used = trial->is;
	}
}

static void close_files(struct step_files *files)
{
	segments_release(&files->segments);
	recipe_cursor_free(files->cursor);
	recipe_cursor_free(files->before);
	*files = (struct step_files){0};
}

void step_close_files(struct steps *steps)
{
	for (size_t i = 0; i < steps->files_count; i++)
		close_files(&steps->files[i]);
}

static bool is_open(const struct steps *steps, uint64_t recipe)
{
	for (size_t i = 0; i < steps->files_count; i++)
		if (steps->files[i].segments.recipe == recipe)
			return true;
	return false;
}

static int try_new_files(struct trial *trial)
{
	struct file_encoding *file = trial->search->file;
	struct recipes *recipes = file->encoder->recipes;
	struct steps *steps = &file->steps;
	struct tensor_hit hits[HITS];
	unsigned tries = FILES_TRIED;
	int rc = 0, n = recipes_find_elements(recipes, 4, file->layout.tensors[trial->m].len / 4, hits, HITS);

	for (int i = 0; i < n && tries && !rc && !trial->is && steps->files_count < STEP_FILES; i++) {
		struct step_files *files = &steps->files[steps->files_count];
		if (is_open(steps, hits[i].recipe) ||
			!memcmp(&hits[i].family, &file->family, sizeof file->family))
			continue;
		tries--;
		rc = segments_load(recipes, hits[i].recipe, &files->segments);
		if (!rc && !(files->cursor = recipe_cursor_new(recipes, hits[i].recipe)))
			rc = -ENOMEM;
		if (!rc)
			try_file(trial, files, TENSORS_TRIED);
		if (trial->is)
			steps->files_count++;
		else
			close_files(files);
	}
	return rc;
}

static int try_first(struct step_search *search, size_t m, const struct codec_step *moment)
{
	struct file_encoding *file = search->file;
	struct steps *steps = &file->steps;
	struct trial trial = {.search = search, .m = m, .moment = moment};
	struct chunk_data *m_data, *v_data = NULL;
	int rc;

	if ((rc = step_read(search, m, search->m)) || (rc = step_read(search, m + 1, search->other)))
		return rc;
	m_data = step_before(search, m, &trial.m_before);
	if (m_data)
		v_data = step_before(search, m + 1, &trial.v_before);
	for (size_t i = steps->files_count; v_data && i-- > 0 && !trial.is;)
		try_file(&trial, &steps->files[i], TENSORS_TRIED_AGAIN);
	if (v_data && !trial.is)
		rc = try_new_files(&trial);
	decode_release(file->encoder->decoder, m_data);
	decode_release(file->encoder->decoder, v_data);
	return !rc && trial.is ? step_found(search, m, &trial.found) : rc;
}

int step_find_elsewhere(struct step_search *search, size_t pairs)
{
	struct steps *steps = &search->file->steps;
	int rc = 0;

	for (size_t i = 0; i < pairs && !rc; i++) {
		const struct codec_step moment = steps->list[i].step;
		size_t m = steps->list[i].m, count = steps->count;
		struct tensor_kind *kind = kind_of(&steps->firsts, &search->file->layout.tensors[m]);
		if (!kind_wanted(kind))
			continue;
		rc = try_first(search, m, &moment);
		kind->tried++;
		kind->found += steps->count > count;
	}
	return rc;
}
