// links: m_formats
/* Any bytes give a layout that lies within them, in order; its names are terminated, its numbers known. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/formats/formats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view_buffer buffer = {data, size};
	struct view view = view_of_buffer(&buffer);
	struct layout layout;
	uint64_t end = 0;

	check(!formats_label(&view, &layout));
	for (size_t i = 0; i < layout.count; i++) {
		const struct tensor *t = &layout.tensors[i];
		check(t->len && t->off >= end && t->off <= size && t->len <= size - t->off);
		check((unsigned)t->dtype < DTYPE_COUNT && t->len % dtype_width(t->dtype) == 0);
		check(t->ndims <= FORMAT_DIMS_MAX && strlen(t->name) <= FORMAT_NAME_MAX);
		end = t->off + t->len;
	}
	check(layout.format != FORMAT_OPAQUE || !layout.count);
	layout_release(&layout);
	return 0;
}
