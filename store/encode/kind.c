#include <string.h>

#include "store/encode/private.h"
#include "store/util/bytes.h"

#define ELF_MACHINE 18u
#define MACHINE_CUDA 190u
#define LOOK 512u /* bytes in which text says what it is */

static bool begins(const uint8_t *bytes, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len >= n && !memcmp(bytes, with, n);
}

static bool has(const uint8_t *bytes, size_t len, const char *what)
{
	return memmem(bytes, len < LOOK ? len : LOOK, what, strlen(what)) != NULL;
}

static bool is_text(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len && i < LOOK; i++)
		if (bytes[i] < 9 || (bytes[i] > 13 && bytes[i] < 32))
			return false;
	return true;
}

enum small_kind small_kind_of(const uint8_t *bytes, size_t len)
{
	if (begins(bytes, len,
		    "\x7f"
		    "ELF"))
		return len >= ELF_MACHINE + 2 && get_le16(bytes + ELF_MACHINE) == MACHINE_CUDA ? SMALL_CUBIN
											       : SMALL_ELF;
	if (len >= 2 && bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5)
		return SMALL_PICKLE;
	if (!is_text(bytes, len))
		return SMALL_OTHER;
	if (has(bytes, len, ".version") && has(bytes, len, ".target"))
		return SMALL_PTX;
	if (begins(bytes, len, "#loc") || begins(bytes, len, "#blocked") || begins(bytes, len, "module {") ||
		begins(bytes, len, "module attributes") || begins(bytes, len, "; ModuleID"))
		return SMALL_IR;
	if (begins(bytes, len, "{") || begins(bytes, len, "["))
		return SMALL_JSON;
	return SMALL_SOURCE;
}
