#include "store/upkeep/fsck.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "store/upkeep/paths.h"
#include "store/upkeep/scrub.h"

static void report(struct fsck *fsck, const char *prefix, const char *format, va_list args)
{
	char line[1024];
	int n = snprintf(line, sizeof line, "%s", prefix);

	vsnprintf(line + n, sizeof line - (size_t)n, format, args);
	fsck->options->report(fsck->options->ctx, line);
}

void fsck_found(struct fsck *fsck, const char *format, ...)
{
	va_list args;

	fsck->findings++;
	va_start(args, format);
	report(fsck, "", format, args);
	va_end(args);
}

void fsck_fixed(struct fsck *fsck, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(fsck, "repaired: ", format, args);
	va_end(args);
}

int fsck_step(const struct fsck *fsck, const char *phase, double share)
{
	const struct fsck_options *options = fsck->options;

	return options->progress && options->progress(options->ctx, phase, share) ? -EINTR : 0;
}

int fsck_walk(struct fsck *fsck, enum kv_family family,
	int (*each)(struct fsck *fsck, void *ctx, const struct pair *pair), void *ctx)
{
	struct kv_iter *it = kv_iter_new(fsck->parts->kv, family, NULL, 0);
	int rc = 0;

	if (!it)
		return -ENOMEM;
	for (; !rc && kv_iter_valid(it); kv_iter_next(it)) {
		struct pair pair;

		pair.key = kv_iter_key(it, &pair.key_len);
		pair.value = kv_iter_value(it, &pair.value_len);
		rc = each(fsck, ctx, &pair);
	}
	if (!rc)
		rc = kv_iter_error(it);
	kv_iter_free(it);
	return rc;
}

static int check_data(struct fsck *fsck)
{
	struct marks bad = {0};
	int rc = scrub_chunks(fsck->parts, fsck->options, &bad);

	for (size_t i = 0; rc >= 0 && i < bad.capacity; i++) {
		if (chunk_id_is_zero(&bad.entries[i].id))
			continue;
		fsck->findings++;
		rc = marks_add(&fsck->bad, &bad.entries[i].id, MARK_BASE, MARK_NOWHERE);
	}
	marks_release(&bad);
	return rc < 0 ? rc : 0;
}

/* What stands on a bad chunk is bad. */
struct spread {
	struct fsck *fsck;
	int added;
};

static int spread_to(void *ctx, const struct chunk_id *id, const struct chunk_record *record)
{
	struct spread *spread = ctx;
	uint32_t i = 0;
	int rc;

	while (i < record->bases.count && !marks_find(&spread->fsck->bad, &record->bases.id[i]))
		i++;
	if (i == record->bases.count)
		return 0;
	rc = marks_add(&spread->fsck->bad, id, MARK_BASE, MARK_NOWHERE);
	spread->added |= rc > 0;
	return rc < 0 ? rc : 0;
}

static int tell_files(struct fsck *fsck)
{
	struct spread spread = {fsck, fsck->bad.count > 0};
	int64_t files;

	while (spread.added) {
		int rc;

		spread.added = 0;
		rc = chunks_each(fsck->parts->chunks, spread_to, &spread);
		if (rc && rc != -EBADMSG)
			return rc;
	}
	files = paths_report_hurt(fsck->parts, &fsck->bad, fsck->options->report, fsck->options->ctx);
	if (files < 0)
		return (int)files;
	fsck->findings += files;
	return 0;
}

int64_t fsck_run(const struct parts *parts, const struct fsck_options *options)
{
	struct fsck fsck = {.parts = parts, .options = options};
	int rc = fsck_index(&fsck);

	if (!rc)
		rc = fsck_names(&fsck);
	if (!rc)
		rc = fsck_content(&fsck);
	if (!rc)
		rc = fsck_kept(&fsck);
	if (!rc && options->data)
		rc = check_data(&fsck);
	if (!rc)
		rc = tell_files(&fsck);
	marks_release(&fsck.bad);
	return rc ? rc : fsck.findings;
}
