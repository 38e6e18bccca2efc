#include "store/names/internal.h"

static unsigned stripe_of(uint64_t ino)
{
	return (unsigned)(ino % STRIPES);
}

void names_lock(struct names *names, uint64_t ino)
{
	pthread_mutex_lock(&names->stripes[stripe_of(ino)]);
}

void names_unlock(struct names *names, uint64_t ino)
{
	pthread_mutex_unlock(&names->stripes[stripe_of(ino)]);
}

/* Puts `stripe` into its place in the sorted set; once. */
static void insert(struct locks *locks, unsigned stripe)
{
	unsigned at = 0;

	while (at < locks->count && locks->stripe[at] < stripe)
		at++;
	if (at < locks->count && locks->stripe[at] == stripe)
		return;
	for (unsigned i = locks->count; i > at; i--)
		locks->stripe[i] = locks->stripe[i - 1];
	locks->stripe[at] = stripe;
	locks->count++;
}

void locks_take(struct names *names, struct locks *locks, const uint64_t *inos, unsigned count)
{
	locks->count = 0;
	for (unsigned i = 0; i < count; i++)
		insert(locks, stripe_of(inos[i]));
	for (unsigned i = 0; i < locks->count; i++)
		pthread_mutex_lock(&names->stripes[locks->stripe[i]]);
}

bool locks_try(struct names *names, struct locks *locks, uint64_t ino)
{
	unsigned stripe = stripe_of(ino);

	for (unsigned i = 0; i < locks->count; i++)
		if (locks->stripe[i] == stripe)
			return true;
	if (pthread_mutex_trylock(&names->stripes[stripe]))
		return false;
	locks->stripe[locks->count++] = stripe;
	return true;
}

void locks_release(struct names *names, struct locks *locks)
{
	while (locks->count)
		pthread_mutex_unlock(&names->stripes[locks->stripe[--locks->count]]);
}
