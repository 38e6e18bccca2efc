/*
 * The chunk codec: bytes of one tensor chunk, with or without the bytes of a base, to a payload and back.
 *
 * Pure functions of buffers: no I/O, no globals, nothing allocated per call but what zstd's contexts grow to
 * on first use, and the same payload on every machine (of the same zstd release: other releases decode it all
 * the same). A codec id and a codec version stand in the frame's header, beside dtype and raw length; the
 * payload says the rest (payload.h).
 *
 * codec.c: names, and a payload to the decoder of its codec. codec_encode.c: which codecs are tried, in which
 * order. Each codec has a header of its own.
 *
 * Sources: ZipNN (arXiv 2411.05239) for planes, BitX/ZipLLM (arXiv 2505.06252) for XOR against a base,
 * FM-Delta (NeurIPS 2024) for the order-preserving integer difference; rans.h and range.h name those of the
 * entropy coders.
 *
 * Codecs (ids are on disk: never renumber; 8 to 15 have no meaning yet, nor have those from CODEC_COUNT on):
 */
#ifndef MITHRIL_STORE_CODEC_CODEC_H
#define MITHRIL_STORE_CODEC_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "store/util/dtype.h"

enum codec {
	CODEC_STORED = 0,     /* the bytes themselves */
	CODEC_CONSTANT = 1,   /* one element, repeated */
	CODEC_ZSTD = 2,	      /* one zstd frame over the bytes */
	CODEC_ZSTD_BASE = 3,  /* one zstd frame behind the base as prefix; any length of base */
	CODEC_PLANES = 4,     /* byte planes, each coded in the way that suits it */
	CODEC_XOR = 5,	      /* planes of element ^ base element; base of the same length */
	CODEC_DIFF = 6,	      /* planes of zigzag(order(element) - order(base element)); likewise */
	CODEC_ZSTD_BASES = 7, /* one zstd frame behind all bases, joined, as prefix; any lengths */
	/* Floats with exponents only: f16, bf16, f32, c64 and four kinds of f8. */
	CODEC_SYMBOLS = 16,	 /* exponent and first bits of mantissa by rANS */
	CODEC_SYMBOLS_DIFF = 17, /* upper bits of order(element) - order(base element) by rANS, by exponent of
				    the base; base of the same length */
	CODEC_CHANGES = 18,	 /* where elements differ from the base, and by how much; likewise */
	CODEC_DERIVED = 24,	 /* f16 or bf16: DIFF against the rounding of f32 elements of the bases */
	CODEC_WIDENED = 25,	 /* f32: DIFF against the f16 or bf16 elements of the bases */
	CODEC_MOMENT = 26,	 /* f32: DIFF against the step of Adam's exp_avg_sq; bases: exp_avg_sq a step
				    before, exp_avg, exp_avg a step before, each of the same length;
				    no longer written, STEP is smaller */
	CODEC_STEP = 27, /* f32: DIFF against what a step of AdamW makes of bases of the same length */
	CODEC_COUNT
};

#define CODEC_VERSION 1u
#define CODEC_CHUNK_MAX (1u << 20) /* bytes; a longer raw length is refused */

/* Most bytes codec_encode writes for n raw bytes: never more than stored. */
#define CODEC_BOUND(n) (n)

struct codec_workspace;

/* Scratch and zstd contexts for chunks up to CODEC_CHUNK_MAX; one per thread. Chunks of 256 KiB make it take
 * about 3 MiB of memory, of 1 MiB about 8; with CODEC_SMALL 9 and 33. NULL: no memory. */
struct codec_workspace *codec_workspace_new(void);
void codec_workspace_free(struct codec_workspace *ws);

enum codec_level {
	CODEC_DEFAULT, /* the codec that a sample picks; zstd at level 3 */
	CODEC_FAST,    /* floats without a base by their exponents, with no look at other methods; no search
			  for repeats in planes; zstd at level 1 */
	CODEC_SMALL,   /* the smallest of all in full; zstd at level 12; many times slower */
};

/* What stood before the chunk: bytes of the base, or base == NULL. */
struct codec_input {
	const void *src;
	size_t len;	  /* 1..CODEC_CHUNK_MAX */
	enum dtype dtype; /* a wrong one costs ratio, never correctness; any len goes with any dtype */
	const void *base;
	size_t base_len; /* equal to len: XOR and DIFF are tried; up to CODEC_CHUNK_MAX: ZSTD_BASE */
};

/* What a payload refers to: the raw bytes of the frame's bases, in their order. */
#define CODEC_BASES_MAX 4u
struct codec_bases {
	unsigned count;
	struct codec_base {
		const void *bytes;
		size_t len;
	} at[CODEC_BASES_MAX];
};

struct codec_result {
	enum codec codec;
	size_t len; /* payload bytes in dst */
};

/* Encodes by the method that is smallest: decided on a sample, then the chosen one in full. Never fails for
 * want of compressibility: what does not save a 128th is CODEC_STORED. `dst` holds at least
 * CODEC_BOUND(in->len) bytes and overlaps nothing. `hint`: the codec that was best for the chunk before of
 * the same tensor, or -1; it is kept where the sample sees nothing clearly (1 %) smaller. -EINVAL: len or
 * capacity out of range. */
int codec_encode(struct codec_workspace *ws, void *dst, size_t capacity, const struct codec_input *in,
	enum codec_level level, int hint, struct codec_result *result);

/* What an f32 tensor is after a step of the optimizer. Its bases are, in their order:
 *   MOMENT   of the second moment: what it was before, the first moment, what that was before
 *   WEIGHTS  of weights: what they were before, the first moment, the second moment
 *   FIRST    of the first moment: what both moments were before, the weights, what these were before */
enum codec_step_form { CODEC_STEP_MOMENT = 0, CODEC_STEP_WEIGHTS = 1, CODEC_STEP_FIRST = 2 };
struct codec_step {
	enum codec_step_form form;
	float k[6]; /* step.h; zero from the fourth on but for FIRST */
};

/* How a chunk is a function of others. */
struct codec_function {
	const struct codec_step *step; /* f32 of chunks of f32; NULL: the next two count */
	enum dtype from;	       /* of the bases */
	size_t skip; /* the bytes of all bases together hold the elements from this one on */
};

/* Encodes in->src (in->base does not matter) as a function of its bases: f16 or bf16 as DERIVED from f32, f32
 * as WIDENED from f16 or bf16, f32 as STEP. What is not as expected costs bytes, never correctness. -ENOENT:
 * no such pair of dtypes, the bases are too short, or it does not save a 128th; -EINVAL as codec_encode. */
int codec_derive(struct codec_workspace *ws, void *dst, size_t capacity, const struct codec_input *in,
	const struct codec_bases *bases, const struct codec_function *function, enum codec_level level,
	struct codec_result *result);

/* Encodes opaque bytes behind those of bases that are like them (NULL or none: alone), which are
 * CODEC_CHUNK_MAX together at most: ZSTD_BASES, else ZSTD, else STORED. At a level of zstd that is worth it
 * for what is written once and shared by many files: 12; CODEC_FAST 3, CODEC_SMALL 19. Takes up to 32 MiB of
 * memory that the workspace keeps. -EINVAL as codec_encode. */
int codec_near(struct codec_workspace *ws, void *dst, size_t capacity, const struct codec_input *in,
	const struct codec_bases *bases, enum codec_level level, struct codec_result *result);

/* Of n elements of `narrow` (f16, bf16), how many are the rounding of the f32 element at the same place. Any
 * other dtype: 0. */
size_t codec_derived_matches(enum dtype narrow, const void *elements, const void *f32, size_t n);

/* Solves the coefficients of a step, MOMENT or WEIGHTS, from n f32 elements and those of the three bases,
 * after those of `known` steps were tried. Returns codec_step_bits; 32, and *step is not set: n is 0, or
 * there is no telling. */
unsigned codec_step_fit(struct codec_step *step, enum codec_step_form form, const struct codec_step *known,
	size_t known_count, const void *now, const void *const bases[3], size_t n);

/* The step backwards: FIRST, of what is known from WEIGHTS and MOMENT. */
struct codec_step codec_step_first(const struct codec_step *weights, const struct codec_step *moment);

/* Bits that one of n > 0 elements differs by from what a step makes of the bases, on average over a sample.
 */
unsigned codec_step_bits(
	const struct codec_step *step, const void *now, const void *const bases[CODEC_BASES_MAX], size_t n);

/* Estimated payload bytes of codec_encode, from a sample of at most 16 KiB: to rank candidate bases and to
 * judge whether a base pays. The whole chunk is not looked at, so the time is that of the sample: about 15 us
 * without and 40 us with a base for floats, where encoding 256 KiB takes 150 to 300 us. */
size_t codec_estimate(struct codec_workspace *ws, const struct codec_input *in);

/* Rebuilds exactly raw_len bytes in dst from a payload that may be hostile: no access outside the buffers,
 * time and memory bounded. `bases` (NULL: none) are needed by the codecs that codec_needs_base names; all but
 * ZSTD_BASES, DERIVED, WIDENED, MOMENT and STEP look at the first only. That the bytes are the right ones is
 * for the caller's checksum to say. -EBADMSG; -EPROTONOSUPPORT: unknown codec or version. After a failure dst
 * holds anything.
 */
int codec_decode(struct codec_workspace *ws, void *dst, size_t raw_len, const void *payload,
	size_t payload_len, enum codec codec, unsigned version, enum dtype dtype,
	const struct codec_bases *bases);

int codec_needs_base(enum codec codec);
/* DERIVED, WIDENED, MOMENT or STEP: its bases are chunks of another kind. */
int codec_is_derived(enum codec codec);

/* Whether the id means anything. */
int codec_known(unsigned codec);

/* The level of this name: "fast", "default", "small". 0; -EINVAL. */
int codec_level_named(const char *name, enum codec_level *level);

/* Lower-case name ("planes", "diff"); "?" for an unknown one. Static storage. */
const char *codec_name(enum codec codec);

#endif
