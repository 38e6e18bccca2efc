#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/lib/handle.h"
#include "dedup/report/html.h"
#include "dedup/report/parts.h"
#include "dedup/report/view.h"

#define WIDTH_MIN 20u

/* Writes a text about a report. -EINVAL and -ESRCH have set the error. */
typedef int show_function(struct mithril_dedup *d, FILE *out, struct dedup_report *report, const void *how);

static int say(struct mithril_dedup *d, const struct dedup_report *report, int rc)
{
	const char *why = report->why ? report->why : strerror(-rc);

	if (*d->error)
		return rc;
	if (*report->path && report->line)
		snprintf(d->error, sizeof d->error, "%s: line %llu: %s", report->path,
			(unsigned long long)report->line, why);
	else if (*report->path)
		snprintf(d->error, sizeof d->error, "%s: %s", report->path, why);
	else
		dedup_lib_fail(d, rc, why);
	return rc;
}

static const char *show_report(
	struct mithril_dedup *d, const char *place, show_function *show, const void *how)
{
	struct dedup_report report;
	size_t size = 0;
	FILE *out = NULL;
	int rc;

	d->error[0] = 0;
	free(d->report);
	d->report = NULL;
	rc = dedup_report_load(&report, place);
	if (!rc) {
		out = open_memstream(&d->report, &size);
		rc = out ? show(d, out, &report, how) : -ENOMEM;
	}
	if (out && (ferror(out) | fclose(out)) && !rc)
		rc = -ENOMEM;
	if (rc) {
		free(d->report);
		d->report = NULL;
		say(d, &report, rc);
	}
	dedup_report_release(&report);
	return d->report;
}

static int show_object(struct mithril_dedup *d, FILE *out, struct dedup_report *report, const void *largest)
{
	json_t *all = dedup_report_object(report, (size_t) * (const uint64_t *)largest);
	int rc = all && !json_dumpf(all, out, JSON_INDENT(2)) ? 0 : -ENOMEM;

	(void)d;
	json_decref(all);
	return rc;
}

static int show_page(struct mithril_dedup *d, FILE *out, struct dedup_report *report, const void *largest)
{
	(void)d;
	dedup_report_html(out, report, (size_t) * (const uint64_t *)largest);
	return 0;
}

static int show_view(struct mithril_dedup *d, FILE *out, struct dedup_report *report, const void *how)
{
	const struct mithril_dedup_view *v = how;
	struct dedup_view_options o = {
		.largest = v->largest ? (size_t)v->largest : DEDUP_VIEW_CLUSTERS,
		.members = v->members ? (size_t)v->members : DEDUP_VIEW_MEMBERS,
		.names = v->records,
		.name_count = (size_t)v->record_count,
		.style = {.width = v->width ? v->width : DEDUP_VIEW_WIDTH,
			.colour = v->colour != 0,
			.context = v->whole ? DEDUP_VIEW_WHOLE : DEDUP_VIEW_CONTEXT},
		.json = v->json != 0,
	};
	const char *unknown = NULL;
	int rc;

	if (o.style.width < WIDTH_MIN || o.style.width > INT16_MAX)
		return dedup_lib_fail(d, -EINVAL, "width: not 20 to 32767 columns");
	rc = dedup_view(out, report, &o, &unknown);
	if (rc == -ESRCH)
		snprintf(d->error, sizeof d->error, "%s: the record is in no cluster", unknown);
	return rc;
}

const char *mithril_dedup_report(struct mithril_dedup *d, const char *place, uint64_t largest)
{
	return show_report(d, place, show_object, &largest);
}

const char *mithril_dedup_report_html(struct mithril_dedup *d, const char *place, uint64_t largest)
{
	return show_report(d, place, show_page, &largest);
}

const char *mithril_dedup_side_by_side(
	struct mithril_dedup *d, const char *place, const struct mithril_dedup_view *view)
{
	struct mithril_dedup_view all = {.size = sizeof all};

	if (view)
		memcpy(&all, view, view->size < sizeof all ? view->size : sizeof all);
	return show_report(d, place, show_view, &all);
}
