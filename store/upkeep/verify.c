#include "store/upkeep/verify.h"

#include <errno.h>
#include <stdlib.h>

#include "store/codec/codec.h"

#define TRIES 3u

struct verifier {
	const struct parts *parts;
	struct codec_workspace *ws;
	uint8_t *payload, *raw;
};

struct verifier *verifier_new(const struct parts *parts)
{
	struct verifier *verifier = calloc(1, sizeof *verifier);

	if (!verifier)
		return NULL;
	verifier->parts = parts;
	verifier->ws = codec_workspace_new();
	verifier->payload = malloc(FRAME_PAYLOAD_MAX);
	verifier->raw = malloc(CODEC_CHUNK_MAX);
	if (!verifier->ws || !verifier->payload || !verifier->raw) {
		verifier_free(verifier);
		return NULL;
	}
	return verifier;
}

void verifier_free(struct verifier *verifier)
{
	if (!verifier)
		return;
	if (verifier->ws)
		codec_workspace_free(verifier->ws);
	free(verifier->payload);
	free(verifier->raw);
	free(verifier);
}

static bool agrees(const struct frame *frame, const struct chunk_record *record)
{
	return chunk_id_equal(&frame->base, &record->base) && frame->raw_len == record->raw_len &&
	       frame->codec == record->codec && frame->codec_version == record->codec_version &&
	       frame->dtype == record->dtype && frame->salt == record->salt;
}

static int decode(struct verifier *v, const struct chunk_id *id, const struct chunk_record *record)
{
	struct chunk_data *base = NULL;
	const void *base_bytes = NULL;
	size_t base_len = 0;
	struct chunk_id got;
	int rc;

	if (record->raw_len > CODEC_CHUNK_MAX)
		return -EBADMSG;
	if (!chunk_id_is_zero(&record->base)) {
		rc = decode_chunk(v->parts->decoder, &record->base, &base);
		if (rc)
			return rc == -ENOENT ? -EBADMSG : rc;
		base_bytes = chunk_data_bytes(base, &base_len);
	}
	rc = codec_decode(v->ws, v->raw, record->raw_len, v->payload, record->place.payload_len,
		(enum codec)record->codec, record->codec_version, (enum dtype)record->dtype, base_bytes,
		base_len);
	if (base)
		decode_release(v->parts->decoder, base);
	if (rc)
		return rc;
	got = chunk_id_of(chunks_seed(v->parts->chunks), record->salt, v->raw, record->raw_len);
	return chunk_id_equal(&got, id) ? 0 : -EBADMSG;
}

int verify_chunk(struct verifier *verifier, const struct chunk_id *id)
{
	int rc = -EBADMSG;

	for (unsigned i = 0; i < TRIES; i++) {
		struct chunk_record record;
		struct frame frame;

		rc = chunks_get(verifier->parts->chunks, id, &record);
		if (rc)
			return rc;
		rc = packs_read(verifier->parts->packs, &record.place, id, &frame, verifier->payload,
			FRAME_PAYLOAD_MAX);
		/* Its pack may have been rewritten since the record was read. */
		if (rc == -ENOENT)
			continue;
		if (!rc)
			rc = agrees(&frame, &record) ? decode(verifier, id, &record) : -EBADMSG;
		return rc == -EPROTONOSUPPORT ? -EBADMSG : rc;
	}
	return rc == -ENOENT ? -EBADMSG : rc;
}
