// links: m_dedup_codec
/* Every format comes back, whatever the sizes of the buffers; what is damaged is noticed. */
#include <errno.h>

#include "tests/unit/dedup_world.h"

/* Decodes with `step` bytes of room at a time. The length, or the coder's error. */
static long decode(
	enum dedup_codec codec, const uint8_t *in, size_t in_len, uint8_t *out, size_t room, size_t step)
{
	const struct dedup_coder *coder = dedup_codec_reader(codec);
	struct dedup_buffers b = {.in = in};
	uint8_t *at = out;
	void *coding;
	int rc = 0;

	assert_int_equal(coder->open(&coding), 0);
	while (rc >= 0 && (in_len || b.in_len || rc == 0)) {
		size_t more = in_len < step ? in_len : step, before = b.in_len;

		b.in_len += more;
		in_len -= more;
		b.out = at;
		b.out_len = (size_t)(out + room - at) < step ? (size_t)(out + room - at) : step;
		if (!b.in_len)
			break;
		rc = coder->step(coding, &b, false);
		if (!more && b.in_len == before && b.out == at)
			break;
		at = b.out;
	}
	coder->close(coding);
	return rc < 0 ? rc : at - out;
}

static void comes_back(void **state)
{
	size_t len = 300000, encoded;
	uint8_t *data = malloc(len), *back = malloc(len + 1);

	(void)state;
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i * i >> 9 ^ i);
	for (enum dedup_codec codec = DEDUP_CODEC_GZIP; codec < DEDUP_CODEC_COUNT; codec++) {
		uint8_t *packed = world_encode(codec, data, len, &encoded);

		assert_int_equal(dedup_codec_of(packed, encoded), codec);
		for (size_t step = 1000; step < 1000000; step *= 30) {
			memset(back, 0, len);
			assert_int_equal(decode(codec, packed, encoded, back, len + 1, step), len);
			assert_memory_equal(back, data, len);
		}
		packed[encoded / 2] ^= 0x55;
		packed[encoded / 2 + 1] ^= 0x55;
		assert_int_equal(decode(codec, packed, encoded, back, len + 1, 1 << 20), -EBADMSG);
		free(packed);
	}
	free(data);
	free(back);
}

static void empty_comes_back(void **state)
{
	uint8_t back[1];
	size_t encoded;

	(void)state;
	for (enum dedup_codec codec = DEDUP_CODEC_GZIP; codec < DEDUP_CODEC_COUNT; codec++) {
		uint8_t *packed = world_encode(codec, "", 0, &encoded);

		assert_int_equal(dedup_codec_of(packed, encoded), codec);
		assert_int_equal(decode(codec, packed, encoded, back, 1, 1000), 0);
		free(packed);
	}
}

static void text_is_no_codec(void **state)
{
	(void)state;
	assert_int_equal(dedup_codec_of((const uint8_t *)"BZh9 is how it starts", 20), DEDUP_CODEC_NONE);
	assert_int_equal(dedup_codec_of((const uint8_t *)"{\"a\": 1}", 8), DEDUP_CODEC_NONE);
	assert_int_equal(dedup_codec_of((const uint8_t *)"\x1f", 1), DEDUP_CODEC_NONE);
	assert_int_equal(dedup_codec_of((const uint8_t *)"", 0), DEDUP_CODEC_NONE);
	assert_null(dedup_codec_reader(DEDUP_CODEC_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(empty_comes_back),
		cmocka_unit_test(text_is_no_codec),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
