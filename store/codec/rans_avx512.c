#include "store/codec/rans_avx512.h"

#ifdef __x86_64__

#include <errno.h>

#include "store/codec/lanes_avx512.h"

#include "store/codec/flags_all.h"
#include "store/codec/rans_all.h"

static int supported(void)
{
	return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("popcnt");
}

const struct rans_ops *rans_avx512(void)
{
	static const struct rans_ops ops = {encode, decode};

	return supported() ? &ops : NULL;
}

const struct flags_ops *flags_avx512(void)
{
	static const struct flags_ops ops = {flags_encode, flags_decode};

	return supported() ? &ops : NULL;
}

#else

const struct rans_ops *rans_avx512(void)
{
	return NULL;
}

const struct flags_ops *flags_avx512(void)
{
	return NULL;
}

#endif
