/*
 * What `mithril cache run` and `mithril cache env` share: where the caches are, which of them are ours to
 * place, and the settings that place them.
 */
#ifndef MITHRIL_TOOLS_CACHE_JOB_H
#define MITHRIL_TOOLS_CACHE_JOB_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>

#include "tools/compilers/clients.h"
#include "tools/compilers/fingerprint.h"
#include "tools/tool.h"

/* Set for the job: the root of the caches, so that a job within a job is no surprise. */
#define JOB_ROOT_VARIABLE "MITHRIL_CACHE"
#define JOB_CLIENTS_MAX 32u

struct job {
	/* Options. */
	const char *mount, *dir, *python, *max_size;
	bool skip[JOB_CLIENTS_MAX]; /* --without, --only */
	/* What job_prepare finds. */
	char root[PATH_MAX]; /* MNT/cache, or --dir */
	struct fingerprint machine;
	bool use[JOB_CLIENTS_MAX]; /* placed by us */
};

/* The options of both commands; `job_option` takes their values. What is wrong with a value is a warning, for
 * the job runs whatever it is. */
#define JOB_OPTIONS                                                                                          \
	{"mount", required_argument, NULL, 'm'}, {"dir", required_argument, NULL, 'd'},                      \
		{"python", required_argument, NULL, 'p'}, {"max-size", required_argument, NULL, 's'},        \
		{"without", required_argument, NULL, 'w'},                                                   \
	{                                                                                                    \
		"only", required_argument, NULL, 'o'                                                         \
	}
bool job_option(struct job *job, int val, const char *value);

/* MNT/cache of --mount, or of the only mount; of several, the one that has such a directory. --dir as it is.
 * 0; or -errno, with the reason in `why`. */
int job_find_root(struct job *job, char why[256]);

/* Finds the root, reads the machine's fingerprint for a job whose first word is `command` (NULL: none), and
 * makes the namespaces. False: there is no cache, and one line on standard error has said why. */
bool job_prepare(struct job *job, const char *command);

/* Everything to set: client_setting for each variable. */
void job_settings(const struct job *job, client_setting *each, void *ctx);

/* One line on standard error: "mithril: cache: TEXT". */
void job_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
