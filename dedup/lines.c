#include "dedup/lines.h"

#include <errno.h>
#include <stdlib.h>

int dedup_lines_room(struct dedup_lines *lines, uint32_t id)
{
	for (uint32_t i = id / DEDUP_LINES_SEGMENT; !lines->segments[i]; i--) {
		lines->segments[i] = malloc(DEDUP_LINES_SEGMENT * sizeof *lines->segments[i]);
		if (!lines->segments[i])
			return -ENOMEM;
		if (!i)
			break;
	}
	return 0;
}

void dedup_lines_release(struct dedup_lines *lines)
{
	for (size_t i = 0; i < sizeof lines->segments / sizeof lines->segments[0]; i++) {
		free(lines->segments[i]);
		lines->segments[i] = NULL;
	}
}
