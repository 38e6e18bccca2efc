#include "tools/dedup/options.h"

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/group/parallel.h"
#include "dedup/record.h"
#include "dedup/sketch/simhash.h"
#include "dedup/text/shingles.h"
#include "dedup/work.h"
#include "store/util/array.h"
#include "tools/dedup/against.h"
#include "tools/dedup/methods.h"
#include "tools/dedup/outputs.h"
#include "tools/dedup/stage.h"
#include "tools/tool.h"

#define MEMORY_MIN (1u << 20)

static const char help[] =
	"Usage: mithril-dedup [OPTIONS] FILE... -o DIR\n"
	"       mithril-dedup explain [OPTIONS] FILE:LINE FILE:LINE\n"
	"       mithril-dedup stage NAME --work DIR [--shards N --shard I] [OPTIONS] FILE...\n"
	"       mithril-dedup report [--html FILE] DIR\n"
	"       mithril-dedup clusters DIR [FILE:LINE...]\n"
	"\n"
	"Copies records to DIR without those whose text another has too, exactly or nearly,\n"
	"and, if asked for, without what stands in an earlier text already.\n"
	"FILE is JSON lines or plain text (*.txt, a line a document), also compressed with\n"
	"gzip, zstd, bzip2 or xz; a pattern in quotes; or - for standard input. In DIR files\n"
	"have the names they had and the same compression, records are as they came and in\n"
	"order. explain says why two records are or are not duplicates; report and clusters\n"
	"tell of a run that left its record in DIR, and have a --help of their own.\n"
	"\n"
	"What is compared:\n"
	"  -f, --field NAME        string of a record, with dots for objects in it\n"
	"                          (default: text)\n"
	"      --format FORMAT     jsonl or text, instead of going by the names\n"
	"      --normalise LIST    of nfc, lower, punct, or none (default: all three; for near\n"
	"                          duplicates only)\n"
	"      --ngram N           words a shingle (default: 5), or char:N, characters\n"
	"\n"
	"How:\n"
	"  -m, --method LIST       what is looked for, with commas between (default: near):\n"
	"                            exact[:FIELD]     the same text, or field of any kind\n"
	"                            near              similar texts; includes exact\n"
	"                            simhash[:BITS]    the same by 64-bit fingerprints of which at\n"
	"                                              most so many bits differ (default: 3)\n"
	"                            stream            what shares a band with an earlier text\n"
	"                                              goes, in memory that is fixed\n"
	"                          and cut out of the texts that stay, where it stands earlier:\n"
	"                            line[:BYTES]      lines, of at least so many bytes\n"
	"                            paragraph[:BYTES] paragraphs\n"
	"                            substring[:BYTES] anything that long (default: 100); or of so\n"
	"                                              many words, tokens: substring:50t\n"
	"      --against FILE      a second set, as of benchmarks: texts that have something of it\n"
	"                          go, before all else; may be given again\n"
	"      --against-field NAME  of its records (default: as --field)\n"
	"      --overlap WHAT      any (default) n-gram of an item, a share of its n-grams, or\n"
	"                          near[:J], Jaccard similarity (default: as --threshold)\n"
	"      --overlap-ngram N   words of those n-grams (default: 13)\n"
	"      --repeats WHAT      cut (default), or drop:SHARE: the texts of which more than that\n"
	"                          would be cut go, and the others stay as they are\n"
	"      --expect N          texts at most (stream)\n"
	"      --false-positives P share of texts that may go for no reason (stream; default:\n"
	"                          0.00001)\n"
	"  -t, --threshold J       Jaccard similarity from which on texts are near duplicates\n"
	"                          (default: 0.8; with simhash only if it is given)\n"
	"      --sketch KIND       fast (default), or permutations\n"
	"      --values K          of a sketch (default: 128)\n"
	"      --bands BxR         B bands of R values (default: from the threshold)\n"
	"      --keep POLICY       which of duplicates stays: first (default), longest, newest:FIELD\n"
	"                          (a date or a number), best:FIELD (the highest number) or\n"
	"                          prefer:GLOB,GLOB... (in files that match the first, then...)\n"
	"  -T, --threads N         (default: as many as there are processors)\n"
	"      --memory SIZE       what tables and buffers may take (like 2G); the rest is on disk\n"
	"      --work DIR          where: after an end in the middle, the same command goes on\n"
	"                          from there (default: a directory in $TMPDIR)\n"
	"      --shards N, --shard I  pieces of the work, and which one, from 0, a stage does; see\n"
	"                          mithril-dedup-stages(5)\n"
	"\n"
	"What comes out:\n"
	"  -o, --output DIR        where the records that stay go; a name that ends like a file's,\n"
	"                          all.jsonl.zst, is one file for all of them\n"
	"      --force             replace files that are there; an input never is\n"
	"      --duplicates FILE   JSON lines: what goes, what stays for it, how similar they are\n"
	"      --clusters FILE     JSON lines: each record that stays and those that go for it\n"
	"      --mask FILE         the lines that stay, as a Roaring bitmap\n"
	"      --record DIR        what report and clusters read (default: in DIR of -o, " DEDUP_RECORD_DIR
	")\n"
	"      --no-record         leave none\n"
	"  -n, --dry-run           write no records\n"
	"      --on-error WHAT     stop (default) at a record that cannot be used, skip it, or\n"
	"                          quarantine it: into DIR/" DEDUP_QUARANTINE_NAME "\n"
	"  -j, --json              the summary as one JSON object\n"
	"  -h, --help\n"
	"  -V, --version\n"
	"\n"
	"Exit status: 0 fine, 1 a record or a file is bad, 2 wrong usage, 3 the system refused.\n";

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

int dedup_complain(int code, const char *what, const char *next, const char *why, ...)
{
	va_list args;

	fprintf(stderr, "mithril-dedup: %s: ", what);
	va_start(args, why);
	vfprintf(stderr, why, args);
	va_end(args);
	fprintf(stderr, "%s%s\n", next ? "; " : "", next ? next : "");
	return code;
}

int dedup_wrong_option(const char *command, int val, char **argv)
{
	char next[64];

	snprintf(next, sizeof next, "%s --help tells more", command);
	return dedup_complain(TOOL_USAGE, argv[optind - 1], next,
		val == '?' ? "there is no such option" : "this option needs a value");
}

/* The index of the word in a list that ends with NULL; -1: it is in none. */
static int word_of(const char *value, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(value, words[i]))
			return i;
	return -1;
}

bool dedup_size_of(const char *value, size_t least, size_t most, size_t *size)
{
	char *end;
	unsigned long n;

	if (*value < '0' || *value > '9')
		return false;
	errno = 0;
	n = strtoul(value, &end, 10);
	if (errno || *end || n < least || n > most)
		return false;
	*size = n;
	return true;
}

bool dedup_number_of(const char *value, unsigned least, unsigned most, unsigned *number)
{
	size_t n;

	if (!dedup_size_of(value, least, most, &n))
		return false;
	*number = (unsigned)n;
	return true;
}

/* 5, word:5 or char:24. */
static bool ngram_of(const char *value, struct dedup_options *d)
{
	bool chars = !strncmp(value, "char:", 5);

	if (chars || !strncmp(value, "word:", 5))
		value += 5;
	d->normalise = (d->normalise & ~(unsigned)DEDUP_CHARS) | (chars ? DEDUP_CHARS : 0);
	return dedup_number_of(value, 1, DEDUP_NGRAM_MAX, &d->ngram);
}

static bool add_against(struct dedup_command *c, const char *value)
{
	const char **grown = array_grow(c->against, c->against_count, &c->against_capacity, sizeof *grown);

	if (!grown)
		return false;
	c->against = grown;
	grown[c->against_count++] = value;
	return true;
}

/* cut, or drop:SHARE. */
static bool repeats_of(const char *value, double *drop)
{
	char *end;

	*drop = 0;
	if (!strcmp(value, "cut"))
		return true;
	if (strncmp(value, "drop:", 5) != 0)
		return false;
	*drop = strtod(value + 5, &end);
	return end != value + 5 && !*end && *drop > 0 && *drop < 1;
}

static bool normalise_of(const char *value, unsigned *flags)
{
	static const char *const words[] = {"nfc", "lower", "punct", NULL};
	char *list = strdup(value), *rest = list, *word;
	bool good = list != NULL;

	*flags &= DEDUP_CHARS;
	if (!strcmp(value, "none")) {
		free(list);
		return good;
	}
	while (good && (word = strsep(&rest, ","))) {
		int i = word_of(word, words);

		good = i >= 0;
		*flags |= good ? 1u << i : 0;
	}
	free(list);
	return good;
}

static bool bands_of(const char *value, struct dedup_bands *bands)
{
	char *x, *copy = strdup(value);
	bool good = copy && (x = strchr(copy, 'x'));

	if (good) {
		*x = 0;
		good = dedup_number_of(copy, 1, DEDUP_SKETCH_MAX, &bands->bands) &&
		       dedup_number_of(x + 1, 1, DEDUP_SKETCH_MAX, &bands->rows) &&
		       bands->bands * bands->rows <= DEDUP_SKETCH_MAX;
	}
	free(copy);
	return good;
}

static bool threshold_of(const char *value, double *threshold)
{
	char *end;

	*threshold = strtod(value, &end);
	return end != value && !*end && *threshold > 0 && *threshold <= 1;
}

static bool expect_of(const char *value, uint64_t *expect)
{
	unsigned number;
	bool good = dedup_number_of(value, 1, UINT32_MAX, &number);

	*expect = good ? number : 0;
	return good;
}

/* A word, and for some of them what follows it after a colon. */
static bool keep_of(const char *value, struct dedup_options *d)
{
	static const char *const words[] = {"first", "longest", "newest", "best", "prefer", NULL};
	const char *colon = strchr(value, ':');
	char *word = strndup(value, colon ? (size_t)(colon - value) : strlen(value));
	int i = word ? word_of(word, words) : -1;

	free(word);
	d->keep = (enum dedup_keep)i;
	d->keep_by = colon ? colon + 1 : NULL;
	return i >= 0 && (i < DEDUP_KEEP_NEWEST ? !colon : colon && colon[1]);
}

/* What the option may be, for whom its value is none of it; NULL: the value is good. */
static const char *set_word(struct dedup_command *c, int val, const char *value)
{
	static const char *const formats[] = {"auto", "jsonl", "text", NULL};
	static const char *const sketches[] = {"fast", "permutations", NULL};
	static const char *const errors[] = {"stop", "skip", "quarantine", NULL};
	int i;

	switch (val) {
	case FORMAT:
		i = word_of(value, formats);
		c->format = (enum dedup_format)i;
		return i < 0 ? "jsonl or text" : NULL;
	case SKETCH:
		i = word_of(value, sketches);
		c->dedup.sketch = (enum dedup_sketch_kind)i;
		return i < 0 ? "fast or permutations" : NULL;
	default:
		i = word_of(value, errors);
		c->dedup.on_error = (enum dedup_on_error)i;
		return i < 0 ? "stop, skip or quarantine" : NULL;
	}
}

static const char *set(struct dedup_command *c, int val, const char *value)
{
	struct dedup_options *d = &c->dedup;

	switch (val) {
	case 'f':
		d->field = value;
		return *value ? NULL : "a name";
	case NORMALISE:
		return normalise_of(value, &d->normalise) ? NULL : "nfc, lower, punct with commas, or none";
	case NGRAM:
		return ngram_of(value, d) ? NULL : "1 to 64, or word:N or char:N with that";
	case 'm':
		return dedup_methods_parse((char *)(uintptr_t)value, d);
	case AGAINST:
		return add_against(c, value) ? NULL : "possible: no memory";
	case AGAINST_FIELD:
		c->against_field = value;
		return *value ? NULL : "a name";
	case OVERLAP:
		return dedup_overlap_parse(value, c);
	case OVERLAP_NGRAM:
		return dedup_number_of(value, 1, DEDUP_NGRAM_MAX, &c->overlap_ngram) ? NULL : "1 to 64";
	case REPEATS:
		return repeats_of(value, &d->cutting.drop) ? NULL : "cut, or drop:SHARE with one below 1";
	case 't':
		c->threshold_given = true;
		return threshold_of(value, &d->threshold) ? NULL : "above 0, at most 1";
	case KEEP:
		return keep_of(value, d) ? NULL
					 : "first, longest, newest:FIELD, best:FIELD or prefer:GLOB,...";
	case EXPECT:
		return expect_of(value, &d->expect) ? NULL : "a number of texts";
	case WRONG:
		return threshold_of(value, &d->wrong) && d->wrong < 1 ? NULL : "above 0, below 1";
	case VALUES:
		return dedup_number_of(value, 1, DEDUP_SKETCH_MAX, &d->values) ? NULL : "1 to 1024";
	case BANDS:
		return bands_of(value, &d->bands) ? NULL
						  : "two numbers like 20x6, at most 1024 values in all";
	case 'T':
		return dedup_number_of(value, 1, DEDUP_THREADS_MAX, &d->threads) ? NULL : "1 to 256";
	case 'o':
		d->output = value;
		return *value ? NULL : "a directory";
	case MEMORY:
		return tool_parse_size(value, &d->memory) && d->memory >= MEMORY_MIN
			       ? NULL
			       : "a size of 1 MiB or more, like 512M or 2G";
	case WORK:
		d->work = value;
		return *value ? NULL : "a directory";
	case SHARDS:
		return dedup_number_of(value, 1, DEDUP_SHARDS_MAX, &d->shards) ? NULL : "1 to 4096";
	case SHARD:
		return dedup_number_of(value, 0, DEDUP_SHARDS_MAX - 1, &c->shard) ? NULL
										  : "a number from 0 on";
	case FORCE:
		d->force = true;
		return NULL;
	case DUPLICATES:
		d->duplicates = value;
		return *value ? NULL : "a file";
	case CLUSTERS:
		d->clusters = value;
		return *value ? NULL : "a file";
	case MASK:
		d->mask = value;
		return *value ? NULL : "a file";
	case RECORD:
		d->record = value;
		return *value ? NULL : "a directory";
	case NO_RECORD:
		c->no_record = true;
		return NULL;
	case 'n':
		c->dry_run = true;
		return NULL;
	case 'j':
		c->json = true;
		return NULL;
	default:
		return set_word(c, val, value);
	}
}

static unsigned processors(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);

	return count < 1 ? 1 : count > (int)DEDUP_THREADS_MAX ? DEDUP_THREADS_MAX : (unsigned)count;
}

static int wrong_usage(void)
{
	fputs("usage: mithril-dedup [OPTIONS] FILE... -o DIR; mithril-dedup --help tells more\n", stderr);
	return TOOL_USAGE;
}

/* What every command has for its bands. */
static int choose_bands(struct dedup_command *c)
{
	struct dedup_options *d = &c->dedup;

	c->near_threshold = d->threshold;
	if (d->method == DEDUP_SIMHASH) {
		d->threshold = c->threshold_given ? d->threshold : 0;
		d->bands = (struct dedup_bands){dedup_simhash_key_count(d->distance), 1};
	} else if (!d->bands.bands)
		d->bands = dedup_bands_choose(d->threshold, d->values,
			d->method == DEDUP_STREAM ? DEDUP_CHANCE_ALONE : DEDUP_CHANCE_VERIFIED);
	else if (d->values < d->bands.bands * d->bands.rows)
		d->values = d->bands.bands * d->bands.rows;
	return -1;
}

static bool writes_files(const struct dedup_options *d)
{
	return d->output || d->duplicates || d->clusters || d->mask || d->record;
}

static int finish_explain(struct dedup_command *c)
{
	const struct dedup_options *d = &c->dedup;

	if (d->cutting.line || d->cutting.paragraph || d->cutting.substring || d->exact_field ||
		c->against_count)
		return dedup_complain(
			TOOL_USAGE, "explain", NULL, "it compares whole texts: near, exact or simhash");
	if (writes_files(d) || d->force || c->dry_run || d->on_error != DEDUP_STOP ||
		d->method == DEDUP_STREAM)
		return dedup_complain(TOOL_USAGE, "explain", NULL, "it writes no files, and verifies");
	if (c->count == 2)
		return choose_bands(c);
	dedup_complain(TOOL_USAGE, "explain", NULL, "two records are compared, each given as FILE:LINE");
	return wrong_usage();
}

static int finish(struct dedup_command *c, int argc, char **argv)
{
	struct dedup_options *d = &c->dedup;
	int code;

	c->files = argv + optind;
	c->count = argc - optind;
	if (c->explain)
		return finish_explain(c);
	if (!c->count) {
		dedup_complain(TOOL_USAGE, "FILE", NULL, "no file is named");
		return wrong_usage();
	}
	code = dedup_stage_finish(c);
	if (code >= 0)
		return code;
	if (!c->stage && !writes_files(d) && !c->dry_run) {
		dedup_complain(TOOL_USAGE, "-o", NULL, "say where the output goes, or use --dry-run");
		return wrong_usage();
	}
	if (d->output && !strcmp(d->output, "-"))
		return dedup_complain(TOOL_USAGE, "-o -", NULL, "the output is a directory");
	if (d->method == DEDUP_STREAM && (d->duplicates || d->clusters || d->keep != DEDUP_KEEP_FIRST))
		return dedup_complain(TOOL_USAGE, "stream", NULL,
			"it keeps the first, and cannot say what a text is a duplicate of");
	if (d->method == DEDUP_STREAM && !d->expect)
		return dedup_complain(
			TOOL_USAGE, "stream", NULL, "--expect must say how many texts there are at most");
	code = dedup_choose_outputs(c);
	return code < 0 ? choose_bands(c) : code;
}

int dedup_options_parse(struct dedup_command *c, int argc, char **argv)
{
	int val;

	*c = (struct dedup_command){
		.dedup =
			{
				.field = "text",
				.normalise = DEDUP_NORMALISE_ALL,
				.ngram = 5,
				.threshold = .8,
				.values = 128,
				.wrong = 1e-5,
				.threads = processors(),
			},
	};
	c->overlap_least = -1;
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

		switch (val) {
		case 'h':
			fputs(help, stdout);
			return TOOL_OK;
		case 'V':
			puts("mithril-dedup " MITHRIL_VERSION);
			return TOOL_OK;
		case ':':
			return dedup_complain(
				TOOL_USAGE, argv[optind - 1], NULL, "this option needs a value");
		case '?':
			dedup_complain(TOOL_USAGE, argv[optind - 1], NULL, "there is no such option");
			return wrong_usage();
		}
		may_be = set(c, val, optarg);
		if (may_be)
			return dedup_complain(TOOL_USAGE, optarg, NULL, "not %s", may_be);
	}
	return finish(c, argc, argv);
}
