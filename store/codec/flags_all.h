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

/* A flag from each lane, of classes of which so many in FLAGS_ONE are set; what remains of the states. */
TARGET ALWAYS lanes flags_take(lanes x, lanes freq, lanes_mask *set)
{
	lanes over_clear = add(either(x, all(0 - FLAGS_ONE)), freq); /* slot - f */
	lanes part = mul(right(x, FLAGS_BITS), freq);

	*set = at_least(over_clear, all(0));
	return pick(*set, add(part, over_clear), sub(x, part));
}

/* Words for the lanes of `groups` vectors that are below the lowest; returns what is behind them. */
TARGET __attribute__((noinline)) static const uint8_t *flags_refill_many(
	const struct rans_shuffles *shuffles, lanes *x, unsigned groups, const uint8_t *at)
{
#pragma GCC unroll 1
	for (unsigned g = 0; g < groups; g++)
		x[g] = take(shuffles, x[g], over(all(RANS_LOW), x[g]), &at);
	return at;
}

/* Likewise: most often none or one is, which waits for no word but the next. */
TARGET ALWAYS void flags_refill(
	const struct rans_shuffles *shuffles, lanes *x, unsigned groups, const uint8_t **at)
{
	const lanes lowest = all(RANS_LOW), word = all_pairs(*at);
	lanes_mask low[FLAGS_GROUPS];
	lanes many[FLAGS_GROUPS];
	uint64_t any;

#pragma GCC unroll 8
	for (unsigned g = 0; g < groups; g++)
		low[g] = over(lowest, x[g]);
	any = bits_of_all(low, groups);
	if (!(any & (any - 1))) {
#pragma GCC unroll 8
		for (unsigned g = 0; g < groups; g++)
			x[g] = pick(low[g], either(left(x[g], 16), word), x[g]);
		*at += any ? 2 : 0;
		return;
	}
#pragma GCC unroll 8
	for (unsigned g = 0; g < groups; g++)
		many[g] = x[g];
	*at = flags_refill_many(shuffles, many, groups, *at);
#pragma GCC unroll 8
	for (unsigned g = 0; g < groups; g++)
		x[g] = many[g];
}

/* Whole words; returns how many flags. */
TARGET ALWAYS size_t flags_decode_words(struct flags_coder *c, const uint8_t *classes, uint64_t *flags,
	size_t n, unsigned groups, int windowed)
{
	const struct lookup freqs = lookup_of(c->set, c->window);
	const uint8_t *at = c->at;
	lanes x[FLAGS_GROUPS];
	size_t i = 0;

#pragma GCC unroll 8
	for (unsigned g = 0; g < groups; g++)
		x[g] = load(c->lanes + WIDTH * g);
	for (; i + FLAGS_ROW <= n && at <= c->limit; i += FLAGS_ROW) {
		uint8_t indices[FLAGS_ROW];
		lanes_mask set[FLAGS_GROUPS];
		const uint8_t *index = windowed ? indices_in(indices, classes + i, c->window) : classes + i;
#pragma GCC unroll 8
		for (unsigned g = 0; g < FLAGS_GROUPS; g++) {
			lanes at_class = widen(index + WIDTH * g);
			lanes freq = windowed ? look_up(&freqs, at_class) : gather(c->set, at_class);
			x[g % groups] = flags_take(x[g % groups], freq, &set[g]);
			if (g % groups == groups - 1)
				flags_refill(c->shuffles, x, groups, &at);
		}
		flags[i / FLAGS_ROW] = bits_of_all(set, FLAGS_GROUPS);
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
