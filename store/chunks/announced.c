#include "store/chunks/announced.h"

#include <errno.h>
#include <stdlib.h>

#include "store/util/bytes.h"

struct announced_entry {
	struct announced_entry *next;
	struct chunk_id id;
	struct chunk_record record;
};

void announced_init(struct announced *announced)
{
	*announced = (struct announced){0};
	pthread_mutex_init(&announced->lock, NULL);
}

void announced_release(struct announced *announced)
{
	for (size_t i = 0; i < announced->capacity; i++)
		for (struct announced_entry *e = announced->buckets[i], *next; e; e = next) {
			next = e->next;
			free(e);
		}
	free(announced->buckets);
	pthread_mutex_destroy(&announced->lock);
}

static struct announced_entry **find(struct announced *announced, const struct chunk_id *id)
{
	struct announced_entry **link = &announced->buckets[get_le64(id->b) & (announced->capacity - 1)];

	while (*link && !chunk_id_equal(&(*link)->id, id))
		link = &(*link)->next;
	return link;
}

static int grow(struct announced *announced)
{
	struct announced old = *announced;
	size_t capacity = old.capacity ? old.capacity * 2 : 1024;
	struct announced_entry **buckets = calloc(capacity, sizeof(struct announced_entry *));

	if (!buckets)
		return -ENOMEM;
	announced->buckets = buckets;
	announced->capacity = capacity;
	for (size_t i = 0; i < old.capacity; i++)
		for (struct announced_entry *e = old.buckets[i], *next; e; e = next) {
			next = e->next;
			struct announced_entry **head = &buckets[get_le64(e->id.b) & (capacity - 1)];
			e->next = *head;
			*head = e;
		}
	free(old.buckets);
	return 0;
}

int announced_add(struct announced *announced, const struct chunk_id *id, const struct chunk_record *record)
{
	struct announced_entry *entry = malloc(sizeof *entry);
	int rc = entry ? 0 : -ENOMEM;

	pthread_mutex_lock(&announced->lock);
	if (!rc && announced->count >= announced->capacity)
		rc = grow(announced);
	if (!rc && *find(announced, id))
		rc = -EEXIST;
	if (!rc) {
		*entry = (struct announced_entry){.id = *id, .record = *record};
		*find(announced, id) = entry;
		announced->count++;
		entry = NULL;
	}
	pthread_mutex_unlock(&announced->lock);
	free(entry);
	return rc;
}

void announced_remove(struct announced *announced, const struct chunk_id *id)
{
	struct announced_entry *gone = NULL;

	pthread_mutex_lock(&announced->lock);
	if (announced->capacity) {
		struct announced_entry **link = find(announced, id);
		if ((gone = *link)) {
			*link = gone->next;
			announced->count--;
		}
	}
	pthread_mutex_unlock(&announced->lock);
	free(gone);
}

bool announced_find(struct announced *announced, const struct chunk_id *id, struct chunk_record *record)
{
	struct announced_entry *entry = NULL;

	pthread_mutex_lock(&announced->lock);
	if (announced->count && (entry = *find(announced, id)))
		*record = entry->record;
	pthread_mutex_unlock(&announced->lock);
	return entry;
}
