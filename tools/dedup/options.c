#include "tools/dedup/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "dedup/group/parallel.h"
#include "dedup/text/shingles.h"
#include "dedup/work.h"
#include "store/util/array.h"
#include "tools/dedup/complain.h"
#include "tools/dedup/errors.h"
#include "tools/dedup/help.h"
#include "tools/dedup/methods.h"
#include "tools/dedup/values.h"
#include "tools/tool.h"

enum {
	NORMALISE = 256,
	NGRAM,
	FORMAT,
	SKETCH,
	VALUES,
	BANDS,
	KEEP,
	FORCE,
	DUPLICATES,
	CLUSTERS,
	MASK,
	RECORD,
	NO_RECORD,
	ON_ERROR,
	EXPECT,
	WRONG,
	MEMORY,
	WORK,
	SHARDS,
	SHARD,
	REPEATS,
	AGAINST,
	AGAINST_FIELD,
	OVERLAP,
	OVERLAP_NGRAM
};

static const struct option long_options[] = {
	{"field", required_argument, NULL, 'f'},
	{"format", required_argument, NULL, FORMAT},
	{"normalise", required_argument, NULL, NORMALISE},
	{"ngram", required_argument, NULL, NGRAM},
	{"method", required_argument, NULL, 'm'},
	{"threshold", required_argument, NULL, 't'},
	{"against", required_argument, NULL, AGAINST},
	{"against-field", required_argument, NULL, AGAINST_FIELD},
	{"overlap", required_argument, NULL, OVERLAP},
	{"overlap-ngram", required_argument, NULL, OVERLAP_NGRAM},
	{"repeats", required_argument, NULL, REPEATS},
	{"sketch", required_argument, NULL, SKETCH},
	{"values", required_argument, NULL, VALUES},
	{"bands", required_argument, NULL, BANDS},
	{"keep", required_argument, NULL, KEEP},
	{"threads", required_argument, NULL, 'T'},
	{"expect", required_argument, NULL, EXPECT},
	{"memory", required_argument, NULL, MEMORY},
	{"work", required_argument, NULL, WORK},
	{"shards", required_argument, NULL, SHARDS},
	{"shard", required_argument, NULL, SHARD},
	{"false-positives", required_argument, NULL, WRONG},
	{"output", required_argument, NULL, 'o'},
	{"force", no_argument, NULL, FORCE},
	{"duplicates", required_argument, NULL, DUPLICATES},
	{"clusters", required_argument, NULL, CLUSTERS},
	{"mask", required_argument, NULL, MASK},
	{"record", required_argument, NULL, RECORD},
	{"no-record", no_argument, NULL, NO_RECORD},
	{"dry-run", no_argument, NULL, 'n'},
	{"on-error", required_argument, NULL, ON_ERROR},
	{"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

#define GIVEN 256u

/* Where an option goes that is a name; NULL: it is none. */
static const char **name_of(struct mithril_dedup_options *o, int val, const char **what)
{
	*what = val == AGAINST_FIELD || val == 'f'	     ? "a name"
		: val == 'o' || val == WORK || val == RECORD ? "a directory"
							     : "a file";
	switch (val) {
	case 'f':
		return &o->field;
	case AGAINST_FIELD:
		return &o->against_field;
	case 'o':
		return &o->output;
	case WORK:
		return &o->work;
	case DUPLICATES:
		return &o->duplicates;
	case CLUSTERS:
		return &o->clusters;
	case MASK:
		return &o->mask;
	case RECORD:
		return &o->record;
	default:
		return NULL;
	}
}

static const char *add_against(struct dedup_command *c, const char *value)
{
	const char **grown =
		array_grow(c->against, c->asked.against_count, &c->against_capacity, sizeof *grown);

	if (!grown)
		return "possible: no memory";
	c->against = grown;
	c->asked.against = grown;
	grown[c->asked.against_count++] = value;
	return NULL;
}

/* One of some words, by its number. */
static const char *set_word(uint32_t *to, const char *value, const char *const *words, const char *all)
{
	int i = dedup_word_of(value, words);

	*to = (uint32_t)i;
	return i < 0 ? all : NULL;
}

static const char *set_flag(struct dedup_command *c, int val)
{
	c->asked.force |= val == FORCE;
	c->asked.no_record |= val == NO_RECORD;
	c->dry_run |= val == 'n';
	c->json |= val == 'j';
	return NULL;
}

/* What the option may be, for whom its value is none of it; NULL: the value is good. */
static const char *set(struct dedup_command *c, int val, const char *value)
{
	static const char *const formats[] = {"auto", "jsonl", "text", NULL};
	static const char *const sketches[] = {"fast", "permutations", NULL};
	static const char *const errors[] = {"stop", "skip", "quarantine", NULL};
	struct mithril_dedup_options *o = &c->asked;
	const char *what, **name = name_of(o, val, &what);

	if (name) {
		*name = value;
		return *value ? NULL : what;
	}
	switch (val) {
	case FORMAT:
		return set_word(&o->format, value, formats, "jsonl or text");
	case SKETCH:
		return set_word(&o->sketch, value, sketches, "fast or permutations");
	case ON_ERROR:
		return set_word(&o->on_error, value, errors, "stop, skip or quarantine");
	case NORMALISE:
		return dedup_parse_normalise(value, o);
	case NGRAM:
		return dedup_parse_ngram(value, o);
	case 'm':
		return dedup_parse_methods((char *)(uintptr_t)value, o);
	case AGAINST:
		return add_against(c, value);
	case OVERLAP:
		return dedup_parse_overlap(value, o);
	case OVERLAP_NGRAM:
		return dedup_number_of(value, 1, DEDUP_NGRAM_MAX, &o->overlap_ngram) ? NULL : "1 to 64";
	case REPEATS:
		return dedup_parse_repeats(value, o);
	case 't':
		return dedup_share_of(value, &o->threshold) ? NULL : "above 0, at most 1";
	case KEEP:
		return dedup_parse_keep(value, o);
	case EXPECT:
		return dedup_size_of(value, 1, UINT32_MAX, &o->expect) ? NULL : "a number of texts";
	case WRONG:
		return dedup_share_of(value, &o->false_positives) && o->false_positives < 1
			       ? NULL
			       : "above 0, below 1";
	case VALUES:
		return dedup_number_of(value, 1, DEDUP_SKETCH_MAX, &o->values) ? NULL : "1 to 1024";
	case BANDS:
		return dedup_parse_bands(value, o);
	case 'T':
		return dedup_number_of(value, 1, DEDUP_THREADS_MAX, &o->threads) ? NULL : "1 to 256";
	case MEMORY:
		return tool_parse_size(value, &o->memory) && o->memory >= DEDUP_MEMORY_MIN
			       ? NULL
			       : "a size of 1 MiB or more, like 512M or 2G";
	case SHARDS:
		return dedup_number_of(value, 1, DEDUP_SHARDS_MAX, &o->shards) ? NULL : "1 to 4096";
	case SHARD:
		return dedup_number_of(value, 0, DEDUP_SHARDS_MAX - 1, &c->shard) ? NULL
										  : "a number from 0 on";
	default:
		return set_flag(c, val);
	}
}

/* The option as it was given: "--ngram 0". */
static void spell(char given[GIVEN], int val, const char *value)
{
	const struct option *o = long_options;

	while (o->val != val)
		o++;
	snprintf(given, GIVEN, "--%s %s", o->name, value ? value : "");
}

/* Checks what is there, and makes the job of it. */
static int finish(struct dedup_command *c)
{
	int code = dedup_options_check(c);

	if (code >= 0)
		return code;
	if (c->dry_run)
		c->asked.output = NULL;
	if (dedup_job_open(&c->job, &c->asked))
		return dedup_error_report_job(&c->job, -EINVAL);
	if (c->stage && c->job.options.single && c->asked.shards > 1)
		return dedup_complain(TOOL_USAGE, c->asked.output, "let -o name a directory",
			"shards do not write one file together");
	return -1;
}

int dedup_options_parse(struct dedup_command *c, int argc, char **argv)
{
	int val;

	dedup_job_defaults(&c->asked);
	c->asked.progress = c->progress;
	c->asked.fault = c->fault;
	c->asked.ctx = c->ctx;
	c->explain = argc > 1 && !strcmp(argv[1], "explain");
	if (c->explain) {
		argc--;
		argv++;
	}
	if (argc > 1 && !strcmp(argv[1], "stage")) {
		c->stage = argc > 2 ? argv[2] : "";
		argc -= argc > 2 ? 2 : 1;
		argv += *c->stage ? 2 : 1;
	}
	opterr = 0;
	while ((val = getopt_long(argc, argv, ":f:m:t:T:o:njhV", long_options, NULL)) != -1) {
		const char *may_be;
		char given[GIVEN];

		switch (val) {
		case 'h':
			fputs(dedup_help, stdout);
			return TOOL_OK;
		case 'V':
			puts("mithril-dedup " MITHRIL_VERSION);
			return TOOL_OK;
		case ':':
			return dedup_complain(
				TOOL_USAGE, argv[optind - 1], NULL, "this option needs a value");
		case '?':
			dedup_complain(TOOL_USAGE, argv[optind - 1], NULL, "there is no such option");
			return dedup_wrong_usage();
		}
		spell(given, val, optarg); /* before it is cut up */
		may_be = set(c, val, optarg);
		if (may_be)
			return dedup_complain(TOOL_USAGE, given, NULL, "this is not %s", may_be);
	}
	c->files = argv + optind;
	c->count = argc - optind;
	return finish(c);
}
