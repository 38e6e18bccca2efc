#include <errno.h>
#include <string.h>

#include "store/encode/private.h"

#define SALT_MAX 8u

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

/* Whether a delta on `base` keeps the promise that a chunk costs at most twice the bytes of decoding it
 * alone, and bounded depth. */
static bool chain_allows(const struct chunk_record *base, size_t delta, size_t alone)
{
	return base->depth < CHUNK_DEPTH_MAX && base->chain_bytes + delta <= 2 * alone;
}

/* Encodes against the candidate or, while the chain is too long, against what that one stands on. */
static int encode_with_base(struct encoder *encoder, struct codec_workspace *ws, struct chunk_job *job)
{
	struct codec_input in = {.src = job->raw, .len = job->len, .dtype = job->dtype};
	size_t alone = codec_estimate(ws, &in);
	struct chunk_id candidate = job->base;

	for (unsigned tries = 0; tries < 4 && !chunk_id_is_zero(&candidate); tries++) {
		struct chunk_record record;
		struct chunk_data *data;
		chunks_pin(encoder->chunks, &candidate);
		int rc = chunks_get(encoder->chunks, &candidate, &record);
		if (!rc && !chain_allows(&record, 0, alone)) {
			chunks_unpin(encoder->chunks, &candidate);
			candidate = record.base;
			continue;
		}
		if (!rc)
			rc = decode_chunk(encoder->decoder, &candidate, &data);
		if (rc) {
			/* A base that cannot be read is not needed: the chunk stands alone then. */
			chunks_unpin(encoder->chunks, &candidate);
			return rc == -ENOMEM ? rc : -ENOENT;
		}
		in.base = chunk_data_bytes(data, &in.base_len);
		rc = codec_encode(ws, job->payload, CODEC_BOUND(ENCODE_CHUNK), &in, CODEC_DEFAULT, job->hint,
			&job->result);
		decode_release(encoder->decoder, data);
		bool based = !rc && codec_needs_base(job->result.codec);
		if (based && chain_allows(&record, job->result.len, alone)) {
			job->used_base = candidate;
			job->base_record = record;
			return 0;
		}
		chunks_unpin(encoder->chunks, &candidate);
		if (rc || !based)
			return rc;
		candidate = record.base;
	}
	return -ENOENT;
}

void chunk_encode(struct encoder *encoder, struct codec_workspace *ws, struct chunk_job *job)
{
	struct codec_input in = {.src = job->raw, .len = job->len, .dtype = job->dtype};
	uint64_t seed = chunks_seed(encoder->chunks);
	int rc;

	job->shared = false;
	job->used_base = (struct chunk_id){{0}};
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
	rc = chunk_id_is_zero(&job->base) ? -ENOENT : encode_with_base(encoder, ws, job);
	if (rc == -ENOENT)
		rc = codec_encode(
			ws, job->payload, CODEC_BOUND(ENCODE_CHUNK), &in, CODEC_DEFAULT, -1, &job->result);
	if (rc)
		chunks_unpin(encoder->chunks, &job->id);
	job->rc = rc;
}
