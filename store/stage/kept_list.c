#include "store/stage/kept_list.h"

#include <stdlib.h>

struct kept_file *kept_list_find(const struct kept_list *list, uint64_t ino)
{
	struct kept_file *file = list->buckets[ino % KEPT_BUCKETS];

	while (file && file->ino != ino)
		file = file->next;
	return file;
}

bool kept_is_older(struct timespec a, struct timespec b)
{
	return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec);
}

void kept_list_enter(struct kept_list *list, struct kept_file *file)
{
	struct kept_file **bucket = &list->buckets[file->ino % KEPT_BUCKETS];
	struct kept_file *newer = NULL, *older = list->newest;

	file->next = *bucket;
	*bucket = file;
	while (older && kept_is_older(file->record.mtime, older->record.mtime)) {
		newer = older;
		older = older->older;
	}
	file->newer = newer;
	file->older = older;
	*(newer ? &newer->older : &list->newest) = file;
	*(older ? &older->newer : &list->oldest) = file;
	list->files++;
	list->bytes += file->bytes;
}

void kept_list_remove(struct kept_list *list, struct kept_file *file)
{
	struct kept_file **link = &list->buckets[file->ino % KEPT_BUCKETS];

	while (*link != file)
		link = &(*link)->next;
	*link = file->next;
	*(file->newer ? &file->newer->older : &list->newest) = file->older;
	*(file->older ? &file->older->newer : &list->oldest) = file->newer;
	list->files--;
	list->bytes -= file->bytes;
	free(file);
}

struct kept_file *kept_list_oldest_idle(const struct kept_list *list)
{
	struct kept_file *file = list->oldest;

	while (file && file->held)
		file = file->newer;
	return file;
}
