// links: m_cache m_encode m_names
/* What caches make of names and bytes they do not know: rules of groups, bounds, kinds and marks. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/cache/groups.h"
#include "store/encode/private.h"
#include "store/names/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int condition)
{
	if (!condition)
		abort();
}

static void fuzz_name(const char *name)
{
	size_t stem = group_stem(name);

	check(stem <= strlen(name) && (stem || !*name));
	group_is_marker(name);
	group_is_temporary(name);
	check(!group_is_key(name) || !strchr(name, '.'));
	is_profile(name);
}

static void fuzz_bound(const char *text)
{
	uint64_t bound;

	if (profile_parse_bound(text, &bound))
		return;
	check(bound <= INT64_MAX && *text >= '0' && *text <= '9');
}

static void fuzz_bytes(const uint8_t *data, size_t size)
{
	static struct sketch sketch, moved;
	uint8_t *longer = malloc(size + 64);
	unsigned common = 0;

	check(longer && small_kind_of(data, size) < SMALL_KINDS);
	/* What stands 64 bytes further on leaves the same marks. */
	memset(longer, 0x5a, 64);
	memcpy(longer + 64, data, size);
	sketch_take(&sketch, data, size);
	sketch_take(&moved, longer, size + 64);
	check(sketch.count <= SKETCH_MAX && moved.count <= SKETCH_MAX);
	for (unsigned i = 0; i < sketch.count; i++)
		for (unsigned k = 0; k < moved.count; k++)
			common += sketch.marks[i] == moved.marks[k];
	check(common == sketch.count || moved.count == SKETCH_MAX);
	free(longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	check(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	fuzz_name(text);
	fuzz_bound(text);
	fuzz_bytes(data, size);
	free(text);
	return 0;
}
