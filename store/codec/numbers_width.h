/* numbers.h for one width: a template, like elements.h. Expects ELEMENT, SIGNED, NAME(f) and TARGET. */
#define BITS (8 * sizeof(ELEMENT))
#define TOP ((ELEMENT)((ELEMENT)1 << (BITS - 1)))

static inline ELEMENT NAME(element)(const void *p, size_t i)
{
	ELEMENT x;
	memcpy(&x, (const char *)p + i * sizeof x, sizeof x);
	return x;
}

static inline ELEMENT NAME(ordered)(ELEMENT x)
{
	return (ELEMENT)(x ^ ((ELEMENT)((SIGNED)x >> (BITS - 1)) | TOP));
}

TARGET static void NAME(lone)(uint32_t *restrict numbers, const void *restrict src, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ELEMENT x = NAME(element)(src, i);
		numbers[i] = (ELEMENT)((ELEMENT)(x << 1) | (ELEMENT)(x >> (BITS - 1)));
	}
}

TARGET static void NAME(unlone)(void *restrict dst, const uint32_t *restrict numbers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ELEMENT y = (ELEMENT)numbers[i];
		ELEMENT x = (ELEMENT)((ELEMENT)(y >> 1) | (ELEMENT)(y << (BITS - 1)));
		memcpy((char *)dst + i * sizeof x, &x, sizeof x);
	}
}

TARGET static void NAME(differences)(
	uint32_t *restrict numbers, const void *restrict src, const void *restrict base, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ELEMENT x = NAME(ordered)(NAME(element)(src, i)), b = NAME(ordered)(NAME(element)(base, i));
		numbers[i] = (ELEMENT)(x - b);
	}
}

TARGET static void NAME(sums)(
	void *restrict dst, const uint32_t *restrict numbers, const void *restrict base, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ELEMENT y = (ELEMENT)(numbers[i] + NAME(ordered)(NAME(element)(base, i)));
		ELEMENT x = (ELEMENT)(y ^ ((ELEMENT)((SIGNED)(ELEMENT)~y >> (BITS - 1)) | TOP));
		memcpy((char *)dst + i * sizeof x, &x, sizeof x);
	}
}

TARGET static inline void NAME(classes)(
	uint8_t *restrict classes, const void *restrict base, size_t n, unsigned class_shift)
{
	for (size_t i = 0; i < n; i++)
		classes[i] = (uint8_t)((ELEMENT)(NAME(element)(base, i) & (ELEMENT)~TOP) >> class_shift);
}

TARGET static inline void NAME(differ)(
	uint64_t *restrict flags, const void *restrict src, const void *restrict base, size_t n)
{
	for (size_t i = 0; i < n; i += 64) {
		size_t count = n - i < 64 ? n - i : 64;
		uint64_t word = 0;
		for (size_t k = 0; k < count; k++)
			word |= (uint64_t)(NAME(element)(src, i + k) != NAME(element)(base, i + k)) << k;
		flags[i / 64] = word;
	}
}

#undef BITS
#undef TOP
#undef ELEMENT
#undef SIGNED
#undef NAME
