/*
 * What the files of store/recipes share. Nobody else includes this.
 */
#ifndef MITHRIL_STORE_RECIPES_INTERNAL_H
#define MITHRIL_STORE_RECIPES_INTERNAL_H

#include <pthread.h>

#include "store/recipes/pages.h"

struct recipes {
	struct kv *kv;
	pthread_mutex_t lock;	 /* protects next and reserved */
	uint64_t next, reserved; /* numbers next..reserved-1 may be given without writing */
};

/* A fresh recipe number in *number. -errno of kv_write. */
int recipes_reserve(struct recipes *recipes, uint64_t *number);

#endif
