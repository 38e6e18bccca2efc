#include "dedup/saved.h"

#include <errno.h>

#include "dedup/spill/record.h"

int dedup_lines_put(
	struct dedup_table_writer *w, const struct dedup_lines *lines, const uint32_t *bases, unsigned shards)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < shards; i++) {
		rc = dedup_table_begin(w, i);
		for (uint32_t id = bases[i]; !rc && id < bases[i + 1]; id++) {
			uint8_t bytes[4];

			put_be32(bytes, *dedup_lines_at(lines, id));
			rc = dedup_table_put(w, bytes, sizeof bytes);
		}
	}
	return rc;
}

int dedup_lines_get(const struct dedup_table *table, unsigned shard, struct dedup_lines *lines, uint32_t to,
	uint32_t count)
{
	struct dedup_cursor c;
	const uint8_t *bytes;
	size_t run = 0;
	int rc = count ? dedup_lines_room(lines, to + count - 1) : 0;

	while (run < table->run_count && table->runs[run].part != shard)
		run++;
	if (rc || run == table->run_count)
		return rc ? rc : -EBADMSG;
	dedup_cursor_open(&c, table, run);
	for (uint32_t i = 0; !rc && i < count; i++) {
		rc = dedup_cursor_peek(&c, 4, &bytes);
		if (rc > 0) {
			*dedup_lines_at(lines, to + i) = get_be32(bytes);
			dedup_cursor_skip(&c, 4);
		}
		rc = rc > 0 ? 0 : rc ? rc : -EBADMSG;
	}
	if (!rc && dedup_cursor_peek(&c, 1, &bytes))
		rc = -EBADMSG;
	dedup_cursor_close(&c);
	return rc;
}
