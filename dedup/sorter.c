#include "dedup/sorter.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/spill/sort.h"
#include "store/util/array.h"
#include "store/util/bytes.h"

#define RUN_MEMORY (DEDUP_TABLE_BLOCK + 1024u) /* of a run that is merged */
#define FAN_MIN 8u
#define BATCH_MIN 1365u /* records: 16 KiB */

struct batch {
	uint8_t *v;
	size_t count, capacity; /* records */
};

struct dedup_sorter {
	const struct dedup_work *work;
	const char *name;
	unsigned threads, fan; /* fan: runs that are merged at once */
	size_t most;	       /* records of a batch; 0: any number */
	struct batch *batches; /* one a thread; after finish in memory all are in the first */
	pthread_mutex_t lock;  /* of the file */
	struct dedup_table_writer file;
	struct dedup_table table; /* after finish: runs of part 0, `fan` at most */
	uint64_t count;
};

int dedup_sorter_new(const struct dedup_work *work, const char *name, unsigned threads, uint64_t memory,
	struct dedup_sorter **sorter)
{
	struct dedup_sorter *s = calloc(1, sizeof *s);
	uint64_t most = memory / DEDUP_TRIPLE / threads, fan = memory / RUN_MEMORY;

	*sorter = s;
	if (!s)
		return -ENOMEM;
	*s = (struct dedup_sorter){.work = work, .name = name, .threads = threads};
	s->file.fd = s->table.fd = -1;
	s->fan = fan < FAN_MIN ? FAN_MIN : fan > 4096 ? 4096 : (unsigned)fan;
	if (work)
		s->most = most < BATCH_MIN ? BATCH_MIN : (size_t)most;
	pthread_mutex_init(&s->lock, NULL);
	s->batches = calloc(threads, sizeof *s->batches);
	return s->batches ? 0 : -ENOMEM;
}

void dedup_sorter_free(struct dedup_sorter *s)
{
	if (!s)
		return;
	for (unsigned i = 0; s->batches && i < s->threads; i++)
		free(s->batches[i].v);
	free(s->batches);
	dedup_table_drop(&s->file);
	dedup_table_close(&s->table);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

uint64_t dedup_sorter_count(const struct dedup_sorter *s)
{
	return s->count;
}

uint64_t dedup_sorter_memory(const struct dedup_sorter *s)
{
	uint64_t batches = 0, runs = (uint64_t)s->table.run_count * RUN_MEMORY;

	for (unsigned i = 0; i < s->threads; i++)
		batches += s->batches[i].capacity * DEDUP_TRIPLE;
	return batches > runs ? batches : runs;
}

static int create(struct dedup_sorter *s)
{
	return dedup_work_create(s->work, s->name, 0, DEDUP_TABLE_TRIPLES, &s->file);
}

/* The part says with which others a run is merged. */
static int flush(struct dedup_sorter *s, struct batch *batch)
{
	int rc;

	dedup_sort(batch->v, batch->count, DEDUP_TRIPLE);
	pthread_mutex_lock(&s->lock);
	rc = s->file.fd < 0 ? create(s) : 0;
	rc = rc ? rc : dedup_table_begin(&s->file, (uint32_t)(s->file.run_count / s->fan));
	rc = rc ? rc : dedup_table_put(&s->file, batch->v, batch->count * DEDUP_TRIPLE);
	s->count += batch->count;
	pthread_mutex_unlock(&s->lock);
	batch->count = 0;
	return rc;
}

int dedup_sorter_add(struct dedup_sorter *s, unsigned thread, struct dedup_triple triple)
{
	struct batch *batch = &s->batches[thread];
	uint8_t *record;
	int rc = 0;

	if (s->most && batch->count == s->most)
		rc = flush(s, batch);
	if (!rc && batch->count == batch->capacity) {
		size_t twice = 2 * batch->capacity + BATCH_MIN,
		       room = s->most && twice > s->most ? s->most : twice;

		record = realloc(batch->v, room * DEDUP_TRIPLE);
		if (!record)
			return -ENOMEM;
		batch->v = record;
		batch->capacity = room;
	}
	if (rc)
		return rc;
	record = batch->v + batch->count++ * DEDUP_TRIPLE;
	put_be32(record, triple.a);
	put_be32(record + 4, triple.b);
	put_be32(record + 8, triple.c);
	return 0;
}

/* All into the first. */
static int join_batches(struct dedup_sorter *s)
{
	struct batch *first = &s->batches[0];

	for (unsigned i = 0; i < s->threads; i++)
		s->count += s->batches[i].count;
	for (unsigned i = 1; i < s->threads; i++) {
		struct batch *batch = &s->batches[i];
		uint8_t *grown;

		if (!batch->count)
			continue;
		grown = array_reserve(first->v, first->count + batch->count, &first->capacity, DEDUP_TRIPLE);
		if (!grown)
			return -ENOMEM;
		first->v = grown;
		memcpy(first->v + first->count * DEDUP_TRIPLE, batch->v, batch->count * DEDUP_TRIPLE);
		first->count += batch->count;
		free(batch->v);
		*batch = (struct batch){0};
	}
	dedup_sort(first->v, first->count, DEDUP_TRIPLE);
	return 0;
}

/* The file, whole, for reading; it has no name any more. */
static int take_file(struct dedup_sorter *s)
{
	int rc = dedup_table_finish(&s->file);

	rc = rc ? rc : dedup_work_load(s->work, s->name, 0, DEDUP_TABLE_TRIPLES, &s->table);
	dedup_table_drop(&s->file);
	return rc ? rc : dedup_work_unname(s->work, s->name, 0);
}

static int open_merge(struct dedup_merge *m, const struct dedup_table *table, uint32_t part)
{
	struct dedup_merge_shape shape = {
		.head = DEDUP_TRIPLE, .key = DEDUP_TRIPLE, .size = dedup_merge_fixed};

	return dedup_merge_open(m, table, 1, part, &shape);
}

static int merge_part(struct dedup_sorter *s, const struct dedup_table *table, uint32_t part)
{
	struct dedup_merge m;
	const uint8_t *record;
	size_t size, from;
	int rc = open_merge(&m, table, part), more = 0;

	rc = rc ? rc : dedup_table_begin(&s->file, part / s->fan);
	while (!rc && (more = dedup_merge_peek(&m, &record, &size, &from)) > 0) {
		rc = dedup_table_put(&s->file, record, size);
		rc = rc ? rc : dedup_merge_next(&m);
	}
	dedup_merge_close(&m);
	return rc ? rc : more;
}

/* Until there is one part. */
static int merge_rounds(struct dedup_sorter *s)
{
	int rc = 0;

	while (!rc && s->table.run_count > s->fan) {
		struct dedup_table table = s->table;
		uint32_t parts = table.runs[table.run_count - 1].part + 1;

		s->table = (struct dedup_table){.fd = -1};
		rc = create(s);
		for (uint32_t part = 0; !rc && part < parts; part++)
			rc = merge_part(s, &table, part);
		dedup_table_close(&table);
		rc = rc ? rc : take_file(s);
	}
	return rc;
}

int dedup_sorter_finish(struct dedup_sorter *s)
{
	int rc = 0;

	if (!s->work || s->file.fd < 0) /* none was too many */
		return join_batches(s);
	for (unsigned i = 0; i < s->threads; i++) {
		if (!rc && s->batches[i].count)
			rc = flush(s, &s->batches[i]);
		free(s->batches[i].v);
		s->batches[i] = (struct batch){0};
	}
	rc = rc ? rc : take_file(s);
	return rc ? rc : merge_rounds(s);
}

int dedup_sequence_open(struct dedup_sequence *q, const struct dedup_sorter *s)
{
	*q = (struct dedup_sequence){.sorter = s};
	return s->table.fd < 0 ? 0 : open_merge(&q->merge, &s->table, 0);
}

void dedup_sequence_close(struct dedup_sequence *q)
{
	dedup_merge_close(&q->merge);
}

static struct dedup_triple triple_of(const uint8_t *record)
{
	return (struct dedup_triple){get_be32(record), get_be32(record + 4), get_be32(record + 8)};
}

int dedup_sequence_next(struct dedup_sequence *q, struct dedup_triple *triple)
{
	const struct batch *batch = &q->sorter->batches[0];
	const uint8_t *record;
	size_t size, table;
	int rc;

	if (q->sorter->table.fd < 0) {
		if (q->at == batch->count)
			return 0;
		*triple = triple_of(batch->v + q->at++ * DEDUP_TRIPLE);
		return 1;
	}
	rc = dedup_merge_peek(&q->merge, &record, &size, &table);
	if (rc <= 0)
		return rc;
	*triple = triple_of(record);
	rc = dedup_merge_next(&q->merge);
	return rc ? rc : 1;
}
