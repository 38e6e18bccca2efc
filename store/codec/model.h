/*
 * What a payload of symbols says before its symbols: the shift and the table of each class, and the tables,
 * all by the range coder (payload.h describes the order).
 */
#ifndef MITHRIL_STORE_CODEC_MODEL_H
#define MITHRIL_STORE_CODEC_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "store/codec/range.h"
#include "store/codec/rans.h"
#include "store/codec/sample.h"

#define MODEL_ROWS 32u

struct model {
	unsigned classes; /* 1 to 256 */
	unsigned tables;  /* 1 to RANS_TABLES */
	uint8_t shifts[256];
	uint8_t table[256]; /* of each class: that of the class before, or the next one */
	uint16_t freqs[RANS_TABLES][RANS_SYMBOLS]; /* each adds up to RANS_ONE */
};

/* Symbol counts of groups of classes, in order of class. */
struct model_counts {
	unsigned rows;
	uint8_t row[256]; /* of each class; grows by at most one from class to class */
	uint32_t counts[MODEL_ROWS][RANS_SYMBOLS];
};

/* Lets neighbouring rows share a table where that is cheaper, and sets tables, table and freqs. Destroys the
 * counts. */
void model_fit(struct model *model, struct model_counts *counts, const struct sample *logarithms);

void model_write(const struct model *model, struct range_encoder *e);
/* model->classes and model->tables are known. Shifts are at most shift_max. -EBADMSG. */
int model_read(struct model *model, struct range_decoder *d, unsigned shift_max);

#endif
