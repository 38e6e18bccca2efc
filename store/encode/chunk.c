#include <errno.h>
#include <string.h>

#include "store/encode/private.h"

#define SALT_MAX 8u
#define CHAIN_TIMES 2u /* how much more than alone a chunk may take to decode */
#define CHAIN_TIMES_SMALL 8u

int chunk_compare(struct encoder *encoder, const struct chunk_id *id, const void *raw, size_t len)
{
	struct chunk_record record;
	struct chunk_data *data;
	size_t have;
	/* The decoder's cache outlives the record of a chunk that was collected. */
	int rc = chunks_get(encoder->chunks, id, &record);

	if (!rc)
		rc = decode_chunk(encoder->decoder, id, &data);
	if (rc)
		return rc;
	const void *bytes = chunk_data_bytes(data, &have);
	rc = have == len && !memcmp(bytes, raw, len);
	decode_release(encoder->decoder, data);
	return rc;
}

size_t encoder_chain_times(const struct encoder *encoder)
{
	return encoder->level == CODEC_SMALL ? CHAIN_TIMES_SMALL : CHAIN_TIMES;
}

/* Whether a delta on `bases` costs at most so many times `bytes` to decode, and what else bounds chains. */
static bool chain_allows(struct encoder *encoder, const struct chunk_bases *bases,
	const struct chunk_record *records, size_t delta, size_t bytes)
{
	struct chunk_record record = {.bases = *bases, .place.payload_len = (uint32_t)delta};

	return chunks_stand(encoder->chunks, &record, records) &&
	       record.chain_bytes <= encoder_chain_times(encoder) * bytes;
}

/* What a chunk stands on, pinned, with its records and bytes. */
struct footing {
	struct chunk_bases bases; /* those that are held */
	struct chunk_record records[FRAME_BASES_MAX];
	struct chunk_data *data[FRAME_BASES_MAX];
	struct codec_bases bytes;
};

static void footing_drop(struct encoder *encoder, struct footing *footing, bool unpin)
{
	for (uint32_t i = 0; i < footing->bytes.count; i++)
		decode_release(encoder->decoder, footing->data[i]);
	for (uint32_t i = 0; unpin && i < footing->bases.count; i++)
		chunks_unpin(encoder->chunks, &footing->bases.id[i]);
}

/* Pins first, so that what is found does not go. On failure what is held is for footing_drop all the same. */
static int footing_take(
	struct encoder *encoder, const struct chunk_bases *bases, size_t alone, struct footing *footing)
{
	int rc = 0;

	*footing = (struct footing){.bases = *bases};
	for (uint32_t i = 0; i < bases->count; i++)
		chunks_pin(encoder->chunks, &bases->id[i]);
	for (uint32_t i = 0; !rc && i < bases->count; i++)
		rc = chunks_get(encoder->chunks, &bases->id[i], &footing->records[i]);
	if (!rc && !chain_allows(encoder, bases, footing->records, 0, alone))
		rc = -ERANGE;
	for (uint32_t i = 0; !rc && i < bases->count; i++) {
		struct codec_base *base = &footing->bytes.at[i];
		rc = decode_chunk(encoder->decoder, &bases->id[i], &footing->data[i]);
		if (rc)
			break;
		base->bytes = chunk_data_bytes(footing->data[i], &base->len);
		footing->bytes.count++;
	}
	/* A base that cannot be read is not needed: the chunk does without it then. */
	return !rc || rc == -ENOMEM || rc == -ERANGE ? rc : -ENOENT;
}

/* The chunk is a delta on it: its pins are the job's now. */
static void footing_use(struct encoder *encoder, struct footing *footing, struct chunk_job *job)
{
	job->used = footing->bases;
	memcpy(job->used_records, footing->records, sizeof job->used_records);
	footing_drop(encoder, footing, false);
}

/* The base of a record whose elements are those of the same tensor before; zero: none. */
static struct chunk_id base_below(const struct chunk_record *record)
{
	if (record->codec == CODEC_STEP)
		return record->bases.id[0];
	if (record->bases.count != 1 || codec_is_derived((enum codec)record->codec))
		return (struct chunk_id){{0}};
	return record->bases.id[0];
}

/* The lowest of those that the candidate stands on as a difference; it needs no pin to be looked at. */
static struct chunk_id lowest_base(struct encoder *encoder, const struct chunk_record *record)
{
	struct chunk_id lowest = {{0}}, id = base_below(record);
	struct chunk_record below;

	for (unsigned i = 0; i < CHUNK_DEPTH_MAX && !chunk_id_is_zero(&id); i++) {
		if (chunks_get(encoder->chunks, &id, &below))
			break;
		lowest = id;
		id = base_below(&below);
	}
	return lowest;
}

/* `alone` is what the chunk takes without any base, by codec_estimate. Encodes against the candidate or,
 * where the chain is too long, against the lowest of it, so that those to come have room to go on. */
static int encode_with_base(
	struct encoder *encoder, struct codec_workspace *ws, struct chunk_job *job, size_t alone)
{
	struct codec_input in = {.src = job->raw, .len = job->len, .dtype = job->dtype};
	struct chunk_id candidate = job->base;

	for (unsigned tries = 0; tries < 2 && !chunk_id_is_zero(&candidate); tries++) {
		struct chunk_bases bases = chunk_bases_of(&candidate);
		struct footing footing;
		bool based = false;
		int rc = footing_take(encoder, &bases, alone, &footing);
		if (!rc) {
			in.base = footing.bytes.at[0].bytes;
			in.base_len = footing.bytes.at[0].len;
			rc = codec_encode(ws, job->payload, CODEC_BOUND(ENCODE_CHUNK), &in, encoder->level,
				job->hint, &job->result);
			based = !rc && codec_needs_base(job->result.codec);
		}
		if (based && chain_allows(encoder, &bases, footing.records, job->result.len, alone)) {
			footing_use(encoder, &footing, job);
			return 0;
		}
		footing_drop(encoder, &footing, true);
		if (rc != -ERANGE && !based)
			return rc;
		candidate = lowest_base(encoder, &footing.records[0]);
	}
	return -ENOENT;
}

/* What the chunk would take without its source. */
static size_t estimate_rival(
	struct encoder *encoder, struct codec_workspace *ws, const struct chunk_job *job, size_t alone)
{
	struct codec_input in = {.src = job->raw, .len = job->len, .dtype = job->dtype};
	struct chunk_bases bases = chunk_bases_of(&job->base);
	struct footing footing;

	if (bases.count && !footing_take(encoder, &bases, alone, &footing)) {
		in.base = footing.bytes.at[0].bytes;
		in.base_len = footing.bytes.at[0].len;
		alone = codec_estimate(ws, &in);
	}
	if (bases.count)
		footing_drop(encoder, &footing, true);
	return alone;
}

/* What a step was found to make takes a fraction of what it takes otherwise. Where it does not, the numbers
 * are another tensor's, and a fit by chance would cost three chunks to read. */
static bool pays(const struct chunk_job *job, size_t rival)
{
	if (job->result.codec == CODEC_STEP)
		return 2 * job->result.len < rival;
	return job->result.len + job->len / 64 < rival;
}

/* What counts as decoding a chunk that is a function of others alone: the raw bytes of those. */
static size_t standing_bytes(const struct chunk_job *job, size_t alone)
{
	if (job->source.function.step)
		return job->source.bases.count * job->len;
	return job->source.function.from == DTYPE_F32 ? 2 * job->len : alone;
}

/* As a function of other chunks. -ENOENT: without its source it is hardly larger, or its chain too long. */
static int encode_derived(
	struct encoder *encoder, struct codec_workspace *ws, struct chunk_job *job, size_t alone)
{
	struct codec_input in = {.src = job->raw, .len = job->len, .dtype = job->dtype};
	const struct source *source = &job->source;
	size_t bytes = standing_bytes(job, alone), width = dtype_width(job->dtype);
	struct footing footing;
	int rc;

	if (job->len <= width || !memcmp(job->raw, job->raw + width, job->len - width))
		return -ENOENT; /* constant */
	rc = footing_take(encoder, &source->bases, bytes, &footing);
	if (!rc)
		rc = codec_derive(ws, job->payload, CODEC_BOUND(ENCODE_CHUNK), &in, &footing.bytes,
			&source->function, encoder->level, &job->result);
	if (!rc && chain_allows(encoder, &source->bases, footing.records, job->result.len, bytes) &&
		pays(job, estimate_rival(encoder, ws, job, alone))) {
		footing_use(encoder, &footing, job);
		return 0;
	}
	footing_drop(encoder, &footing, true);
	return rc == -ENOMEM ? rc : -ENOENT;
}

/* Behind the chunks that it is like, or alone. */
static int encode_near(struct encoder *encoder, struct codec_workspace *ws, struct chunk_job *job)
{
	struct codec_input in = {.src = job->raw, .len = job->len, .dtype = job->dtype};
	struct footing footing = {.bases.count = 0};
	/* What these cost to decode is bounded by how many they are; many files share it. */
	int rc = footing_take(encoder, &job->near, UINT32_MAX, &footing);

	if (rc == -ENOMEM) {
		footing_drop(encoder, &footing, true);
		return rc;
	}
	if (!rc)
		rc = codec_near(ws, job->payload, CODEC_BOUND(ENCODE_CHUNK), &in, &footing.bytes, job->level,
			&job->result);
	if (!rc && codec_needs_base(job->result.codec) &&
		chain_allows(encoder, &job->near, footing.records, job->result.len, UINT32_MAX)) {
		footing_use(encoder, &footing, job);
		return 0;
	}
	footing_drop(encoder, &footing, true);
	if (!rc && !codec_needs_base(job->result.codec))
		return 0;
	return codec_near(ws, job->payload, CODEC_BOUND(ENCODE_CHUNK), &in, NULL, job->level, &job->result);
}

void chunk_encode(struct encoder *encoder, struct codec_workspace *ws, struct chunk_job *job)
{
	struct codec_input in = {.src = job->raw, .len = job->len, .dtype = job->dtype};
	uint64_t seed = chunks_seed(encoder->chunks);
	size_t alone = 0;
	int rc;

	job->shared = false;
	job->used = (struct chunk_bases){.count = 0};
	for (job->salt = 0; job->salt < SALT_MAX; job->salt++) {
		job->id = chunk_id_of(seed, job->salt, job->raw, job->len);
		chunks_pin(encoder->chunks, &job->id);
		rc = chunk_compare(encoder, &job->id, job->raw, job->len);
		job->shared = rc == 1;
		/* A damaged twin is not shared; its id is taken, so the next salt serves. */
		if (rc == 1 || rc == -ENOENT)
			break;
		chunks_unpin(encoder->chunks, &job->id);
		if (rc == -ENOMEM) {
			job->rc = rc;
			return;
		}
	}
	if (job->salt == SALT_MAX) {
		job->rc = -EIO;
		return;
	}
	job->rc = 0;
	if (job->shared)
		return;
	if (job->kind == JOB_SMALL) {
		rc = encode_near(encoder, ws, job);
		if (rc)
			chunks_unpin(encoder->chunks, &job->id);
		job->rc = rc;
		return;
	}
	if (job->source.bases.count || !chunk_id_is_zero(&job->base))
		alone = codec_estimate(ws, &in);
	rc = job->source.bases.count ? encode_derived(encoder, ws, job, alone) : -ENOENT;
	if (rc == -ENOENT && !chunk_id_is_zero(&job->base))
		rc = encode_with_base(encoder, ws, job, alone);
	if (rc == -ENOENT)
		rc = codec_encode(
			ws, job->payload, CODEC_BOUND(ENCODE_CHUNK), &in, encoder->level, -1, &job->result);
	if (rc)
		chunks_unpin(encoder->chunks, &job->id);
	job->rc = rc;
}
