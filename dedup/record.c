#include "dedup/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "dedup/text/words.h"

static double cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

/* The most memory that was resident; 0: not known. */
static uint64_t resident(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	long long kilobytes = 0;

	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "VmHWM: %lld kB", &kilobytes) == 1)
			break;
	if (file)
		fclose(file);
	return (uint64_t)kilobytes * 1024;
}

/* What each method took. */
static json_t *gone_of(const struct dedup_result *r)
{
	static const char *const names[DEDUP_GONE_COUNT] = {
		"exact", "near", "stream", "against", "cut", "bad"};
	json_t *all = json_object();

	for (int i = 0; i < DEDUP_GONE_COUNT; i++)
		json_object_set_new(all, names[i],
			json_pack("{s:I, s:I}", "documents", (json_int_t)r->gone[i].documents, "bytes",
				(json_int_t)r->gone[i].bytes));
	return all;
}

static json_t *seconds_of(const struct dedup_times *t)
{
	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "wall", t->wall, "cpu",
		cpu_seconds(), "parse", t->parse, "against", t->against, "hash", t->exact, "normalise",
		t->normalise, "sketch", t->sketch, "band", t->band, "verify", t->verify, "cut", t->cut,
		"write", t->write);
}

json_t *dedup_record_summary(const struct dedup_options *o, const struct dedup_result *r)
{
	const struct {
		const char *name;
		uint64_t value;
	} figures[] = {
		{"files", o->inputs->count},
		{"documents", r->documents},
		{"bytes", r->bytes},
		{"text_bytes", r->text_bytes},
		{"bad", r->faults},
		{"against", r->against},
		{"distinct", r->distinct},
		{"exact", r->exact},
		{"near", r->near},
		{"candidates", r->candidates},
		{"rejected", r->rejected},
		{"cut", r->cut},
		{"cut_bytes", r->cut_bytes},
		{"cut_away", r->cut_away},
		{"kept", r->kept},
		{"kept_bytes", r->kept_bytes},
		{"memory_bytes", r->memory},
		{"resident_bytes", resident()},
		{"bands", o->bands.bands},
		{"rows", o->bands.rows},
		{"threads", o->threads},
	};
	json_t *all = json_object();

	for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
		json_object_set_new(all, figures[i].name, json_integer((json_int_t)figures[i].value));
	json_object_set_new(all, "gone", gone_of(r));
	json_object_set_new(all, "seconds", seconds_of(&r->times));
	return all;
}

/* A path may be no UTF-8, which JSON cannot hold. */
static json_t *text_of(const char *text)
{
	json_t *json = json_string(text);
	char *copy = json ? NULL : strdup(text);

	for (char *c = copy; c && *c; c++)
		if ((unsigned char)*c >= 128)
			*c = '?';
	if (copy)
		json = json_string(copy);
	free(copy);
	return json;
}

static json_t *options_of(const struct dedup_options *o)
{
	static const char *const methods[] = {[DEDUP_NEAR] = "near",
		[DEDUP_EXACT] = "exact",
		[DEDUP_STREAM] = "stream",
		[DEDUP_SIMHASH] = "simhash"};
	static const char *const keeps[] = {[DEDUP_KEEP_FIRST] = "first",
		[DEDUP_KEEP_LONGEST] = "longest",
		[DEDUP_KEEP_NEWEST] = "newest",
		[DEDUP_KEEP_BEST] = "best",
		[DEDUP_KEEP_PREFER] = "prefer"};

	return json_pack("{s:o, s:s, s:o*, s:I, s:I, s:I, s:I, s:i, s:b, s:b, s:b, s:f, s:s, s:i, s:i, s:i, "
			 "s:s, s:o*}",
		"field", text_of(o->field), "method", methods[o->method], "exact_field",
		o->exact_field ? text_of(o->exact_field) : NULL, "line", (json_int_t)o->cutting.line,
		"paragraph", (json_int_t)o->cutting.paragraph, "substring",
		o->cutting.words ? (json_int_t)0 : (json_int_t)o->cutting.substring, "substring_words",
		o->cutting.words ? (json_int_t)o->cutting.substring : (json_int_t)0, "ngram", (int)o->ngram,
		"nfc", (o->normalise & DEDUP_NFC) != 0, "lower", (o->normalise & DEDUP_LOWER) != 0, "punct",
		(o->normalise & DEDUP_PUNCT) != 0, "threshold", o->threshold, "sketch",
		o->sketch == DEDUP_SKETCH_FAST ? "fast" : "permutations", "values", (int)o->values, "bands",
		(int)o->bands.bands, "rows", (int)o->bands.rows, "keep", keeps[o->keep], "keep_by",
		o->keep_by ? text_of(o->keep_by) : NULL);
}

static json_t *inputs_of(const struct dedup_inputs *inputs)
{
	json_t *list = json_array();

	for (size_t i = 0; i < inputs->count; i++) {
		const struct dedup_input *input = &inputs->v[i];

		json_array_append_new(
			list, json_pack("{s:o, s:s, s:I, s:I, s:b}", "path", text_of(input->path), "format",
				      input->format == DEDUP_FORMAT_TEXT ? "text" : "jsonl", "bytes",
				      (json_int_t)input->size, "mtime_ns",
				      (json_int_t)input->mtime.tv_sec * 1000000000 + input->mtime.tv_nsec,
				      "again", input->spool < 0));
	}
	return list;
}

static json_t *run_of(const struct dedup_options *o, const struct dedup_result *r)
{
	char when[32] = "", *directory = get_current_dir_name();
	time_t now = time(NULL);
	struct tm utc;
	json_t *run;

	if (gmtime_r(&now, &utc))
		strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
	run = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "version", MITHRIL_VERSION, "time", when,
		"directory", text_of(directory ? directory : "."), "output",
		o->output ? text_of(o->output) : json_null(), "options", options_of(o), "inputs",
		inputs_of(o->inputs), "summary", dedup_record_summary(o, r));
	free(directory);
	return run;
}

int dedup_record_write(
	const struct dedup_options *options, const struct dedup_result *result, struct dedup_outfile *file)
{
	json_t *run = run_of(options, result);
	char *text = run ? json_dumps(run, JSON_INDENT(2)) : NULL;
	int rc = text ? dedup_outfile_write(file, text, strlen(text)) : -ENOMEM;

	rc = rc ? rc : dedup_outfile_write(file, "\n", 1);
	free(text);
	json_decref(run);
	return rc;
}
