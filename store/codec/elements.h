/*
 * The element transforms of one width: a template, included once for each width and instruction set, which
 * then vectorises the loops. Expects ELEMENT, SIGNED (the types), NAME(f) (the function's name) and TARGET
 * (attributes).
 */
#define BITS (8 * sizeof(ELEMENT))
#define TOP ((ELEMENT)((ELEMENT)1 << (BITS - 1)))

static inline ELEMENT NAME(load)(const void *p, size_t i)
{
	ELEMENT x;
	memcpy(&x, (const char *)p + i * sizeof x, sizeof x);
	return x;
}

static inline void NAME(store)(void *p, size_t i, ELEMENT x)
{
	memcpy((char *)p + i * sizeof x, &x, sizeof x);
}

static inline ELEMENT NAME(signs)(ELEMENT x)
{
	return (ELEMENT)((SIGNED)x >> (BITS - 1));
}

static inline ELEMENT NAME(order)(ELEMENT x)
{
	return (ELEMENT)(x ^ (NAME(signs)(x) | TOP));
}

static inline ELEMENT NAME(unorder)(ELEMENT y)
{
	return (ELEMENT)(y ^ (NAME(signs)((ELEMENT)~y) | TOP));
}

static inline ELEMENT NAME(zigzag)(ELEMENT d)
{
	return (ELEMENT)((ELEMENT)(d << 1) ^ NAME(signs)(d));
}

static inline ELEMENT NAME(unzigzag)(ELEMENT z)
{
	return (ELEMENT)((ELEMENT)(z >> 1) ^ (ELEMENT)(0 - (z & 1)));
}

static inline ELEMENT NAME(left)(ELEMENT x)
{
	return (ELEMENT)((ELEMENT)(x << 1) | (ELEMENT)(x >> (BITS - 1)));
}

static inline ELEMENT NAME(right)(ELEMENT x)
{
	return (ELEMENT)((ELEMENT)(x >> 1) | (ELEMENT)(x << (BITS - 1)));
}

TARGET static void NAME(copy)(void *dst, const void *src, const void *base, size_t n)
{
	(void)base;
	memcpy(dst, src, n * sizeof(ELEMENT));
}

TARGET static void NAME(rotate)(
	void *restrict dst, const void *restrict src, const void *restrict base, size_t n)
{
	(void)base;
	for (size_t i = 0; i < n; i++)
		NAME(store)(dst, i, NAME(left)(NAME(load)(src, i)));
}

TARGET static void NAME(unrotate)(
	void *restrict dst, const void *restrict src, const void *restrict base, size_t n)
{
	(void)base;
	for (size_t i = 0; i < n; i++)
		NAME(store)(dst, i, NAME(right)(NAME(load)(src, i)));
}

TARGET static void NAME (xor)(
	void *restrict dst, const void *restrict src, const void *restrict base, size_t n)
{
	for (size_t i = 0; i < n; i++)
		NAME(store)(dst, i, (ELEMENT)(NAME(load)(src, i) ^ NAME(load)(base, i)));
}

TARGET static void NAME(xor_rotate)(
	void *restrict dst, const void *restrict src, const void *restrict base, size_t n)
{
	for (size_t i = 0; i < n; i++)
		NAME(store)(dst, i, NAME(left)((ELEMENT)(NAME(load)(src, i) ^ NAME(load)(base, i))));
}

TARGET static void NAME(unxor_rotate)(
	void *restrict dst, const void *restrict src, const void *restrict base, size_t n)
{
	for (size_t i = 0; i < n; i++)
		NAME(store)(dst, i, (ELEMENT)(NAME(right)(NAME(load)(src, i)) ^ NAME(load)(base, i)));
}

TARGET static void NAME(diff)(
	void *restrict dst, const void *restrict src, const void *restrict base, size_t n)
{
	for (size_t i = 0; i < n; i++)
		NAME(store)(dst, i, NAME(zigzag)((ELEMENT)(NAME(load)(src, i) - NAME(load)(base, i))));
}

TARGET static void NAME(undiff)(
	void *restrict dst, const void *restrict src, const void *restrict base, size_t n)
{
	for (size_t i = 0; i < n; i++)
		NAME(store)(dst, i, (ELEMENT)(NAME(unzigzag)(NAME(load)(src, i)) + NAME(load)(base, i)));
}

TARGET static void NAME(diff_float)(
	void *restrict dst, const void *restrict src, const void *restrict base, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ELEMENT x = NAME(order)(NAME(load)(src, i)), b = NAME(order)(NAME(load)(base, i));
		NAME(store)(dst, i, NAME(zigzag)((ELEMENT)(x - b)));
	}
}

TARGET static void NAME(undiff_float)(
	void *restrict dst, const void *restrict src, const void *restrict base, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ELEMENT d = NAME(unzigzag)(NAME(load)(src, i)), b = NAME(order)(NAME(load)(base, i));
		NAME(store)(dst, i, NAME(unorder)((ELEMENT)(d + b)));
	}
}

#undef BITS
#undef TOP
#undef ELEMENT
#undef SIGNED
#undef NAME
