/*
 * One request of the control socket as it is answered. Private to fs/.
 */
#ifndef MITHRIL_FS_ANSWER_H
#define MITHRIL_FS_ANSWER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "fs/requests.h"

struct answer {
	struct request_env *env;
	int fd;
	bool hung_up;
	uint64_t told_ms; /* when progress was last sent */
};

/* Sends a line and gives the object up. */
void answer_tell(struct answer *answer, json_t *object);
/* As a callback of long work: tells of progress now and then; non-zero when nobody waits for the outcome. */
int answer_progress(void *answer, const char *phase, double share);
/* A number and nothing else. -EINVAL. */
int answer_number(const char *text, uint64_t *out);

/* --- cache_requests.c --- */

int do_cache_stats(struct answer *answer, const char *argument);
int do_cache_list(struct answer *answer, const char *argument);
int do_cache_prune(struct answer *answer, const char *argument);
int do_cache_verify(struct answer *answer, const char *argument);

#endif
