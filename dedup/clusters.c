#include "dedup/clusters.h"

#include <errno.h>
#include <stdlib.h>

#include "dedup/places.h"
#include "store/util/array.h"

struct member {
	uint32_t keeper, id;
};

struct members {
	struct member *v;
	size_t count, capacity;
};

static int compare(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	if (x->keeper != y->keeper)
		return x->keeper < y->keeper ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static int gather(struct members *members, const struct dedup_outcome *outcome)
{
	uint32_t lines = dedup_outcome_lines(outcome);

	for (uint32_t id = 0; id < lines; id++) {
		uint32_t keeper = dedup_outcome_of(outcome, id).keeper;
		struct member *grown;

		if (keeper == id)
			continue;
		grown = array_grow(members->v, members->count, &members->capacity, sizeof *grown);
		if (!grown)
			return -ENOMEM;
		members->v = grown;
		grown[members->count++] = (struct member){keeper, id};
	}
	if (members->count)
		qsort(members->v, members->count, sizeof *members->v, compare);
	return 0;
}

static int put_cluster(const struct dedup_places *places, struct dedup_outfile *file,
	const struct member *members, size_t count)
{
	int rc = dedup_places_put(places, file, "{\"keeper\": ", members->keeper);

	rc = rc ? rc : dedup_put(file, ", \"size\": %zu, \"members\": [", count + 1);
	for (size_t i = 0; !rc && i < count; i++) {
		struct dedup_fate fate = dedup_outcome_of(places->outcome, members[i].id);

		rc = dedup_places_put(places, file, i ? ", {\"id\": " : "{\"id\": ", members[i].id);
		rc = rc ? rc : dedup_put(file, ", \"similarity\": ");
		rc = rc ? rc : dedup_similarity_put(file, fate.similarity);
		rc = rc ? rc : dedup_put(file, ", \"method\": \"%s\"}", dedup_method_of(&fate));
	}
	return rc ? rc : dedup_put(file, "]}\n");
}

int dedup_clusters_write(
	const struct dedup_options *options, const struct dedup_outcome *outcome, struct dedup_outfile *file)
{
	struct members members = {0};
	struct dedup_places places;
	int rc = dedup_places_init(&places, options->inputs, outcome);

	rc = rc ? rc : gather(&members, outcome);
	for (size_t i = 0, end; !rc && i < members.count; i = end) {
		for (end = i + 1; end < members.count && members.v[end].keeper == members.v[i].keeper;)
			end++;
		rc = put_cluster(&places, file, members.v + i, end - i);
	}
	free(members.v);
	dedup_places_release(&places);
	return rc;
}
