/*
 * A record without what is cut out of its text. Every other byte stays as it is: in JSON the characters of
 * the string that are left keep the escapes they had.
 */
#ifndef MITHRIL_DEDUP_CUT_REWRITE_H
#define MITHRIL_DEDUP_CUT_REWRITE_H

#include <stdbool.h>
#include <stddef.h>

#include "dedup/cut/cuts.h"
#include "dedup/read/inputs.h"
#include "dedup/read/reader.h"

/* Zero it first; for one thread at a time. */
struct dedup_rewritten {
	char *data; /* the whole line, its end included */
	size_t len, capacity;
	size_t text, left; /* bytes of the text, and of what is left of it */
	bool blank;	   /* nothing but ASCII white space is left */
};

/* `cuts` are settled and of this line. A character of which they take a part only stays. -EBADMSG: it is no
 * such record (any more); -ENOMEM. */
int dedup_rewrite(struct dedup_rewritten *rewritten, enum dedup_format format, const char *field,
	const struct dedup_line *line, const struct dedup_cut *cuts, size_t count);
void dedup_rewritten_release(struct dedup_rewritten *rewritten);

#endif
