/*
 * What every command of mithril(1) shares: its description, its exit codes, and the one form of an error:
 *
 *   mithril: WHAT: WHY; NEXT STEP
 *
 * tools/ parses arguments and prints; whatever a command does, store/ or fs/ does.
 */
#ifndef MITHRIL_TOOLS_TOOL_H
#define MITHRIL_TOOLS_TOOL_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tool_exit {
	TOOL_OK = 0,
	TOOL_DATA = 1,	 /* something is wrong with the data */
	TOOL_USAGE = 2,	 /* something is wrong with the command line, or with what it names */
	TOOL_SYSTEM = 3, /* the system refused: a missing right, a full disk, a lock that another holds */
};

struct tool {
	const char *name;      /* one or two words: "init", "bench codec" */
	const char *arguments; /* "STORE", for the usage line */
	const char *summary;   /* one line, for mithril --help */
	const char *help;      /* the rest of mithril NAME --help */
	bool in_order;	       /* what follows the first argument is no option of ours: a command to run */
	/* argv[0] is the command's name. An enum tool_exit. */
	int (*run)(const struct tool *tool, int argc, char **argv);
};

extern const struct tool tool_init, tool_mount, tool_umount, tool_sync, tool_stats, tool_info, tool_gc,
	tool_fsck, tool_scrub, tool_bench_codec, tool_cache_run, tool_cache_env, tool_cache_explain,
	tool_cache_stats, tool_cache_list, tool_cache_prune, tool_cache_verify;

/* What parsing gave: arguments follow, or the command ends now with `code`. */
struct tool_arguments {
	int code; /* -1: go on */
	char **v; /* the arguments that are not options, `count` of them */
	int count;
};

/* Handles -h and --help and what is wrong with an option; `option` is called with each of the others (NULL:
 * there are none) and returns false for one whose value is bad, which it has reported. Exactly min..max
 * arguments must be left. `options` ends with a zeroed entry; short ones are the `val`s that are letters. */
struct tool_arguments tool_parse(const struct tool *tool, int argc, char **argv, const struct option *options,
	bool (*option)(void *ctx, int val, const char *value), void *ctx, int min, int max);

/* An `option` for a command that has one, without a value: sets the bool ctx. */
bool tool_set_flag(void *ctx, int val, const char *value);
/* The `options` where that one is -j, --json. */
extern const struct option tool_json_option[];

/* Prints the line and returns `code`. `next` may be NULL. */
int tool_fail(enum tool_exit code, const char *what, const char *next, const char *why, ...)
	__attribute__((format(printf, 4, 5)));

/* The exit code and the usual next step for an error of the store (negative errno); NULL where there is none
 * to give. */
enum tool_exit tool_exit_of(int error);
const char *tool_next_step(int error);
/* tool_fail with those two, and strerror as the reason. */
int tool_fail_errno(const char *what, int error);
/* With the words of store_error or fs_error, which may name `what` themselves; empty ones are as
 * tool_fail_errno. */
int tool_fail_text(const char *what, int error, const char *text);
/* The line that tool_fail_text prints, without its end. */
void tool_format_error(char *dst, size_t capacity, const char *what, int error, const char *text);

/* Help of one command, and the version, on standard output. */
void tool_print_help(const struct tool *tool);
void tool_print_version(void);
/* "mithril NAME ARGUMENTS" on standard error; TOOL_USAGE. */
int tool_print_usage(const struct tool *tool);

/* "4G", "1.5TiB", "300000": bytes by powers of 1024. False: no size. */
bool tool_parse_size(const char *text, uint64_t *bytes);
/* A decimal number of at most `max`. */
bool tool_parse_number(const char *text, uint64_t max, uint64_t *number);

/* Ctrl-C: from tool_catch_interrupt on, SIGINT, SIGTERM and SIGHUP only set a flag, so that long work can end
 * well; tool_end_interrupted then dies by that signal, as shells expect. */
void tool_catch_interrupt(void);
bool tool_interrupted(void);
void tool_end_interrupted(void);

#endif
