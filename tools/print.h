/*
 * Output for people: amounts, tables, progress; and JSON for programs.
 */
#ifndef MITHRIL_TOOLS_PRINT_H
#define MITHRIL_TOOLS_PRINT_H

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "store/util/show.h"

/* A table whose columns are as wide as their widest cell. Cells are copied. A column is right-aligned if its
 * heading ends with '>' (which is not printed). Rows that do not fit in memory are dropped. */
struct print_table;
struct print_table *print_table_new(size_t columns, const char *const *headings);
void print_table_row(struct print_table *table, const char *const *cells);
/* Prints to standard output and frees. NULL is fine. */
void print_table_end(struct print_table *table);

/* Prints to standard output, with a line's end. */
void print_json(const json_t *json);

/* "PROGRAM: WHAT: WHY; NEXT" on standard error. `next` may be NULL. */
void print_complaint(const char *program, const char *what, const char *next, const char *why, va_list args)
	__attribute__((format(printf, 4, 0)));

/* One line on standard error that is drawn over, only where that is a terminal and at most ten times a
 * second. */
struct print_progress {
	bool shown;
	int64_t last_ms;
};
void print_progress(struct print_progress *progress, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Clears the line. */
void print_progress_end(struct print_progress *progress);

#endif
