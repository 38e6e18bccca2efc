#include "tools/print.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "store/util/clock.h"

struct print_table {
	size_t columns, rows;
	char **cells; /* rows x columns; the first row is the headings */
	int *widths;  /* of the columns */
};

struct print_table *print_table_new(size_t columns, const char *const *headings)
{
	struct print_table *table = calloc(1, sizeof *table);

	if (!table)
		return NULL;
	table->columns = columns;
	table->widths = calloc(columns, sizeof *table->widths);
	if (!table->widths) {
		free(table);
		return NULL;
	}
	print_table_row(table, headings);
	return table;
}

/* Names come from users' files: what could steer a terminal is not passed on. */
static char *printable(const char *text)
{
	char *copy = strdup(text);

	for (char *c = copy; c && *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return copy;
}

static const char *cell(const struct print_table *table, size_t row, size_t column)
{
	const char *text = table->cells[row * table->columns + column];

	return text ? text : "";
}

static bool is_right(const struct print_table *table, size_t column)
{
	const char *heading = cell(table, 0, column);
	size_t len = strlen(heading);

	return len && heading[len - 1] == '>';
}

static int cell_len(const struct print_table *table, size_t row, size_t column)
{
	return (int)strlen(cell(table, row, column)) - (row == 0 && is_right(table, column));
}

void print_table_row(struct print_table *table, const char *const *cells)
{
	size_t have = table ? table->rows * table->columns : 0;
	char **grown;

	if (!table)
		return;
	grown = realloc(table->cells, (have + table->columns) * sizeof *grown);
	if (!grown)
		return;
	table->cells = grown;
	for (size_t i = 0; i < table->columns; i++) {
		grown[have + i] = printable(cells[i]);
		if (cell_len(table, table->rows, i) > table->widths[i])
			table->widths[i] = cell_len(table, table->rows, i);
	}
	table->rows++;
}

static void print_cell(const struct print_table *table, size_t row, size_t column)
{
	int width = table->widths[column], len = cell_len(table, row, column);

	if (is_right(table, column))
		printf("%*s%.*s", width - len, "", len, cell(table, row, column));
	else if (column + 1 < table->columns)
		printf("%-*.*s", width, len, cell(table, row, column));
	else
		printf("%.*s", len, cell(table, row, column));
}

void print_table_end(struct print_table *table)
{
	if (!table)
		return;
	for (size_t row = 0; row < table->rows; row++) {
		for (size_t column = 0; column < table->columns; column++) {
			fputs(column ? "  " : "", stdout);
			print_cell(table, row, column);
		}
		putchar('\n');
	}
	for (size_t i = 0; i < table->rows * table->columns; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table->widths);
	free(table);
}

void print_json(const json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
}

void print_complaint(const char *program, const char *what, const char *next, const char *why, va_list args)
{
	fprintf(stderr, "%s: %s: ", program, what);
	vfprintf(stderr, why, args);
	fprintf(stderr, "%s%s\n", next ? "; " : "", next ? next : "");
}

void print_progress(struct print_progress *progress, const char *format, ...)
{
	int64_t now = clock_now_ms();
	struct winsize size;
	char line[512];
	va_list args;

	if (!isatty(STDERR_FILENO) || (progress->shown && now - progress->last_ms < 100))
		return;
	progress->last_ms = now;
	progress->shown = true;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	/* A line that wraps is not drawn over. */
	if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col > 1 && size.ws_col < sizeof line)
		line[size.ws_col - 1] = 0;
	fprintf(stderr, "\r\033[K%s", line);
	fflush(stderr);
}

void print_progress_end(struct print_progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
	progress->shown = false;
}
