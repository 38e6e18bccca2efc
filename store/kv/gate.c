#include <time.h>

#include "store/kv/internal.h"

static _Atomic unsigned threads;
static _Thread_local unsigned own_slot; /* plus one; 0: none yet */

void gate_init(struct gate *gate)
{
	pthread_mutex_init(&gate->mutex, NULL);
	pthread_cond_init(&gate->opened, NULL);
}

void gate_release(struct gate *gate)
{
	pthread_mutex_destroy(&gate->mutex);
	pthread_cond_destroy(&gate->opened);
}

unsigned gate_enter(struct gate *gate)
{
	unsigned slot;

	if (!own_slot)
		own_slot = atomic_fetch_add(&threads, 1) % GATE_SLOTS + 1;
	slot = own_slot - 1;
	for (;;) {
		atomic_fetch_add(&gate->slots[slot].users, 1);
		if (!atomic_load(&gate->closed))
			return slot;
		atomic_fetch_sub(&gate->slots[slot].users, 1);
		pthread_mutex_lock(&gate->mutex);
		while (atomic_load(&gate->closed))
			pthread_cond_wait(&gate->opened, &gate->mutex);
		pthread_mutex_unlock(&gate->mutex);
	}
}

void gate_leave(struct gate *gate, unsigned slot)
{
	atomic_fetch_sub(&gate->slots[slot].users, 1);
}

static bool is_empty(struct gate *gate)
{
	for (unsigned i = 0; i < GATE_SLOTS; i++) {
		if (atomic_load(&gate->slots[i].users))
			return false;
	}
	return true;
}

bool gate_close(struct gate *gate, unsigned wait_ms)
{
	const struct timespec millisecond = {0, 1000000};

	atomic_store(&gate->closed, true);
	for (unsigned waited = 0; waited < wait_ms; waited++) {
		if (is_empty(gate))
			return true;
		nanosleep(&millisecond, NULL);
	}
	gate_open(gate);
	return false;
}

void gate_open(struct gate *gate)
{
	pthread_mutex_lock(&gate->mutex);
	atomic_store(&gate->closed, false);
	pthread_cond_broadcast(&gate->opened);
	pthread_mutex_unlock(&gate->mutex);
}
