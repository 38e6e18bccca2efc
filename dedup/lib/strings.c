#include "dedup/lib/strings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int copy(struct dedup_strings *s, const char **string)
{
	if (!*string)
		return 0;
	s->v[s->count] = strdup(*string);
	if (!s->v[s->count])
		return -ENOMEM;
	*string = s->v[s->count++];
	return 0;
}

int dedup_strings_copy(struct dedup_strings *s, struct mithril_dedup_options *o)
{
	const char **const names[] = {&o->field, &o->exact_field, &o->keep_by, &o->against_field, &o->work,
		&o->output, &o->duplicates, &o->clusters, &o->mask, &o->quarantine, &o->record};
	size_t named = sizeof names / sizeof names[0];
	const char **against;
	int rc = 0;

	if (!o->against)
		o->against_count = 0;
	if (o->against_count > UINT32_MAX)
		return -ENOMEM;
	/* The list of the second set's files is the first of the copies. */
	s->v = calloc(named + 1 + o->against_count, sizeof *s->v);
	against = calloc(o->against_count + 1, sizeof *against);
	if (!s->v || !against) {
		free(against);
		return -ENOMEM;
	}
	s->v[s->count++] = (char *)against;
	for (size_t i = 0; !rc && i < named; i++)
		rc = copy(s, names[i]);
	for (size_t i = 0; !rc && i < o->against_count; i++) {
		against[i] = o->against[i];
		rc = copy(s, &against[i]);
	}
	o->against = against;
	return rc;
}

void dedup_strings_release(struct dedup_strings *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->v[i]);
	free(s->v);
	*s = (struct dedup_strings){0};
}
