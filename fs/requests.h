/*
 * What can be asked of a running daemon (control.h lists it). Private to fs/.
 */
#ifndef MITHRIL_FS_REQUESTS_H
#define MITHRIL_FS_REQUESTS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "fs/drops.h"
#include "fs/meter.h"
#include "store/store.h"

struct request_env {
	struct store *store;
	struct drops *drops;
	struct keeper *keeper;
	const struct meter *meter;
	const char *mountpoint;
	bool passthrough;
	atomic_bool stopping; /* set: long requests end */
};

/* Serves one request line, answering on `fd`. */
void request_serve(struct request_env *env, char *line, int fd);

#endif
