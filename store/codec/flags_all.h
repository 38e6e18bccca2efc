/* The coder of flags.h in vectors; expects the operations of lanes_avx2.h or lanes_avx512.h. Flags go by
 * words of FLAGS_ROW, a word by rows of as many as there are lanes. */
#define FLAGS_GROUPS (FLAGS_ROW / WIDTH) /* vectors of a word */
#define FLAGS_BYTES (2 * FLAGS_ROW)	 /* most that a word takes */

struct flags_divisors {
	lanes reciprocal, rest;
};

TARGET ALWAYS struct flags_divisors flags_divisors_at(const struct flags_coder *c, unsigned flag, lanes class)
{
	return (struct flags_divisors){gather(c->reciprocal[flag], class), gather(c->rest[flag], class)};
}

TARGET ALWAYS lanes flags_give(const struct flags_coder *c, lanes x, struct flags_divisors by, uint8_t **at)
{
	lanes freq = both(by.rest, all(0x1fff));
	lanes_mask high = over(x, sub(left(freq, 31 - FLAGS_BITS), all(1)));

	if (bits_of(high))
		x = give(c->shuffles, x, high, at);
	lanes q = right_by(mul_high(x, by.reciprocal), both(right(by.rest, 13), all(15)));
	return add(add(x, mul(q, sub(all(FLAGS_ONE), freq))), right(by.rest, 17));
}

/* Whole words, the last one first; *n: how many flags are left. */
TARGET ALWAYS void flags_encode_words(struct flags_coder *c, const uint8_t *classes, const uint64_t *flags,
	size_t *n, unsigned groups, int windowed)
{
	const struct lookup reciprocals = lookup_of(c->reciprocal[0], c->window);
	const struct lookup rests = lookup_of(c->rest[0], c->window);
	uint8_t *at = c->at;
	lanes x[FLAGS_GROUPS];
	size_t i = *n;

#pragma GCC unroll 8
	for (unsigned g = 0; g < groups; g++)
		x[g] = load(c->lanes + WIDTH * g);
	for (; i && (size_t)(at - c->limit) >= FLAGS_BYTES + SLACK; i -= FLAGS_ROW) {
		const uint8_t *word = classes + i - FLAGS_ROW;
		uint64_t row = flags[i / FLAGS_ROW - 1];
#pragma GCC unroll 8
		for (unsigned g = FLAGS_GROUPS; g-- > 0;) {
			unsigned set = (unsigned)(row >> WIDTH * g) & ((1u << WIDTH) - 1);
			struct flags_divisors by;
			if (windowed) {
				lanes index = index_in(word + WIDTH * g, c->window);
				by = (struct flags_divisors){
					look_up(&reciprocals, index), look_up(&rests, index)};
			} else {
				by = flags_divisors_at(c, 0, widen(word + WIDTH * g));
			}
			if (set) {
				struct flags_divisors of = flags_divisors_at(c, 1, widen(word + WIDTH * g));
				by.reciprocal = pick(mask_of(set), of.reciprocal, by.reciprocal);
				by.rest = pick(mask_of(set), of.rest, by.rest);
			}
			x[g % groups] = flags_give(c, x[g % groups], by, &at);
		}
	}
#pragma GCC unroll 8
	for (unsigned g = 0; g < groups; g++)
		store(c->lanes + WIDTH * g, x[g]);
	c->at = at;
	*n = i;
}

TARGET ALWAYS void flags_encode_windows(
	struct flags_coder *c, const uint8_t *classes, const uint64_t *flags, size_t *n, unsigned groups)
{
	if (c->window != RANS_NO_WINDOW)
		flags_encode_words(c, classes, flags, n, groups, 1);
	else
		flags_encode_words(c, classes, flags, n, groups, 0);
}

TARGET static int flags_encode(struct flags_coder *c, const uint8_t *classes, const uint64_t *flags, size_t n)
{
	size_t rest = n % FLAGS_ROW;

	n -= rest;
	if (rest && flags_portable.encode(c, classes + n, flags + n / FLAGS_ROW, rest))
		return -ENOBUFS;
	if (c->lane_count == FLAGS_ROW)
		flags_encode_windows(c, classes, flags, &n, FLAGS_GROUPS);
	else if (c->lane_count == FLAGS_ROW / 2)
		flags_encode_windows(c, classes, flags, &n, FLAGS_GROUPS / 2);
	else if (c->lane_count == FLAGS_ROW / 4)
		flags_encode_windows(c, classes, flags, &n, FLAGS_GROUPS / 4);
	return n ? flags_portable.encode(c, classes, flags, n) : 0;
}

/* Whole words; returns how many flags. */
TARGET ALWAYS size_t flags_decode_words(struct flags_coder *c, const uint8_t *classes, uint64_t *flags,
	size_t n, unsigned groups, int windowed)
{
	const struct lookup clears = lookup_of(c->clear, c->window);
	const lanes slots = all(FLAGS_ONE - 1), lowest = all(RANS_LOW);
	const uint8_t *at = c->at;
	lanes x[FLAGS_GROUPS];
	size_t i = 0;

#pragma GCC unroll 8
	for (unsigned g = 0; g < groups; g++)
		x[g] = load(c->lanes + WIDTH * g);
	for (; i + FLAGS_ROW <= n && at <= c->limit; i += FLAGS_ROW) {
		uint64_t row = 0;
#pragma GCC unroll 8
		for (unsigned g = 0; g < FLAGS_GROUPS; g++) {
			const uint8_t *class = classes + i + WIDTH * g;
			lanes f = windowed ? look_up(&clears, index_in(class, c->window))
					   : gather(c->clear, widen(class));
			lanes slot = both(x[g % groups], slots), high = right(x[g % groups], FLAGS_BITS);
			lanes_mask set = at_least(slot, f);
			lanes freq = pick(set, sub(all(FLAGS_ONE), f), f);
			lanes y = add(mul(freq, high), pick(set, sub(slot, f), slot));
			row |= (uint64_t)bits_of(set) << WIDTH * g;
			lanes_mask low = over(lowest, y);
			if (bits_of(low))
				y = take(c->shuffles, y, low, &at);
			x[g % groups] = y;
		}
		flags[i / FLAGS_ROW] = row;
	}
#pragma GCC unroll 8
	for (unsigned g = 0; g < groups; g++)
		store(c->lanes + WIDTH * g, x[g]);
	c->at += at - c->at;
	return i;
}

TARGET ALWAYS size_t flags_decode_windows(
	struct flags_coder *c, const uint8_t *classes, uint64_t *flags, size_t n, unsigned groups)
{
	if (c->window != RANS_NO_WINDOW)
		return flags_decode_words(c, classes, flags, n, groups, 1);
	return flags_decode_words(c, classes, flags, n, groups, 0);
}

TARGET static int flags_decode(struct flags_coder *c, const uint8_t *classes, uint64_t *flags, size_t n)
{
	size_t done = 0;

	if (c->lane_count == FLAGS_ROW)
		done = flags_decode_windows(c, classes, flags, n, FLAGS_GROUPS);
	else if (c->lane_count == FLAGS_ROW / 2)
		done = flags_decode_windows(c, classes, flags, n, FLAGS_GROUPS / 2);
	else if (c->lane_count == FLAGS_ROW / 4)
		done = flags_decode_windows(c, classes, flags, n, FLAGS_GROUPS / 4);
	if (c->at > c->limit)
		return -EBADMSG;
	return flags_portable.decode(c, classes + done, flags + done / FLAGS_ROW, n - done);
}
