#include "store/util/dtype.h"

static const struct {
	const char *name;
	uint8_t width;
} dtypes[DTYPE_COUNT] = {
	[DTYPE_OPAQUE] = {"opaque", 1},
	[DTYPE_BOOL] = {"bool", 1},
	[DTYPE_U8] = {"u8", 1},
	[DTYPE_I8] = {"i8", 1},
	[DTYPE_U16] = {"u16", 2},
	[DTYPE_I16] = {"i16", 2},
	[DTYPE_U32] = {"u32", 4},
	[DTYPE_I32] = {"i32", 4},
	[DTYPE_U64] = {"u64", 8},
	[DTYPE_I64] = {"i64", 8},
	[DTYPE_F16] = {"f16", 2},
	[DTYPE_BF16] = {"bf16", 2},
	[DTYPE_F32] = {"f32", 4},
	[DTYPE_F64] = {"f64", 8},
	[DTYPE_F8_E4M3] = {"f8_e4m3", 1},
	[DTYPE_F8_E5M2] = {"f8_e5m2", 1},
	[DTYPE_F8_E4M3FNUZ] = {"f8_e4m3fnuz", 1},
	[DTYPE_F8_E5M2FNUZ] = {"f8_e5m2fnuz", 1},
	[DTYPE_F8_E8M0] = {"f8_e8m0", 1},
	[DTYPE_F4] = {"f4", 1},
	[DTYPE_F6_E2M3] = {"f6_e2m3", 1},
	[DTYPE_F6_E3M2] = {"f6_e3m2", 1},
	[DTYPE_C64] = {"c64", 8},
	[DTYPE_C128] = {"c128", 16},
	[DTYPE_QUANT] = {"quant", 1},
};

size_t dtype_width(enum dtype t)
{
	return (unsigned)t < DTYPE_COUNT ? dtypes[t].width : 1;
}

const char *dtype_name(enum dtype t)
{
	return (unsigned)t < DTYPE_COUNT ? dtypes[t].name : "?";
}
