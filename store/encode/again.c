#include <errno.h>
#include <stdlib.h>

#include "store/encode/private.h"

static int append_again(struct encoder *encoder, const struct chunk_id *id, const struct chunk_id *base,
	const struct codec_result *result, const void *payload, struct chunk_record *record)
{
	struct chunk_record below = {0}, again;
	struct frame frame = {
		.id = *id,
		.raw_len = record->raw_len,
		.payload_len = (uint32_t)result->len,
		.codec = result->codec,
		.codec_version = CODEC_VERSION,
		.dtype = record->dtype,
		.salt = record->salt,
	};
	int rc;

	if (codec_needs_base(result->codec)) {
		frame.bases = chunk_bases_of(base);
		if ((rc = chunks_get(encoder->chunks, base, &below)))
			return rc;
	}
	again = chunk_record_of(&frame, &(struct frame_place){.payload_len = frame.payload_len});
	if (!chunk_record_stand(&again, &below))
		return -ENOENT;
	if ((rc = packs_append(encoder->packs, &frame, payload, &again.place)))
		return rc;
	*record = again;
	return 0;
}

int encode_again(struct encoder *encoder, const struct chunk_id *id, const struct chunk_id *base,
	struct chunk_record *record)
{
	struct chunk_data *data = NULL, *base_data = NULL;
	struct codec_input in = {0};
	struct codec_result result;
	void *payload = NULL;
	int rc;

	if ((rc = chunks_get(encoder->chunks, id, record)) ||
		(rc = decode_chunk(encoder->decoder, id, &data)))
		return rc;
	in.src = chunk_data_bytes(data, &in.len);
	in.dtype = record->dtype;
	if (base && (rc = decode_chunk(encoder->decoder, base, &base_data)))
		goto out;
	if (base)
		in.base = chunk_data_bytes(base_data, &in.base_len);
	if (!(payload = malloc(CODEC_BOUND(in.len)))) {
		rc = -ENOMEM;
		goto out;
	}
	pthread_mutex_lock(&encoder->again_lock);
	rc = codec_encode(encoder->again_ws, payload, CODEC_BOUND(in.len), &in, encoder->level, -1, &result);
	pthread_mutex_unlock(&encoder->again_lock);
	if (!rc)
		rc = append_again(encoder, id, base, &result, payload, record);
out:
	free(payload);
	if (base_data)
		decode_release(encoder->decoder, base_data);
	decode_release(encoder->decoder, data);
	return rc;
}
