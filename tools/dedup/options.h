/*
 * The command line of mithril-dedup(1). options.c: options to what is asked; values.h and methods.h parse
 * their values. check.c: what does not go with the command.
 */
#ifndef MITHRIL_TOOLS_DEDUP_OPTIONS_H
#define MITHRIL_TOOLS_DEDUP_OPTIONS_H

#include <stdbool.h>

#include "dedup/lib/job.h"

struct dedup_command {
	struct mithril_dedup_options asked;
	struct dedup_job job; /* of what was asked; the caller's to release. It must not be moved */
	/* As asked has them; the caller sets these before. */
	int (*progress)(void *ctx, const char *stage, uint64_t done, uint64_t of);
	void (*fault)(void *ctx, const char *file, uint64_t line, const char *why);
	void *ctx;
	bool json, dry_run, explain;
	const char **against; /* what asked.against is; to be freed */
	size_t against_capacity;
	const char *stage; /* the name of the one that is to be run; NULL: all */
	uint32_t shard;
	char **files; /* `count` of them, the caller's argv */
	int count;
};

/* argv[1] may be "explain", or "stage" with a name after it. -1: go on, with the job opened; otherwise the
 * command ends now with that exit code, and what is wrong has been reported. */
int dedup_options_parse(struct dedup_command *command, int argc, char **argv);

/* Whether lines, paragraphs or substrings are to be cut. */
bool dedup_asks_to_cut(const struct mithril_dedup_options *options);
/* What of the options does not go with the command, or with each other; -1, or an exit code. */
int dedup_options_check(const struct dedup_command *command);

#endif
