// links: m_compilers
/* Byte 0: which; the rest: an entry of torch's caches, halved into two to compare; two JSON texts of Triton;
 * a fingerprint; a path of an artifact. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/compilers/artifact.h"
#include "tools/compilers/clients.h"
#include "tools/compilers/compare.h"
#include "tools/compilers/pickle.h"
#include "tools/compilers/python.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of its own, so that reading past the end is seen. */
static uint8_t *copy(const uint8_t *data, size_t len)
{
	uint8_t *own = malloc(len + 1);

	if (!own)
		abort();
	memcpy(own, data, len);
	return own;
}

static void pairs(const uint8_t *data, size_t size, bool json)
{
	size_t half = size / 2;
	uint8_t *a = copy(data, half), *b = copy(data + half, size - half);
	char why[EXPLAIN_TEXT];

	a = realloc(a, half ? half : 1);
	b = realloc(b, size - half ? size - half : 1);
	if (json)
		compare_json((const char *)a, half, (const char *)b, size - half, why);
	else
		compare_aot(a, half, b, size - half, why);
	pickle_time_taken_ns(a, half);
	free(a);
	free(b);
}

static void texts(const uint8_t *data, size_t size)
{
	uint8_t *text = copy(data, size);
	struct fingerprint fingerprint;
	struct artifact artifact;

	text[size] = '\0';
	if (!fingerprint_parse((const char *)text, size, &fingerprint)) {
		char again[FINGERPRINT_TEXT];

		if (fingerprint_format(&fingerprint, again) != size || memcmp(again, text, size))
			abort();
	}
	python_record_digest((const char *)text, size);
	for (size_t i = 0; i < client_count; i++)
		if (artifact_of(clients[i].name, (const char *)text, &artifact) &&
			artifact.group_len > strlen((const char *)text))
			abort();
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (data[0] % 3 == 2)
		texts(data + 1, size - 1);
	else
		pairs(data + 1, size - 1, data[0] % 3 == 1);
	return 0;
}
