#include "store/encode/private.h"

void plan_init(struct plan *plan, const struct layout *layout, uint64_t size)
{
	*plan = (struct plan){.layout = layout, .size = size};
}

/* The next tensor that is worth chunks of its own. */
static const struct tensor *next_tensor(struct plan *plan)
{
	while (plan->tensor < plan->layout->count) {
		const struct tensor *t = &plan->layout->tensors[plan->tensor];
		if (t->len >= ENCODE_TENSOR_MIN && t->off + t->len > plan->at)
			return t;
		plan->tensor++;
	}
	return NULL;
}

void plan_next(struct plan *plan, struct piece *piece)
{
	const struct tensor *t = next_tensor(plan);
	uint64_t gap_end = t ? t->off : plan->size;

	*piece = (struct piece){.kind = PIECE_END, .off = plan->at};
	if (plan->at >= plan->size)
		return;
	if (plan->at < gap_end) {
		piece->len = gap_end - plan->at;
		piece->kind =
			plan->layout->count && piece->len <= PLAN_GAP_MAX ? PIECE_SKELETON : PIECE_OPAQUE;
	} else {
		uint64_t left = t->off + t->len - plan->at;
		piece->kind = PIECE_TENSOR;
		piece->tensor = plan->tensor;
		piece->first = plan->at == t->off;
		piece->len = left < ENCODE_CHUNK ? left : ENCODE_CHUNK;
	}
	plan->at += piece->len;
}
