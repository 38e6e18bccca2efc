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

static int decode(struct verifier *v, const struct chunk_id *id, const struct chunk_record *record)
{
	struct chunk_data *data[FRAME_BASES_MAX];
	struct codec_bases bases = {0};
	struct chunk_id got;
	int rc = 0;

	if (record->raw_len > CODEC_CHUNK_MAX)
		return -EBADMSG;
	for (; !rc && bases.count < record->bases.count; bases.count += !rc) {
		struct codec_base *base = &bases.at[bases.count];
		rc = decode_chunk(v->parts->decoder, &record->bases.id[bases.count], &data[bases.count]);
		if (!rc)
			base->bytes = chunk_data_bytes(data[bases.count], &base->len);
	}
	if (rc == -ENOENT)
		rc = -EBADMSG;
	if (!rc)
		rc = codec_decode(v->ws, v->raw, record->raw_len, v->payload, record->place.payload_len,
			(enum codec)record->codec, record->codec_version, (enum dtype)record->dtype, &bases);
	while (bases.count)
		decode_release(v->parts->decoder, data[--bases.count]);
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
			rc = chunk_record_agrees(&record, &frame) ? decode(verifier, id, &record) : -EBADMSG;
		return rc == -EPROTONOSUPPORT ? -EBADMSG : rc;
	}
	return rc == -ENOENT ? -EBADMSG : rc;
}
