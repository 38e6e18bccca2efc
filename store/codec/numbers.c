#include "store/codec/numbers.h"

#include "store/codec/numbers_avx2.h"
#include "store/codec/rans.h"

#define TARGET
#include "store/codec/numbers_all.h"

struct class_bytes class_bytes_of(const uint8_t bytes[256])
{
	struct class_bytes table;
	uint32_t entries[256];

	memcpy(table.of, bytes, sizeof table.of);
	for (unsigned c = 0; c < 256; c++)
		entries[c] = bytes[c];
	table.window = rans_window_of(entries);
	return table;
}

static void split(uint32_t *numbers, uint8_t *symbols, const uint8_t *classes,
	const struct class_bytes *shifts, int32_t origin, uint32_t mask, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t s = shifts->of[classes ? classes[i] : 0];
		uint32_t v = (numbers[i] - ((uint32_t)origin << s)) & mask;
		numbers[i] = v;
		symbols[i] = (uint8_t)(v >> s < RANS_ESCAPE ? v >> s : RANS_ESCAPE);
	}
}

static void count(uint32_t *counts, const uint8_t *classes, const uint8_t *symbols,
	const struct class_bytes *rows, size_t n)
{
	size_t i = 0;

	for (; i + 64 <= n; i += 64)
		for (size_t k = i; k < i + 8; k++)
			counts[rows->of[classes[k]] << 8 | symbols[k]] += 8;
	for (; i < n; i++)
		counts[rows->of[classes[i]] << 8 | symbols[i]]++;
}

static void outside(uint64_t *flags, const uint8_t *classes, const uint8_t *symbols,
	const struct class_bytes *firsts, const struct class_bytes *spans, size_t n)
{
	for (size_t i = 0; i < n; i += 64) {
		size_t count = n - i < 64 ? n - i : 64;
		uint64_t word = 0;
		for (size_t k = 0; k < count; k++) {
			unsigned class = classes[i + k];
			uint8_t above = (uint8_t)(symbols[i + k] - firsts->of[class]);
			word |= (uint64_t)(above > spans->of[class]) << k;
		}
		flags[i / 64] = word;
	}
}

static void see(uint8_t seen[256], const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		seen[bytes[i]] = 1;
}

const struct number_ops numbers_portable = {NUMBERS, .classes = {classes_8, classes_16, classes_32},
	.differ = {differ_8, differ_16, differ_32}, .split = split, .count = count, .outside = outside,
	.see = see};

const struct number_ops *numbers_best(void)
{
	const struct number_ops *avx2 = numbers_avx2();
	return avx2 ? avx2 : &numbers_portable;
}

struct number_kind number_kind_of(enum dtype t)
{
	switch (t) {
	case DTYPE_BF16:
		return (struct number_kind){1, 16, 7, 7, 256};
	case DTYPE_F16:
		return (struct number_kind){1, 16, 10, 8, 32};
	case DTYPE_F32:
	case DTYPE_C64:
		return (struct number_kind){2, 32, 23, 22, 256};
	case DTYPE_F8_E4M3:
	case DTYPE_F8_E5M2:
	case DTYPE_F8_E4M3FNUZ:
	case DTYPE_F8_E5M2FNUZ:
		return (struct number_kind){0, 8, 0, 0, 128};
	default:
		return (struct number_kind){0};
	}
}
