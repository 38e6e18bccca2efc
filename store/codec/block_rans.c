#include "store/codec/block_rans.h"

#include <errno.h>
#include <string.h>

#include "store/codec/histogram.h"
#include "store/codec/varint.h"
#include "store/codec/workspace.h"

#define PIECE 2048u /* bytes decoded at a time, a multiple of RANS_LANES */
#define STEP 64u    /* one byte in so many is counted */

static size_t write_table(struct codec_workspace *ws, const uint8_t *src, size_t n)
{
	struct range_encoder e;

	ws->counts.rows = 1;
	memset(ws->counts.row, 0, sizeof ws->counts.row);
	ws->model.classes = 1;
	ws->model.shifts[0] = 0;
	histogram_of(ws->counts.counts, ws->numbers, src, n, STEP);
	model_fit(&ws->model, &ws->counts, &ws->sample);
	range_encode_init(&e, ws->out, sizeof ws->out);
	model_write(&ws->model, &e);
	return range_encode_end(&e);
}

static void prepare(struct codec_workspace *ws, size_t n)
{
	memset(ws->rans_classes, 0, sizeof ws->rans_classes);
	rans_classes_set(&ws->rans, ws->rans_classes);
	ws->rans.shuffles = &ws->shuffles;
	ws->rans.origin = 0;
	ws->rans.raw_bytes = 4;
	ws->rans.lane_count = rans_lanes_for(n);
}

size_t block_rans_encode(
	struct codec_workspace *ws, uint8_t *dst, size_t capacity, const uint8_t *src, size_t n)
{
	struct rans_coder *c = &ws->rans;
	uint8_t *words = (uint8_t *)ws->values32, *end = words + sizeof ws->values32;
	size_t table = write_table(ws, src, n), inside, used;

	prepare(ws, n);
	rans_forward_init(c, (const uint16_t(*)[RANS_SYMBOLS])ws->model.freqs, 1);
	rans_encode_begin(c, words, end);
	if (table == SIZE_MAX || ws->coder->encode(c, NULL, src, ws->values32, n))
		return 0;
	inside = varint_len(table) + table + rans_encoded_len(c, end);
	if (inside >> 7 * VARINT_MAX || capacity < VARINT_MAX + inside)
		return 0;
	used = put_varint(dst, inside);
	used += put_varint(dst + used, table);
	memcpy(dst + used, ws->out, table);
	used += table;
	rans_encoded_put(c, end, dst + used);
	return used + rans_encoded_len(c, end);
}

static int read_table(struct codec_workspace *ws, const uint8_t **at, const uint8_t *end)
{
	struct range_decoder d;
	size_t len;

	if (get_varint(at, end, &len) || len > (size_t)(end - *at))
		return -EBADMSG;
	range_decode_init(&d, *at, len);
	*at += len;
	ws->model.classes = ws->model.tables = 1;
	return model_read(&ws->model, &d, 0) || !range_decode_all(&d) ? -EBADMSG : 0;
}

int block_rans_decode(
	struct codec_workspace *ws, const uint8_t **src, const uint8_t *end, uint8_t *dst, size_t n)
{
	struct rans_coder *c = &ws->rans;
	const uint8_t *at;
	size_t inside;

	if (get_varint(src, end, &inside) || inside > (size_t)(end - *src))
		return -EBADMSG;
	at = *src;
	*src = end = at + inside;
	prepare(ws, n);
	if (read_table(ws, &at, end) || rans_decode_begin(c, at, (size_t)(end - at)))
		return -EBADMSG;
	rans_backward_init(c, (const uint16_t(*)[RANS_SYMBOLS])ws->model.freqs, 1);
	for (size_t i = 0; i < n; i += PIECE) {
		if (ws->coder->decode(c, NULL, ws->values32, dst + i, n - i < PIECE ? n - i : PIECE))
			return -EBADMSG;
	}
	return rans_decode_end(c);
}
