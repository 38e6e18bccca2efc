#include "store/stage/private.h"

#include <errno.h>
#include <stdlib.h>

static size_t slot_of(const struct queue *queue, uint64_t ino)
{
	size_t mask = queue->slots_capacity - 1;
	size_t i = (size_t)(ino * 0x9e3779b97f4a7c15u >> 32) & mask;

	while (queue->slots[i].ino && queue->slots[i].ino != ino)
		i = (i + 1) & mask;
	return i;
}

static int grow_slots(struct queue *queue)
{
	struct queue old = *queue;
	size_t capacity = old.slots_capacity ? old.slots_capacity * 2 : 1024;
	struct queue_slot *slots = calloc(capacity, sizeof *slots);

	if (!slots)
		return -ENOMEM;
	queue->slots = slots;
	queue->slots_capacity = capacity;
	for (size_t i = 0; i < old.slots_capacity; i++)
		if (old.slots[i].ino)
			slots[slot_of(queue, old.slots[i].ino)] = old.slots[i];
	free(old.slots);
	return 0;
}

static void sift_up(struct queue_entry *heap, size_t i)
{
	while (i && heap[(i - 1) / 2].soft > heap[i].soft) {
		struct queue_entry t = heap[i];
		heap[i] = heap[(i - 1) / 2];
		heap[(i - 1) / 2] = t;
		i = (i - 1) / 2;
	}
}

static void sift_down(struct queue_entry *heap, size_t count, size_t i)
{
	for (;;) {
		size_t least = i;
		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < count; child++)
			if (heap[child].soft < heap[least].soft)
				least = child;
		if (least == i)
			return;
		struct queue_entry t = heap[i];
		heap[i] = heap[least];
		heap[least] = t;
		i = least;
	}
}

static int push(struct queue *queue, struct queue_entry entry)
{
	if (queue->count == queue->capacity) {
		size_t capacity = queue->capacity ? queue->capacity * 2 : 1024;
		struct queue_entry *heap = realloc(queue->heap, capacity * sizeof *heap);
		if (!heap)
			return -ENOMEM;
		queue->heap = heap;
		queue->capacity = capacity;
	}
	queue->heap[queue->count++] = entry;
	sift_up(queue->heap, queue->count - 1);
	return 0;
}

int queue_put(struct queue *queue, uint64_t ino, uint64_t soft, uint64_t hard, bool deferred)
{
	int rc;

	if (4 * (queue->used + 1) > 3 * queue->slots_capacity && (rc = grow_slots(queue)))
		return rc;
	struct queue_slot *slot = &queue->slots[slot_of(queue, ino)];
	if ((rc = push(queue, (struct queue_entry){.soft = soft, .hard = hard, .ino = ino})))
		return rc;
	if (!slot->ino)
		queue->used++;
	else
		queue->deferred -= slot->deferred;
	*slot = (struct queue_slot){.ino = ino, .soft = soft, .deferred = deferred};
	queue->deferred += deferred;
	return 0;
}

void queue_remove(struct queue *queue, uint64_t ino)
{
	size_t mask = queue->slots_capacity - 1;

	if (!queue->slots_capacity)
		return;
	size_t hole = slot_of(queue, ino);
	if (!queue->slots[hole].ino)
		return;
	queue->deferred -= queue->slots[hole].deferred;
	queue->used--;
	queue->slots[hole].ino = 0;
	/* Entries behind the hole that hash at or before it move up, so that probing still finds them. */
	for (size_t i = (hole + 1) & mask; queue->slots[i].ino; i = (i + 1) & mask) {
		struct queue_slot moved = queue->slots[i];
		queue->slots[i].ino = 0;
		queue->slots[slot_of(queue, moved.ino)] = moved;
	}
}

static struct queue_entry take_at(struct queue *queue, size_t i)
{
	struct queue_entry entry = queue->heap[i];

	queue->heap[i] = queue->heap[--queue->count];
	if (i < queue->count) {
		sift_down(queue->heap, queue->count, i);
		sift_up(queue->heap, i);
	}
	return entry;
}

/* An entry holds as long as its slot has its time: a later queue_put supersedes it. */
static bool holds(const struct queue *queue, const struct queue_entry *entry)
{
	const struct queue_slot *slot = &queue->slots[slot_of(queue, entry->ino)];

	return slot->ino == entry->ino && slot->soft == entry->soft;
}

bool queue_pop(struct queue *queue, uint64_t now, bool urgent, uint64_t *ino, uint64_t *wait_ms)
{
	*wait_ms = 1000;
	while (queue->count && !holds(queue, &queue->heap[0]))
		take_at(queue, 0);
	for (size_t i = 0; i < queue->count;) {
		struct queue_entry *entry = &queue->heap[i];
		uint64_t due = urgent ? entry->hard : entry->soft;
		if (!holds(queue, entry)) {
			take_at(queue, i);
			continue;
		}
		if (due <= now) {
			*ino = take_at(queue, i).ino;
			queue_remove(queue, *ino);
			return true;
		}
		if (due - now < *wait_ms)
			*wait_ms = due - now;
		if (!urgent)
			return false;
		i++;
	}
	return false;
}

void queue_release(struct queue *queue)
{
	free(queue->heap);
	free(queue->slots);
	*queue = (struct queue){0};
}
