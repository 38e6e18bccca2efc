#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/encode/private.h"
#include "store/util/array.h"

#define SAMPLE 512u	      /* elements compared */
#define REGION 16384u	      /* elements that they are taken from */
#define SURE (SAMPLE * 7 / 8) /* so many must be as expected */

/* Tensors tried for one: of the same last name and of others, while no file had one and since; in one file.
 */
#define TRIES_NAMED 24u
#define TRIES_OTHER 8u
#define TRIES_NAMED_LATER 4u
#define TRIES_OTHER_LATER 2u
#define TRIES_FILE 32u

#define HITS 32u	       /* newest files looked at */
#define SCAN_MAX 4096u	       /* tensors of a file looked at for one */
#define OWN_TENSORS_MAX 16384u /* more are not searched for pairs */
/* Smaller tensors, in bytes, may look alike, and do not say where the next one is. */
#define PLACE_MIN (64u << 10)

static bool is_narrow(enum dtype dtype)
{
	return dtype == DTYPE_F16 || dtype == DTYPE_BF16;
}

/* --- samples --- */

/* The elements in the tensor's middle, which stand for it; they lie in one chunk. */
struct region {
	const struct tensor *tensor;
	uint64_t at; /* elements from the tensor's start */
	size_t count;
	const uint8_t *bytes;
};

static int take_region(struct file_encoding *file, const struct tensor *t, struct region *region)
{
	size_t width = dtype_width(t->dtype);
	uint64_t elements = t->len / width, chunk = ENCODE_CHUNK / width;

	*region = (struct region){.tensor = t, .bytes = file->sources.mine};
	region->at = elements / 2 / chunk * chunk;
	region->count = elements - region->at < REGION ? (size_t)(elements - region->at) : REGION;
	return file->view.read(
		file->view.ctx, t->off + region->at * width, file->sources.mine, region->count * width);
}

/* Of SAMPLE elements, how many fit those of `dtype` at the same places of `theirs`, of which there are
 * `count`. */
static size_t compare(const struct region *region, const uint8_t *theirs, enum dtype dtype, size_t count)
{
	bool mine = is_narrow(region->tensor->dtype);
	const uint8_t *narrow = mine ? region->bytes : theirs, *wide = mine ? theirs : region->bytes;
	uint8_t narrows[2 * SAMPLE], wides[4 * SAMPLE];
	size_t taken = count < SAMPLE ? count : SAMPLE;

	if (!taken)
		return 0;
	for (size_t i = 0, step = count / taken; i < taken; i++) {
		memcpy(narrows + 2 * i, narrow + 2 * i * step, 2);
		memcpy(wides + 4 * i, wide + 4 * i * step, 4);
	}
	return SAMPLE * codec_derived_matches(mine ? region->tensor->dtype : dtype, narrows, wides, taken) /
	       taken;
}

/* The same with a tensor of the file itself. */
static int compare_own(struct file_encoding *file, const struct region *region,
	const struct segment_entry *theirs, size_t *fits)
{
	size_t width = dtype_width(theirs->dtype);
	int rc = file->view.read(file->view.ctx, theirs->off + region->at * width, file->sources.theirs,
		region->count * width);

	*fits = rc ? 0 : compare(region, file->sources.theirs, theirs->dtype, region->count);
	return rc;
}

/* The same with a tensor of another file; what cannot be read does not fit. */
static size_t compare_other(struct file_encoding *file, const struct region *region,
	const struct source_file *other, const struct segment_entry *theirs)
{
	size_t width = dtype_width(theirs->dtype), len, fits = 0;
	uint64_t at = theirs->off + region->at * width;
	struct chunk_data *data;
	struct extent extent;

	if (recipe_cursor_at(other->cursor, at, &extent) || chunk_id_is_zero(&extent.chunk) ||
		decode_chunk(file->encoder->decoder, &extent.chunk, &data))
		return 0;
	const uint8_t *bytes = chunk_data_bytes(data, &len);
	uint64_t skip = extent.chunk_off + (at - extent.off), count;
	if (skip < len) {
		count = (len - skip) / width;
		fits = compare(region, bytes + skip, theirs->dtype,
			count < region->count ? (size_t)count : region->count);
	}
	decode_release(file->encoder->decoder, data);
	return fits;
}

/* --- candidates --- */

/* Bytes that two names have in common at their ends. */
static size_t common_end(const char *a, const char *b)
{
	size_t i = strlen(a), j = strlen(b), n = 0;

	while (i && j && a[--i] == b[--j])
		n++;
	return n;
}

static bool same_last_name(const char *a, const char *b)
{
	const char *x = strrchr(a, '.'), *y = strrchr(b, '.');

	return !strcmp(x ? x : a, y ? y : b);
}

/* The place of one tensor of the other file among what may be tried, better ones being less. */
struct rank {
	size_t index, common, away;
	bool shape;
};

static bool is_better(const struct rank *a, const struct rank *b)
{
	if (a->shape != b->shape)
		return a->shape;
	if (a->common != b->common)
		return a->common > b->common;
	return a->away < b->away;
}

/* Where ranking begins and ends: all of a file, or what is near the last one found. */
static size_t scan_from(const struct source_file *source)
{
	size_t count = source->segments.count, last = source->last;

	if (count <= SCAN_MAX || last <= SCAN_MAX / 2)
		return 0;
	return last < count - SCAN_MAX / 2 ? last - SCAN_MAX / 2 : count - SCAN_MAX;
}

/* The best few tensors of a file with as many elements of the other width: of the same dims first, then by
 * the end of their names, then those near the last one found. */
static size_t rank_tensors(const struct source_file *source, const struct tensor *t, uint64_t before,
	struct rank best[TRIES_FILE])
{
	const struct segments *s = &source->segments;
	uint64_t shape = segments_shape(t->dims, t->ndims);
	size_t count = 0;

	for (size_t i = scan_from(source), left = SCAN_MAX; i < s->count && left; i++, left--) {
		const struct segment_entry *e = &s->list[i];
		if (e->used & 1u << t->dtype || is_narrow(e->dtype) == is_narrow(t->dtype) ||
			e->off + e->len > before ||
			e->len / dtype_width(e->dtype) != t->len / dtype_width(t->dtype))
			continue;
		struct rank rank = {.index = i,
			.common = common_end(s->names + e->name, t->name),
			.away = i > source->last ? i - source->last : source->last - i,
			.shape = e->shape == shape};
		size_t at = count;
		while (at && is_better(&rank, &best[at - 1]))
			at--;
		if (at == TRIES_FILE)
			continue;
		count += count < TRIES_FILE;
		memmove(&best[at + 1], &best[at], (count - 1 - at) * sizeof best[0]);
		best[at] = rank;
	}
	return count;
}

/* One search: how much may still be tried, and the best so far. */
struct search {
	struct region region;
	unsigned named, other;
	size_t fits;
};

static bool spend(struct search *search, const char *name)
{
	unsigned *left = same_last_name(name, search->region.tensor->name) ? &search->named : &search->other;

	if (!*left)
		return false;
	--*left;
	return true;
}

/* Tries the best tensors of one file: the one whose name is most alike, and others that are as much so. */
static int try_file(struct file_encoding *file, struct search *search, struct source_file *source)
{
	const struct tensor *t = search->region.tensor;
	bool own = !source->segments.recipe;
	struct rank best[TRIES_FILE];
	size_t count = rank_tensors(source, t, own ? t->off : UINT64_MAX, best);
	int rc = 0;

	for (size_t i = 0; i < count && !rc && search->fits < SAMPLE; i++) {
		const struct segment_entry *e = &source->segments.list[best[i].index];
		size_t fits;
		if (best[i].shape != best[0].shape || best[i].common != best[0].common ||
			!spend(search, source->segments.names + e->name))
			break;
		if (own)
			rc = compare_own(file, &search->region, e, &fits);
		else
			fits = compare_other(file, &search->region, source, e);
		if (rc || fits <= search->fits)
			continue;
		search->fits = fits;
		if (fits < SURE)
			continue;
		file->sources.file = source;
		file->sources.off = e->off;
		file->sources.dtype = e->dtype;
		source->found = best[i].index;
	}
	return rc;
}

/* --- files --- */

static int start(struct file_encoding *file)
{
	struct sources *s = &file->sources;
	bool widths[2] = {false, false};
	int rc = 0;

	s->started = true;
	s->tensor = SIZE_MAX;
	s->mine = malloc(4 * REGION);
	s->theirs = malloc(4 * REGION);
	if (!s->mine || !s->theirs)
		return -ENOMEM;
	for (size_t i = 0; i < file->layout.count; i++) {
		enum dtype dtype = file->layout.tensors[i].dtype;
		widths[0] |= dtype == DTYPE_F32;
		widths[1] |= is_narrow(dtype);
	}
	s->own_pairs = widths[0] && widths[1] && file->layout.count <= OWN_TENSORS_MAX;
	file->noting |= s->own_pairs;
	if (s->own_pairs)
		rc = segments_of_layout(&file->layout, &s->own.segments);
	return rc;
}

static void close_file(struct source_file *source)
{
	segments_release(&source->segments);
	recipe_cursor_free(source->cursor);
	*source = (struct source_file){0};
}

/* The file of a recipe, read when it is first asked for; the one used longest ago makes room, but not that of
 * the tensor at hand. */
static int open_file(struct file_encoding *file, uint64_t recipe, struct source_file **out)
{
	struct sources *s = &file->sources;
	struct source_file *oldest = s->file == &s->files[0] ? &s->files[1] : &s->files[0];
	int rc;

	for (size_t i = 0; i < SOURCE_FILES; i++) {
		struct source_file *source = &s->files[i];
		if (source->cursor && source->segments.recipe == recipe) {
			source->used = ++s->clock;
			*out = source;
			return 0;
		}
		if (source != s->file && source->used < oldest->used)
			oldest = source;
	}
	if (s->lucky == oldest)
		s->lucky = NULL;
	close_file(oldest);
	oldest->used = ++s->clock;
	rc = segments_load(file->encoder->recipes, recipe, &oldest->segments);
	if (!rc && !(oldest->cursor = recipe_cursor_new(file->encoder->recipes, recipe)))
		rc = -ENOMEM;
	*out = oldest;
	return rc;
}

static int search_others(struct file_encoding *file, struct search *search)
{
	const struct tensor *t = search->region.tensor;
	struct tensor_hit hits[HITS];
	struct source_file *lucky = file->sources.lucky, *source;
	uint64_t looked_in = lucky ? lucky->segments.recipe : 0;
	int rc = 0, n;

	if (lucky) {
		struct search here = *search;
		lucky->used = ++file->sources.clock;
		here.named = here.other = TRIES_FILE;
		rc = try_file(file, &here, lucky);
		search->fits = here.fits;
	}
	if (rc || search->fits >= SURE)
		return rc;
	n = recipes_find_elements(file->encoder->recipes, is_narrow(t->dtype) ? 4 : 2,
		t->len / dtype_width(t->dtype), hits, HITS);
	for (int i = 0; i < n && !rc && search->fits < SAMPLE && search->named + search->other; i++) {
		if (hits[i].recipe == looked_in)
			continue;
		rc = open_file(file, hits[i].recipe, &source);
		if (!rc)
			rc = try_file(file, search, source);
	}
	return rc;
}

/* Finds what tensor `t` comes from, or that nothing is known. */
static int search_tensor(struct file_encoding *file, size_t t)
{
	struct sources *s = &file->sources;
	const struct tensor *tensor = &file->layout.tensors[t];
	struct tensor_kind *kind = kind_of(&s->kinds, tensor);
	struct search search = {.named = s->lucky ? TRIES_NAMED_LATER : TRIES_NAMED,
		.other = s->lucky ? TRIES_OTHER_LATER : TRIES_OTHER};
	int rc;

	s->tensor = t;
	s->file = NULL;
	if (tensor->dtype != DTYPE_F32 && !is_narrow(tensor->dtype))
		return 0;
	if (!kind_wanted(kind))
		return 0;
	rc = take_region(file, tensor, &search.region);
	if (!rc && s->own_pairs)
		rc = try_file(file, &search, &s->own);
	if (!rc && search.fits < SURE)
		rc = search_others(file, &search);
	if (s->file)
		s->file->segments.list[s->file->found].used |= 1u << tensor->dtype;
	if (s->file && tensor->len >= PLACE_MIN)
		s->file->last = s->file->found;
	if (s->file && s->file != &s->own)
		s->lucky = s->file;
	kind->tried++;
	kind->found += s->file != NULL;
	return rc;
}

/* --- chunks --- */

static int extent_at(struct file_encoding *file, uint64_t off, struct extent *extent)
{
	struct source_file *source = file->sources.file;
	int rc;

	if (source == &file->sources.own)
		return placed_extent(file, off, extent);
	rc = recipe_cursor_at(source->cursor, off, extent);
	return rc == -ENOMEM ? rc : rc ? -ENXIO : 0;
}

/* The chunks of from..to. They must follow each other whole; that they do not fit otherwise is found when the
 * chunk is encoded. */
static int gather(struct file_encoding *file, uint64_t from, uint64_t to, struct source *source)
{
	struct chunk_bases bases = {.count = 0};
	struct extent extent;
	int rc;

	for (uint64_t at = from; at < to; at = extent.off + extent.len) {
		rc = extent_at(file, at, &extent);
		if (rc)
			return rc == -ENXIO ? 0 : rc;
		if (bases.count == FRAME_BASES_MAX || chunk_id_is_zero(&extent.chunk) ||
			(at != from && (extent.off != at || extent.chunk_off)))
			return 0;
		if (at == from)
			source->function.skip = (size_t)(extent.chunk_off + (at - extent.off));
		bases.id[bases.count++] = extent.chunk;
	}
	if (chunk_bases_sound(&bases))
		source->bases = bases;
	return 0;
}

int source_find(struct file_encoding *file, size_t t, uint64_t off, size_t len, struct source *source)
{
	struct sources *s = &file->sources;
	const struct tensor *tensor = &file->layout.tensors[t];
	size_t width = dtype_width(tensor->dtype), theirs;
	int rc = s->started ? 0 : start(file);

	if (!rc && s->tensor != t)
		rc = search_tensor(file, t);
	if (rc || !s->file)
		return rc;
	source->function.from = s->dtype;
	theirs = dtype_width(s->dtype);
	return gather(file, s->off + (off - tensor->off) / width * theirs,
		s->off + (off - tensor->off + len) / width * theirs, source);
}

void source_release(struct sources *sources)
{
	for (size_t i = 0; i < SOURCE_FILES; i++)
		close_file(&sources->files[i]);
	close_file(&sources->own);
	free(sources->mine);
	free(sources->theirs);
}
