#include "tools/codec_plot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/print.h"

#define NAME_CHARS 44u
#define BARS_AT 360.0
#define BARS_WIDTH 640.0
#define TOTALS_WIDTH 170.0
#define ROW 18.0
#define TOP 76.0

/* Okabe and Ito's colours, which also the colour-blind tell apart, and two greys. */
static const char *const colours[] = {
	"#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#444444", "#999999"};

static const char *colour_of(unsigned codec)
{
	return colours[codec % (sizeof colours / sizeof colours[0])];
}

static int by_stored(const void *a, const void *b)
{
	const struct codec_tensor *x = *(const struct codec_tensor *const *)a;
	const struct codec_tensor *y = *(const struct codec_tensor *const *)b;

	if (x->stored != y->stored)
		return x->stored < y->stored ? 1 : -1;
	return x < y ? -1 : x > y;
}

static void add_tensor(struct codec_tensor *to, const struct codec_tensor *from)
{
	to->raw += from->raw;
	to->stored += from->stored;
	for (unsigned c = 0; c < CODEC_RUN_CODECS; c++) {
		to->by_codec[c].raw += from->by_codec[c].raw;
		to->by_codec[c].stored += from->by_codec[c].stored;
	}
}

/* The outline is the raw bytes, the filling what is stored. */
static void put_bar(FILE *out, const struct codec_tensor *t, const char *name, double y, double scale)
{
	char raw[PRINT_AMOUNT], stored[PRINT_AMOUNT];
	double x = BARS_AT;

	fprintf(out, "<text x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">", BARS_AT - 8, y + 12);
	print_xml(out, name, NAME_CHARS);
	fprintf(out, "</text>\n<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"12\" fill=\"#eeeeee\"/>\n",
		x, y + 2, (double)t->raw * scale);
	for (unsigned c = 0; c < CODEC_RUN_CODECS; c++) {
		const struct codec_share *share = &t->by_codec[c];

		if (!share->stored)
			continue;
		fprintf(out,
			"<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"12\" fill=\"%s\"><title>%s: %s "
			"of "
			"%s</title></rect>\n",
			x, y + 2, (double)share->stored * scale, colour_of(c), codec_name((enum codec)c),
			print_bytes(stored, share->stored), print_bytes(raw, share->raw));
		x += (double)share->stored * scale;
	}
	fprintf(out, "<text x=\"%.0f\" y=\"%.1f\" class=\"n\">%s of %s, %.2fx</text>\n",
		BARS_AT + BARS_WIDTH + 8, y + 12, print_bytes(stored, t->stored), print_bytes(raw, t->raw),
		t->stored ? (double)t->raw / (double)t->stored : 0.0);
}

static void put_legend(FILE *out, const struct codec_run *run)
{
	double x = BARS_AT;

	for (unsigned c = 0; c < CODEC_RUN_CODECS; c++) {
		if (!run->by_codec[c].raw)
			continue;
		fprintf(out,
			"<rect x=\"%.0f\" y=\"50\" width=\"12\" height=\"12\" fill=\"%s\"/><text x=\"%.0f\" "
			"y=\"60\">%s</text>\n",
			x, colour_of(c), x + 16, codec_name((enum codec)c));
		x += 32 + 7.0 * (double)strlen(codec_name((enum codec)c));
	}
}

static void put_head(FILE *out, const struct codec_run *run, const char *title, double height)
{
	char raw[PRINT_AMOUNT], stored[PRINT_AMOUNT];
	double width = BARS_AT + BARS_WIDTH + TOTALS_WIDTH;

	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f "
		"%.0f\" font-family=\"sans-serif\" font-size=\"11\">\n<style>.n{fill:#555}</style>\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n<text x=\"16\" y=\"26\" "
		"font-size=\"16\">",
		width, height, width, height);
	print_xml(out, title, 120);
	fprintf(out, "</text>\n<text x=\"16\" y=\"60\" class=\"n\">%s of %s, %.2fx; grey: raw bytes</text>\n",
		print_bytes(stored, run->all.stored), print_bytes(raw, run->all.raw),
		run->all.stored ? (double)run->all.raw / (double)run->all.stored : 0.0);
	put_legend(out, run);
}

int codec_plot(FILE *out, const struct codec_run *run, const char *title)
{
	const struct codec_tensor **order = calloc(run->count + 1, sizeof *order);
	size_t bars = run->count < CODEC_PLOT_BARS ? run->count : CODEC_PLOT_BARS;
	struct codec_tensor others = {0};
	char raw[PRINT_AMOUNT], stored[PRINT_AMOUNT];
	uint64_t longest = 1;

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < run->count; i++)
		order[i] = &run->tensors[i];
	qsort(order, run->count, sizeof *order, by_stored);
	for (size_t i = bars; i < run->count; i++)
		add_tensor(&others, order[i]);
	for (size_t i = 0; i < bars; i++)
		longest = order[i]->raw > longest ? order[i]->raw : longest;
	put_head(out, run, title, TOP + ROW * (double)(bars + (others.raw > 0)) + 16);
	for (size_t i = 0; i < bars; i++)
		put_bar(out, order[i], order[i]->name ? order[i]->name : "(between tensors)",
			TOP + ROW * (double)i, BARS_WIDTH / (double)longest);
	/* Many small ones would make a bar that dwarfs all the rest. */
	if (others.raw)
		fprintf(out, "<text x=\"%.0f\" y=\"%.1f\" class=\"n\">and %zu others: %s of %s</text>\n",
			BARS_AT, TOP + ROW * (double)bars + 12, run->count - bars,
			print_bytes(stored, others.stored), print_bytes(raw, others.raw));
	fputs("</svg>\n", out);
	free(order);
	return 0;
}
