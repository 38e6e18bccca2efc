#include "dedup/duplicates.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/places.h"

struct list {
	const struct dedup_options *options;
	const struct dedup_outcome *outcome;
	struct dedup_sequence hits;
	struct dedup_outfile *file;
	struct dedup_places places;
};

static bool is_gone(const struct dedup_fate *fate)
{
	return fate->how != DEDUP_HOW_STAYS && fate->how != DEDUP_HOW_BLANK && fate->how != DEDUP_HOW_BAD;
}

/* The item that it hits, whose file is named as it was given. */
static int put_hit(struct list *list, uint32_t id)
{
	struct dedup_hit hit;
	const struct dedup_input *input;
	uint64_t line;
	char *name;
	int rc = dedup_hit_next(&list->hits, id, &hit);

	if (rc)
		return rc;
	input = dedup_against_place(list->options->against, hit.item, &line);
	name = dedup_json_escaped(input->path, strlen(input->path));
	if (!name)
		return -ENOMEM;
	rc = dedup_put(list->file, ", \"against\": \"");
	rc = rc ? rc : dedup_outfile_write(list->file, name, strlen(name));
	free(name);
	return rc ? rc
		  : dedup_put(list->file, ":%llu\", \"overlap\": %.4f", (unsigned long long)line,
			    (double)hit.overlap);
}

static int put_text(const struct list *list, const char *text)
{
	return dedup_outfile_write(list->file, text, strlen(text));
}

static int put(struct list *list, uint32_t id, const struct dedup_fate *fate)
{
	int rc = dedup_places_put(&list->places, list->file, "{\"id\": ", id);

	if (!rc && fate->keeper != id) {
		rc = dedup_places_put(&list->places, list->file, ", \"anchor\": ", fate->keeper);
		rc = rc ? rc : put_text(list, ", \"similarity\": ");
		rc = rc ? rc : dedup_similarity_put(list->file, fate->similarity);
	} else if (!rc) {
		rc = put_text(list, ", \"anchor\": null, \"similarity\": null");
		if (!rc && fate->how == DEDUP_HOW_AGAINST)
			rc = put_hit(list, id);
	}
	rc = rc ? rc : put_text(list, ", \"method\": \"");
	rc = rc ? rc : put_text(list, dedup_method_of(fate));
	return rc ? rc : put_text(list, "\"}\n");
}

int dedup_duplicates_write(const struct dedup_options *options, const struct dedup_outcome *outcome,
	const struct dedup_hits *hits, struct dedup_outfile *file)
{
	struct list list = {.options = options, .outcome = outcome, .file = file};
	uint32_t lines = dedup_outcome_lines(outcome);
	int rc = dedup_places_init(&list.places, options->inputs, outcome);

	if (!rc && hits->sorter)
		rc = dedup_sequence_open(&list.hits, hits->sorter);
	for (uint32_t id = 0; !rc && id < lines; id++) {
		struct dedup_fate fate = dedup_outcome_of(outcome, id);

		if (is_gone(&fate))
			rc = put(&list, id, &fate);
	}
	dedup_sequence_close(&list.hits);
	dedup_places_release(&list.places);
	return rc;
}
