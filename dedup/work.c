#include "dedup/work.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define VERSION 1u /* of what the stages do: another one does not go on with their files */
#define TRIES 200

static void add(XXH3_state_t *state, const void *data, size_t len)
{
	uint64_t length = len;

	XXH3_128bits_update(state, &length, sizeof length);
	XXH3_128bits_update(state, data, len);
}

static void add_number(XXH3_state_t *state, uint64_t number)
{
	add(state, &number, sizeof number);
}

static void add_string(XXH3_state_t *state, const char *string)
{
	add(state, string ? string : "", string ? strlen(string) : 0);
}

static void add_inputs(XXH3_state_t *state, const struct dedup_inputs *inputs)
{
	for (size_t i = 0; i < inputs->count; i++) {
		const struct dedup_input *input = &inputs->v[i];

		add_string(state, input->path);
		add_number(state, input->format);
		add_number(state, input->size);
		add_number(state, (uint64_t)input->mtime.tv_sec);
		add_number(state, (uint64_t)input->mtime.tv_nsec);
	}
}

static void add_against(XXH3_state_t *state, const struct dedup_against_options *o)
{
	add_inputs(state, o->inputs);
	add_string(state, o->field);
	add_number(state, o->normalise);
	add_number(state, o->ngram);
	add_number(state, o->overlap);
	add(state, &o->least, sizeof o->least);
}

static int digest(struct dedup_work *work)
{
	const struct dedup_options *o = work->options;
	XXH3_state_t *state = XXH3_createState();
	XXH128_canonical_t canonical;

	if (!state)
		return -ENOMEM;
	XXH3_128bits_reset(state);
	add_number(state, VERSION);
	add_inputs(state, o->inputs);
	add_string(state, o->field);
	add_string(state, o->keep_by);
	add_string(state, o->exact_field);
	add_number(state, o->distance);
	add_number(state, dedup_needs_text(o));
	if (o->against)
		add_against(state, dedup_against_options_of(o->against));
	add(state, &o->threshold, sizeof o->threshold);
	for (unsigned i = 0; i < 9; i++)
		add_number(state, (const unsigned[]){o->method, o->normalise, o->ngram, o->sketch,
					  o->bands.bands, o->bands.rows, o->values, o->keep, o->on_error}[i]);
	add_number(state, work->shards);
	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state));
	memcpy(work->digest.bytes, canonical.digest, sizeof work->digest.bytes);
	XXH3_freeState(state);
	return 0;
}

static int make_plan(struct dedup_work *work)
{
	struct dedup_table_writer w;
	int rc = dedup_work_create(work, "plan", 0, DEDUP_TABLE_PLAN, &w);

	if (!rc && getrandom(w.counts, 2 * sizeof w.counts[0], 0) != 2 * sizeof w.counts[0])
		rc = -EIO;
	rc = rc ? rc : dedup_table_finish(&w);
	dedup_table_drop(&w);
	return rc;
}

/* The seeds of the hashes are the same for all processes: the first one to come chooses them. */
static int take_plan(struct dedup_work *work)
{
	struct timespec moment = {.tv_nsec = 20000000};
	struct dedup_table plan;
	int rc = -ENOENT;

	for (int i = 0; i < TRIES && (rc == -ENOENT || rc == -EBUSY); i++) {
		rc = dedup_work_load(work, "plan", 0, DEDUP_TABLE_PLAN, &plan);
		if (rc != -ENOENT)
			break;
		rc = make_plan(work);
		if (rc == -EBUSY)
			nanosleep(&moment, NULL);
		else if (!rc)
			rc = -ENOENT;
	}
	if (rc)
		return rc;
	work->seeds[0] = plan.counts[0];
	work->seeds[1] = plan.counts[1];
	dedup_table_close(&plan);
	return 0;
}

static int make_directory(struct dedup_work *work)
{
	const char *in = getenv("TMPDIR");

	if (work->options->work) {
		if (strlen(work->options->work) >= sizeof work->dir)
			return -ENAMETOOLONG;
		strcpy(work->dir, work->options->work);
		return mkdir(work->dir, 0777) && errno != EEXIST ? -errno : 0;
	}
	if (snprintf(work->dir, sizeof work->dir, "%s/mithril-dedup-XXXXXX", in && *in ? in : "/tmp") >=
		PATH_MAX)
		return -ENAMETOOLONG;
	if (!mkdtemp(work->dir))
		return -errno;
	work->is_temporary = true;
	return 0;
}

int dedup_work_open(struct dedup_work *work, const struct dedup_options *options)
{
	int rc;

	*work = (struct dedup_work){.options = options, .shards = options->shards ? options->shards : 1};
	rc = make_directory(work);
	rc = rc ? rc : digest(work);
	return rc ? rc : take_plan(work);
}

void dedup_work_remove(const struct dedup_work *work)
{
	/* So that at no moment a stage is told of as done whose files are gone; last what tells that the
	 * files of the output are this run's, and what the output left half-written. */
	static const char *const names[] = {"outcome", "ties", "shingles", "rest0", "rest1", "lines",
		"components", "edges", "notes", "bands", "texts", "plan", "output", "found", "cuts",
		"lengths", "hits", "members"};
	char path[PATH_MAX + 64];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		for (unsigned shard = 0; shard < work->shards; shard++) {
			snprintf(path, sizeof path, "%s/%s-%u", work->dir, names[i], shard);
			unlink(path);
			strcat(path, ".part");
			unlink(path);
		}
	rmdir(work->dir);
}

void dedup_work_inputs(const struct dedup_work *work, unsigned shard, size_t *first, size_t *end)
{
	uint64_t count = work->options->inputs->count;

	*first = (size_t)(count * shard / work->shards);
	*end = (size_t)(count * (shard + 1) / work->shards);
}

unsigned dedup_work_part(const struct dedup_work *work, uint64_t hash)
{
	return (unsigned)(((hash >> 32) * work->shards) >> 32);
}

unsigned dedup_work_part_of_line(const struct dedup_work *work, uint32_t line, uint32_t lines)
{
	return (unsigned)((uint64_t)line * work->shards / lines);
}

static void name_of(char name[64], const char *what, unsigned shard)
{
	snprintf(name, 64, "%s-%u", what, shard);
}

int dedup_work_load(const struct dedup_work *work, const char *what, unsigned shard,
	enum dedup_table_kind kind, struct dedup_table *table)
{
	char name[64];

	name_of(name, what, shard);
	return dedup_table_open(table, work->dir, name, kind, &work->digest);
}

int dedup_work_create(const struct dedup_work *work, const char *what, unsigned shard,
	enum dedup_table_kind kind, struct dedup_table_writer *writer)
{
	char name[64];

	name_of(name, what, shard);
	return dedup_table_create(writer, work->dir, name, kind, &work->digest);
}

int dedup_work_unname(const struct dedup_work *work, const char *what, unsigned shard)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof path, "%s/%s-%u", work->dir, what, shard);
	return unlink(path) ? -errno : 0;
}

int dedup_work_load_all(const struct dedup_work *work, const char *what, enum dedup_table_kind kind,
	struct dedup_table **tables)
{
	struct dedup_table *v = calloc(work->shards, sizeof *v);
	int rc = v ? 0 : -ENOMEM;

	for (unsigned i = 0; v && i < work->shards; i++)
		v[i].fd = -1;
	for (unsigned i = 0; !rc && i < work->shards; i++)
		rc = dedup_work_load(work, what, i, kind, &v[i]);
	if (rc && v) {
		dedup_work_unload(work, v);
		v = NULL;
	}
	*tables = v;
	return rc;
}

void dedup_work_unload(const struct dedup_work *work, struct dedup_table *tables)
{
	for (unsigned i = 0; tables && i < work->shards; i++)
		dedup_table_close(&tables[i]);
	free(tables);
}
