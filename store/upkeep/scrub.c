/*
 * Reads every chunk from the disk and decodes it, pack by pack.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/upkeep/paths.h"
#include "store/upkeep/places.h"
#include "store/upkeep/scrub.h"
#include "store/upkeep/verify.h"
#include "store/util/bytes.h"

#define STEP 256u

static void tell(const struct fsck_options *options, const struct place *place)
{
	char line[192];

	snprintf(line, sizeof line,
		"pack %016" PRIx64 " offset %" PRIu32 ": chunk %016" PRIx64 "%016" PRIx64
		" is damaged or stands on a damaged one",
		place->place.pack, place->place.offset, get_be64(place->id.b), get_be64(place->id.b + 8));
	options->report(options->ctx, line);
}

static int verify_all(const struct fsck_options *options, const struct places *places,
	struct verifier *verifier, struct marks *bad)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < places->count; i++) {
		const struct place *place = &places->list[i];

		rc = verify_chunk(verifier, &place->id);
		if (rc == -EBADMSG || rc == -EIO) {
			tell(options, place);
			rc = marks_add(bad, &place->id, MARK_BASE, MARK_NOWHERE);
		} else if (rc == -ENOENT) {
			rc = 0; /* collected meanwhile */
		}
		if (rc >= 0 && i % STEP == 0 && options->progress &&
			options->progress(options->ctx, "scrub", (double)i / (double)places->count))
			rc = -EINTR;
	}
	return rc < 0 ? rc : 0;
}

int scrub_chunks(const struct parts *parts, const struct fsck_options *options, struct marks *bad)
{
	struct places places = {0};
	struct verifier *verifier = verifier_new(parts);
	int rc = verifier ? places_load(parts->chunks, &places) : -ENOMEM;

	/* A damaged record is fsck's business; its chunk is found missing by whoever reads it. */
	if (!rc || rc == -EBADMSG)
		rc = verify_all(options, &places, verifier, bad);
	places_release(&places);
	verifier_free(verifier);
	return rc;
}

int64_t scrub_run(const struct parts *parts, const struct fsck_options *options)
{
	struct marks bad = {0};
	int64_t rc = scrub_chunks(parts, options, &bad);

	if (!rc && bad.count)
		rc = paths_report_hurt(parts, &bad, options->report, options->ctx);
	if (rc >= 0)
		rc = (int64_t)bad.count;
	marks_release(&bad);
	return rc;
}
