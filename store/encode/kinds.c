#include "store/encode/private.h"

#define TRIES 2u /* tensors of a kind after which it is asked only now and then */
#define RETRY 16u

struct tensor_kind *kind_of(struct tensor_kinds *kinds, const struct tensor *tensor)
{
	uint64_t key = tensor->dtype;

	for (const char *c = tensor->name; *c; c++) {
		if (*c < '0' || *c > '9')
			key = (key ^ (uint8_t)*c) * 0x100000001b3u; /* FNV-1a */
	}
	key |= 1;
	struct tensor_kind *kind = &kinds->list[key >> 32 & (KINDS_MAX - 1)];
	if (kind->key != key)
		*kind = (struct tensor_kind){.key = key};
	return kind;
}

bool kind_wanted(struct tensor_kind *kind)
{
	if (kind->tried < TRIES || kind->found * 8 >= kind->tried)
		return true;
	return ++kind->skipped % RETRY == 0;
}
