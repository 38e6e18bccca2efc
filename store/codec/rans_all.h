/* The coder of rans.h in vectors; expects the operations of lanes_avx2.h or lanes_avx512.h. */
#define GROUPS (RANS_LANES / WIDTH) /* at most */

enum kind { NEAR, MOSTLY_NEAR, LONE, WINDOWED, ANY };

/* What does not change from row to row; the compiler cannot know that words are not written over it. */
struct fixed {
	struct lookup classes, reciprocals, shifts, added, most, lacks;
	lanes lone, first;
};

/* What a lane does to its state to give a symbol: struct rans_near says what. */
struct step {
	lanes reciprocal, shift, added, most, lacks;
};

TARGET ALWAYS struct fixed fixed_of(const struct rans_coder *c)
{
	const struct rans_near *n = &c->near;

	return (struct fixed){lookup_of(c->classes, c->window), lookup_of(n->reciprocal, 0),
		lookup_of(n->shift, 0), lookup_of(n->added, 0), lookup_of(n->most, 0), lookup_of(n->lacks, 0),
		all(c->classes[0]), all(n->first)};
}

TARGET ALWAYS lanes classes_at(
	const struct rans_coder *c, const struct fixed *f, const uint8_t *classes, enum kind kind)
{
	if (kind == LONE || kind == NEAR || kind == MOSTLY_NEAR)
		return f->lone;
	return kind == ANY ? gather(c->classes, widen(classes))
			   : look_up(&f->classes, index_in(classes, c->window));
}

TARGET ALWAYS lanes low_ones(lanes r)
{
	return sub(left_by(all(1), r), all(1));
}

TARGET ALWAYS lanes take_low(const struct rans_coder *c, lanes x, const uint8_t **at)
{
	return take(c->shuffles, x, over(all(RANS_LOW), x), at);
}

TARGET ALWAYS lanes give_raw(const struct rans_coder *c, lanes x, lanes raw, lanes r, uint8_t **at)
{
	x = give(c->shuffles, x, over(x, right_by(all(INT32_MAX), r)), at);
	return either(left_by(x, r), both(raw, low_ones(r)));
}

TARGET ALWAYS struct step near_step(const struct fixed *f, lanes symbols)
{
	return (struct step){look_up(&f->reciprocals, symbols), look_up(&f->shifts, symbols),
		look_up(&f->added, symbols), look_up(&f->most, symbols), look_up(&f->lacks, symbols)};
}

TARGET ALWAYS struct step any_step(const struct rans_coder *c, lanes table, lanes symbols)
{
	lanes index = left(add(left(table, 8), symbols), 1);
	lanes reciprocal = gather(c->forward, index), rest = gather(&c->forward[0].rest, index);
	lanes freq = both(rest, all(0xfff));

	return (struct step){reciprocal, both(right(rest, 12), all(15)), right(rest, 16),
		sub(left(freq, 31 - RANS_BITS), all(1)), sub(all(RANS_ONE), freq)};
}

TARGET ALWAYS int all_near(const struct fixed *f, lanes symbols)
{
	return !bits_of(over(both(sub(symbols, f->first), all(0xff)), all(RANS_WINDOW - 1)));
}

TARGET ALWAYS lanes give_symbol(const struct rans_coder *c, const struct fixed *f, lanes x, lanes table,
	lanes symbols, uint8_t **at, enum kind kind)
{
	int near = kind == NEAR || (kind == MOSTLY_NEAR && all_near(f, symbols));
	struct step s = near ? near_step(f, symbols) : any_step(c, table, symbols);

	x = give(c->shuffles, x, over(x, s.most), at);
	lanes q = right_by(mul_high(x, s.reciprocal), s.shift);
	return add(add(x, s.added), mul(q, s.lacks));
}

TARGET ALWAYS lanes raw_at(const void *raw, size_t i, int narrow)
{
	return narrow ? widen_pairs((const uint16_t *)raw + i) : load((const uint32_t *)raw + i);
}

TARGET ALWAYS void encode_rows(struct rans_coder *c, const uint8_t *classes, const uint8_t *symbols,
	const void *raw, size_t *n, int steps, int narrow, unsigned groups, enum kind kind)
{
	const lanes step = all(RANS_RAW_STEP), byte = all(0xff);
	const struct fixed f = fixed_of(c);
	uint8_t *at = c->at;
	lanes x[GROUPS];
	size_t i = *n;

	for (unsigned g = 0; g < groups; g++)
		x[g] = load(c->lanes + WIDTH * g);
	for (; i && (size_t)(at - c->limit) >= RANS_ROW_BYTES + SLACK; i -= groups * WIDTH) {
		size_t from = i - groups * WIDTH;
		lanes class[GROUPS];
		for (unsigned g = 0; g < groups; g++)
			class[g] = classes_at(c, &f, classes ? classes + from + WIDTH * g : NULL, kind);
		for (unsigned g = groups; steps > 1 && g-- > 0;) {
			lanes r = sub(most(both(class[g], byte), step), step);
			lanes high = right(load((const uint32_t *)raw + from + WIDTH * g), RANS_RAW_STEP);
			x[g] = give_raw(c, x[g], high, r, &at);
		}
		for (unsigned g = groups; steps > 0 && g-- > 0;) {
			lanes r = least(both(class[g], byte), step);
			x[g] = give_raw(c, x[g], raw_at(raw, from + WIDTH * g, narrow), r, &at);
		}
		for (unsigned g = groups; g-- > 0;)
			x[g] = give_symbol(c, &f, x[g], right(class[g], 8), widen(symbols + from + WIDTH * g),
				&at, kind);
	}
	for (unsigned g = 0; g < groups; g++)
		store(c->lanes + WIDTH * g, x[g]);
	c->at = at;
	*n = i;
}

TARGET ALWAYS void encode_steps(struct rans_coder *c, const uint8_t *classes, const uint8_t *symbols,
	const void *raw, size_t *n, unsigned groups, enum kind kind)
{
	if (c->raw_max > RANS_RAW_STEP)
		encode_rows(c, classes, symbols, raw, n, 2, 0, groups, kind);
	else if (c->raw_max && c->raw_bytes == 2)
		encode_rows(c, classes, symbols, raw, n, 1, 1, groups, kind);
	else if (c->raw_max)
		encode_rows(c, classes, symbols, raw, n, 1, 0, groups, kind);
	else
		encode_rows(c, classes, symbols, raw, n, 0, 0, groups, kind);
}

TARGET ALWAYS void encode_kinds(struct rans_coder *c, const uint8_t *classes, const uint8_t *symbols,
	const void *raw, size_t *n, unsigned groups)
{
	if (!classes && WINDOWS && c->near.first != RANS_NO_WINDOW && c->near.all)
		encode_steps(c, classes, symbols, raw, n, groups, NEAR);
	else if (!classes && WINDOWS && c->near.first != RANS_NO_WINDOW)
		encode_steps(c, classes, symbols, raw, n, groups, MOSTLY_NEAR);
	else if (!classes)
		encode_steps(c, classes, symbols, raw, n, groups, LONE);
	else if (c->window != RANS_NO_WINDOW)
		encode_steps(c, classes, symbols, raw, n, groups, WINDOWED);
	else
		encode_steps(c, classes, symbols, raw, n, groups, ANY);
}

TARGET static int encode(
	struct rans_coder *c, const uint8_t *classes, const uint8_t *symbols, const void *raw, size_t n)
{
	size_t rest = n % c->lane_count;

	n -= rest;
	if (rest && rans_portable.encode(c, classes ? classes + n : NULL, symbols + n,
			    (const char *)raw + c->raw_bytes * n, rest))
		return -ENOBUFS;
	if (c->lane_count == RANS_LANES)
		encode_kinds(c, classes, symbols, raw, &n, GROUPS);
	else if (c->lane_count == RANS_LANES / 2)
		encode_kinds(c, classes, symbols, raw, &n, GROUPS / 2);
	return n ? rans_portable.encode(c, classes, symbols, raw, n) : 0;
}

TARGET ALWAYS size_t decode_rows(struct rans_coder *c, const uint8_t *classes, uint32_t *values,
	uint8_t *symbols, size_t n, int steps, unsigned groups, enum kind kind)
{
	const lanes step = all(RANS_RAW_STEP), byte = all(0xff);
	const lanes slots = all(RANS_ONE - 1), twelve = all(0xfff), origin = all((uint32_t)c->origin);
	const struct fixed f = fixed_of(c);
	const uint8_t *at = c->at;
	lanes x[GROUPS];
	size_t i = 0;

	for (unsigned g = 0; g < groups; g++)
		x[g] = load(c->lanes + WIDTH * g);
	for (; i + groups * WIDTH <= n && (size_t)(c->limit - at) >= RANS_ROW_BYTES + SLACK;
		i += groups * WIDTH) {
		lanes class[GROUPS], value[GROUPS];
		for (unsigned g = 0; g < groups; g++) {
			class[g] = classes_at(c, &f, classes ? classes + i + WIDTH * g : NULL, kind);
			lanes index = left(right(class[g], 8), RANS_BITS);
			lanes entry = gather(c->backward, either(index, both(x[g], slots)));
			x[g] = mul(both(entry, twelve), right(x[g], RANS_BITS));
			x[g] = add(x[g], both(right(entry, 12), twelve));
			entry = right(entry, 24);
			value[g] = left_by(add(entry, origin), both(class[g], byte));
			narrow(symbols + i + WIDTH * g, entry);
		}
		for (unsigned g = 0; g < groups; g++)
			x[g] = take_low(c, x[g], &at);
		for (unsigned g = 0; g < groups && steps > 0; g++) {
			lanes r = least(both(class[g], byte), step);
			value[g] = add(value[g], both(x[g], low_ones(r)));
			x[g] = take_low(c, right_by(x[g], r), &at);
		}
		for (unsigned g = 0; g < groups && steps > 1; g++) {
			lanes r = sub(most(both(class[g], byte), step), step);
			value[g] = add(value[g], left(both(x[g], low_ones(r)), RANS_RAW_STEP));
			x[g] = take_low(c, right_by(x[g], r), &at);
		}
		for (unsigned g = 0; g < groups; g++)
			store(values + i + WIDTH * g, value[g]);
	}
	for (unsigned g = 0; g < groups; g++)
		store(c->lanes + WIDTH * g, x[g]);
	c->at += at - c->at;
	return i;
}

TARGET ALWAYS size_t decode_steps(struct rans_coder *c, const uint8_t *classes, uint32_t *values,
	uint8_t *symbols, size_t n, unsigned groups, enum kind kind)
{
	if (c->raw_max > RANS_RAW_STEP)
		return decode_rows(c, classes, values, symbols, n, 2, groups, kind);
	if (c->raw_max)
		return decode_rows(c, classes, values, symbols, n, 1, groups, kind);
	return decode_rows(c, classes, values, symbols, n, 0, groups, kind);
}

TARGET ALWAYS size_t decode_kinds(struct rans_coder *c, const uint8_t *classes, uint32_t *values,
	uint8_t *symbols, size_t n, unsigned groups)
{
	if (!classes)
		return decode_steps(c, classes, values, symbols, n, groups, LONE);
	if (c->window != RANS_NO_WINDOW)
		return decode_steps(c, classes, values, symbols, n, groups, WINDOWED);
	return decode_steps(c, classes, values, symbols, n, groups, ANY);
}

TARGET static int decode(
	struct rans_coder *c, const uint8_t *classes, uint32_t *values, uint8_t *symbols, size_t n)
{
	size_t done = 0;

	if (c->lane_count == RANS_LANES)
		done = decode_kinds(c, classes, values, symbols, n, GROUPS);
	else if (c->lane_count == RANS_LANES / 2)
		done = decode_kinds(c, classes, values, symbols, n, GROUPS / 2);
	if (done == n)
		return 0;
	return rans_portable.decode(
		c, classes ? classes + done : NULL, values + done, symbols + done, n - done);
}
