#include "dedup/clusters.h"

#include "dedup/places.h"
#include "dedup/sorter.h"

/* Lines that go by their keepers: a the keeper, b the line. */
static int gather(struct dedup_sorter *members, const struct dedup_outcome *outcome)
{
	uint32_t lines = dedup_outcome_lines(outcome);
	int rc = 0;

	for (uint32_t id = 0; !rc && id < lines; id++) {
		uint32_t keeper = dedup_outcome_of(outcome, id).keeper;

		if (keeper != id)
			rc = dedup_sorter_add(members, 0, (struct dedup_triple){.a = keeper, .b = id});
	}
	return rc ? rc : dedup_sorter_finish(members);
}

/* The sequence, and what comes next in it. */
struct members {
	struct dedup_sequence sequence;
	struct dedup_triple next;
	int more; /* 1: there is a next one; below 0: an error */
};

static void go_on(struct members *m)
{
	m->more = dedup_sequence_next(&m->sequence, &m->next);
}

static void begin(struct members *m, const struct dedup_sorter *sorter)
{
	m->more = dedup_sequence_open(&m->sequence, sorter);
	if (!m->more)
		go_on(m);
}

/* Members with this keeper, from the next one on. */
static size_t count(struct members *m, uint32_t keeper)
{
	size_t members = 0;

	for (; m->more > 0 && m->next.a == keeper; go_on(m))
		members++;
	return members;
}

static int put_cluster(const struct dedup_places *places, struct dedup_outfile *file, struct members *m,
	struct members *ahead)
{
	uint32_t keeper = m->next.a;
	size_t members = count(ahead, keeper);
	int rc = dedup_places_put(places, file, "{\"keeper\": ", keeper);

	rc = rc ? rc : dedup_put(file, ", \"size\": %zu, \"members\": [", members + 1);
	for (size_t i = 0; !rc && i < members && m->more > 0; i++, go_on(m)) {
		struct dedup_fate fate = dedup_outcome_of(places->outcome, m->next.b);

		rc = dedup_places_put(places, file, i ? ", {\"id\": " : "{\"id\": ", m->next.b);
		rc = rc ? rc : dedup_put(file, ", \"similarity\": ");
		rc = rc ? rc : dedup_similarity_put(file, fate.similarity);
		rc = rc ? rc : dedup_put(file, ", \"method\": \"%s\"}", dedup_method_of(&fate));
	}
	return rc ? rc : dedup_put(file, "]}\n");
}

/* Gone through twice side by side, as a cluster's size stands before its members. */
static int put_all(
	const struct dedup_places *places, struct dedup_outfile *file, const struct dedup_sorter *sorter)
{
	struct members m = {.more = 0}, ahead = {.more = 0};
	int rc = 0;

	begin(&m, sorter);
	begin(&ahead, sorter);
	while (!rc && m.more > 0 && ahead.more >= 0)
		rc = put_cluster(places, file, &m, &ahead);
	dedup_sequence_close(&m.sequence);
	dedup_sequence_close(&ahead.sequence);
	return rc ? rc : m.more < 0 ? m.more : ahead.more < 0 ? ahead.more : 0;
}

int dedup_clusters_write(const struct dedup_options *options, const struct dedup_work *work,
	const struct dedup_outcome *outcome, struct dedup_outfile *file)
{
	struct dedup_sorter *members = NULL;
	struct dedup_places places;
	int rc = dedup_places_init(&places, options->inputs, outcome);

	rc = rc ? rc : dedup_sorter_new(work, "members", 1, options->memory / 8, &members);
	rc = rc ? rc : gather(members, outcome);
	rc = rc ? rc : put_all(&places, file, members);
	dedup_sorter_free(members);
	dedup_places_release(&places);
	return rc;
}
