#include "dedup/beside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dedup/clusters.h"
#include "dedup/duplicates.h"
#include "dedup/mask.h"
#include "dedup/quarantine.h"
#include "dedup/record.h"

enum { DUPLICATES, CLUSTERS, MASK, QUARANTINE, RECORD_DUPLICATES, RECORD_RUN };

struct place {
	const char *dir, *name; /* name NULL: not asked for */
	enum dedup_codec codec;
	bool replaces;
};

static struct place user_place(const char *path)
{
	return (struct place){.name = path, .codec = path ? dedup_codec_of_name(path) : DEDUP_CODEC_NONE};
}

static struct place place_of(const struct dedup_options *o, int what)
{
	switch (what) {
	case DUPLICATES:
		return user_place(o->duplicates);
	case CLUSTERS:
		return user_place(o->clusters);
	case MASK:
		return (struct place){.name = o->mask};
	case QUARANTINE:
		return user_place(o->on_error == DEDUP_QUARANTINE ? o->quarantine : NULL);
	case RECORD_DUPLICATES:
		return (struct place){
			o->record, o->record ? DEDUP_RECORD_DUPLICATES : NULL, DEDUP_CODEC_ZSTD_QUICK, true};
	default:
		return (struct place){o->record, o->record ? DEDUP_RECORD_RUN : NULL, DEDUP_CODEC_NONE, true};
	}
}

static int fail(struct dedup_result *result, const struct place *place, int rc)
{
	if (rc)
		snprintf(result->path, sizeof result->path, "%s%s%s", place->dir ? place->dir : "",
			place->dir ? "/" : "", place->name);
	return rc;
}

/* Whether it has the name of the output, or of one before it. Those in a directory of ours are apart. */
static bool is_twice(const struct dedup_options *o, int what)
{
	const char *name = place_of(o, what).dir ? NULL : place_of(o, what).name;

	if (name && o->output && o->single && !strcmp(name, o->output))
		return true;
	for (int i = 0; name && i < what; i++)
		if (place_of(o, i).name && !place_of(o, i).dir && !strcmp(name, place_of(o, i).name))
			return true;
	return false;
}

int dedup_beside_check(const struct dedup_options *o, struct dedup_result *result)
{
	for (int i = 0; i < DEDUP_BESIDE; i++) {
		struct place place = place_of(o, i);
		bool is_input;
		int rc;

		if (!place.name)
			continue;
		rc = dedup_outfile_check(
			place.dir, place.name, o->inputs, o->force || place.replaces, &is_input);
		if (rc == -EEXIST)
			result->fault.why =
				is_input ? "the output would replace an input" : DEDUP_FILE_IS_THERE;
		if (!rc && is_twice(o, i)) {
			rc = -EEXIST;
			result->fault.why = "two outputs have this name";
		}
		if (rc)
			return fail(result, &place, rc);
	}
	return 0;
}

static int write_one(const struct dedup_options *o, const struct dedup_work *work,
	const struct dedup_outcome *outcome, const struct dedup_hits *hits, int what,
	struct dedup_outfile *file, const struct dedup_result *result)
{
	switch (what) {
	case DUPLICATES:
	case RECORD_DUPLICATES:
		return dedup_duplicates_write(o, outcome, hits, file);
	case CLUSTERS:
		return dedup_clusters_write(o, work, outcome, file);
	case MASK:
		return dedup_mask_write(o, outcome, file);
	case QUARANTINE:
		return dedup_quarantine_write(o, outcome, file);
	default:
		return dedup_record_write(o, result, file);
	}
}

int dedup_beside_write(const struct dedup_options *o, const struct dedup_work *work,
	const struct dedup_outcome *outcome, const struct dedup_hits *hits, struct dedup_beside *beside,
	struct dedup_result *result)
{
	int rc = 0;

	for (int i = 0; !rc && i < DEDUP_BESIDE; i++) {
		struct place place = place_of(o, i);
		struct dedup_outfile *file = &beside->files[i];

		/* No bad records, no quarantine. */
		if (!place.name || (i == QUARANTINE && !result->faults))
			continue;
		rc = dedup_outfile_open(file, place.dir, place.name, place.codec);
		rc = rc ? rc : write_one(o, work, outcome, hits, i, file, result);
		rc = fail(result, &place, rc ? rc : dedup_outfile_finish(file));
	}
	return rc;
}

int dedup_beside_publish(
	const struct dedup_options *o, struct dedup_beside *beside, struct dedup_result *result)
{
	int rc = 0;

	for (int i = 0; !rc && i < DEDUP_BESIDE; i++) {
		struct place place = place_of(o, i);

		if (beside->files[i].is_there)
			rc = fail(result, &place,
				dedup_outfile_publish(&beside->files[i], o->force || place.replaces));
	}
	return rc;
}

void dedup_beside_remove_left(const struct dedup_options *o, uint64_t process)
{
	for (int i = 0; i < DEDUP_BESIDE; i++) {
		struct place place = place_of(o, i);

		if (place.name)
			dedup_outfile_remove_left(place.dir, place.name, process);
	}
}

void dedup_beside_release(struct dedup_beside *beside)
{
	for (int i = 0; i < DEDUP_BESIDE; i++)
		dedup_outfile_drop(&beside->files[i]);
}
