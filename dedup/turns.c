#include "dedup/turns.h"

void dedup_turns_init(struct dedup_turns *turns)
{
	*turns = (struct dedup_turns){.next = 0};
	pthread_mutex_init(&turns->lock, NULL);
	pthread_cond_init(&turns->moved, NULL);
}

void dedup_turns_release(struct dedup_turns *turns)
{
	pthread_cond_destroy(&turns->moved);
	pthread_mutex_destroy(&turns->lock);
}

bool dedup_turns_wait(struct dedup_turns *turns, uint32_t number)
{
	bool come;

	pthread_mutex_lock(&turns->lock);
	while (turns->next != number && !turns->ended)
		pthread_cond_wait(&turns->moved, &turns->lock);
	come = !turns->ended;
	pthread_mutex_unlock(&turns->lock);
	return come;
}

void dedup_turns_pass(struct dedup_turns *turns, uint32_t next)
{
	pthread_mutex_lock(&turns->lock);
	turns->next = next;
	pthread_cond_broadcast(&turns->moved);
	pthread_mutex_unlock(&turns->lock);
}

void dedup_turns_end(struct dedup_turns *turns)
{
	pthread_mutex_lock(&turns->lock);
	turns->ended = true;
	pthread_cond_broadcast(&turns->moved);
	pthread_mutex_unlock(&turns->lock);
}
