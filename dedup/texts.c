#include <string.h>

#include "dedup/scanner.h"
#include "dedup/sketch/simhash.h"

size_t dedup_text_words(const struct dedup_options *o, size_t shingles)
{
	if (o->method != DEDUP_SIMHASH || !shingles)
		return shingles;
	return o->threshold > 0 ? shingles + 1 : 1;
}

void dedup_text_keys(const struct dedup_scanner *s, struct dedup_worker *w, uint64_t *keys)
{
	const struct dedup_options *o = s->options;

	if (o->method == DEDUP_SIMHASH) {
		w->fingerprint = dedup_simhash(w->shingles.v, w->shingles.count);
		dedup_simhash_keys(o->distance, w->fingerprint, keys);
	} else {
		dedup_sketch(&s->sketcher, w->shingles.v, w->shingles.count, w->sketch);
		dedup_bands_keys(o->bands, w->sketch, keys);
	}
}

void dedup_text_copy(const struct dedup_options *o, const struct dedup_worker *w, uint64_t *words)
{
	if (o->method == DEDUP_SIMHASH)
		*words++ = w->fingerprint;
	if (o->method != DEDUP_SIMHASH || o->threshold > 0)
		memcpy(words, w->shingles.v, w->shingles.count * sizeof *words);
}
