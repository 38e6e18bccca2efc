#include "fs/keeper.h"

#include <time.h>

#include "fs/keeper_private.h"
#include "fs/loop.h"
#include "store/util/clock.h"

#define PATIENCE_MS (GRACE_MS + 2000u) /* what is in use now is none by then */

static void wake(struct keeper *keeper, bool *why)
{
	pthread_mutex_lock(&keeper->lock);
	*why = true;
	pthread_cond_signal(&keeper->wake);
	pthread_mutex_unlock(&keeper->lock);
}

void keeper_hit(struct keeper *keeper, uint64_t cache, uint64_t ino)
{
	struct tended *tended = tended_find_or_add(&keeper->table, cache);

	if (!tended)
		return;
	tended->hits++;
	usage_note(keeper->env.usage, ino);
}

void keeper_miss(struct keeper *keeper, uint64_t cache)
{
	struct tended *tended = tended_find_or_add(&keeper->table, cache);

	if (tended)
		tended->misses++;
}

void keeper_wrote(struct keeper *keeper, uint64_t cache, uint64_t ino, uint64_t bytes)
{
	struct tended *tended = tended_find_or_add(&keeper->table, cache);

	if (!tended)
		return;
	usage_note(keeper->env.usage, ino);
	tended->estimate += bytes;
	if (tended_is_over(tended))
		wake(keeper, &keeper->over);
}

void keeper_made(struct keeper *keeper, uint64_t cache, uint64_t directory)
{
	struct tended *tended = cache ? tended_find(&keeper->table, cache) : NULL;
	struct timespec until;

	if (!tended)
		return;
	usage_note(keeper->env.usage, directory);
	if (!tended_is_far_over(tended))
		return;
	loop_slow(atomic_load(&keeper->mount->loop));
	until = clock_deadline(PATIENCE_MS);
	pthread_mutex_lock(&keeper->lock);
	while (!keeper->stop && keeper->started && tended_is_far_over(tended)) {
		keeper->over = true;
		pthread_cond_signal(&keeper->wake);
		if (pthread_cond_timedwait(&keeper->eased, &keeper->lock, &until))
			break;
	}
	pthread_mutex_unlock(&keeper->lock);
	usage_note(keeper->env.usage, directory);
}

void keeper_damaged(struct keeper *keeper, uint64_t cache, uint64_t ino)
{
	bool there = false;

	if (!cache)
		return;
	pthread_mutex_lock(&keeper->lock);
	for (size_t i = 0; i < keeper->damaged_count; i++)
		there |= keeper->damaged[i].ino == ino;
	if (!there && keeper->damaged_count < DAMAGED_MAX)
		keeper->damaged[keeper->damaged_count++] = (struct damaged){cache, ino};
	pthread_cond_signal(&keeper->wake);
	pthread_mutex_unlock(&keeper->lock);
}

void keeper_refresh(struct keeper *keeper)
{
	wake(keeper, &keeper->refresh);
}

void keeper_evicted(struct keeper *keeper, uint64_t cache, const struct cache_evicted *evicted)
{
	struct tended *tended = tended_find_or_add(&keeper->table, cache);

	if (!tended)
		return;
	tended->evicted_groups += evicted->groups;
	tended->evicted_bytes += evicted->bytes;
}

void keeper_quarantined(struct keeper *keeper, uint64_t cache, uint64_t files)
{
	struct tended *tended = tended_find_or_add(&keeper->table, cache);

	if (tended)
		tended->quarantined += files;
}

const struct cache_env *keeper_take(struct keeper *keeper)
{
	pthread_mutex_lock(&keeper->work);
	return &keeper->env;
}

void keeper_give(struct keeper *keeper)
{
	pthread_mutex_unlock(&keeper->work);
}

int keeper_counts(struct keeper *keeper, struct tended_counts **counts, size_t *count)
{
	return tended_counts(&keeper->table, keeper->mount->names, counts, count);
}
