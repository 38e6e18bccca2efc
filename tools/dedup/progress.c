#include "tools/dedup/progress.h"

#include <stdio.h>
#include <string.h>

#include "store/util/clock.h"

/* "1:02:03", "2:03" or "3 s". */
static void format_left(char text[32], double seconds)
{
	unsigned long left = (unsigned long)(seconds + .5);

	if (left >= 3600)
		snprintf(text, 32, "%lu:%02lu:%02lu", left / 3600, left / 60 % 60, left % 60);
	else if (left >= 60)
		snprintf(text, 32, "%lu:%02lu", left / 60, left % 60);
	else
		snprintf(text, 32, "%lu s", left);
}

static bool is_count(const char *stage)
{
	return !strcmp(stage, "comparing") || !strcmp(stage, "merging");
}

void dedup_progress_format(
	char text[DEDUP_PROGRESS_TEXT], const char *stage, uint64_t done, uint64_t of, double seconds)
{
	double share = of ? (double)done / (double)of : 0, rate = seconds > 0 ? (double)done / seconds : 0;
	bool early = seconds < .5; /* the rate is chance */
	char is[PRINT_AMOUNT], all[PRINT_AMOUNT], left[32], speed[48] = "";
	int n;

	if (!early)
		snprintf(speed, sizeof speed, is_count(stage) ? ", %.0f/s" : ", %.0f MB/s",
			is_count(stage) ? rate : rate / 1e6);
	if (!strcmp(stage, "comparing"))
		n = snprintf(text, DEDUP_PROGRESS_TEXT, "%s: %llu of %llu texts%s", stage,
			(unsigned long long)done, (unsigned long long)of, speed);
	else if (!strcmp(stage, "merging"))
		n = snprintf(text, DEDUP_PROGRESS_TEXT, "%s: %llu hashes and keys%s", stage,
			(unsigned long long)done, speed);
	else
		n = snprintf(text, DEDUP_PROGRESS_TEXT, "%s: %s of %s%s", stage, print_bytes(is, done),
			print_bytes(all, of), speed);
	if (early || share <= 0 || share > 1)
		return;
	format_left(left, seconds * (1 - share) / share);
	snprintf(text + n, (size_t)(DEDUP_PROGRESS_TEXT - n), ", %.0f %%, %s left", 100 * share, left);
}

void dedup_progress_show(struct dedup_progress *p, const char *stage, uint64_t done, uint64_t of)
{
	char text[DEDUP_PROGRESS_TEXT];
	uint64_t now = clock_now_ns();

	/* Another stage, or the same one of another shard. */
	if (!p->stage || strcmp(p->stage, stage) != 0 || done < p->last)
		p->start_ns = now;
	p->stage = stage;
	p->last = done;
	dedup_progress_format(text, stage, done, of, (double)(now - p->start_ns) * 1e-9);
	print_progress(&p->line, "%s", text);
}
