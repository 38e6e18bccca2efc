/*
 * Amounts and texts as people read them.
 */
#ifndef MITHRIL_STORE_UTIL_SHOW_H
#define MITHRIL_STORE_UTIL_SHOW_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* "1.4 GiB"; `text` is returned. */
#define PRINT_AMOUNT 32
char *print_bytes(char text[PRINT_AMOUNT], uint64_t bytes);

/* A text of a user's as text of HTML or XML, at most so many characters of it: "..." stands for the rest.
 * What XML cannot hold and what is no UTF-8 becomes '?'. */
void print_xml(FILE *out, const char *text, size_t most);

#endif
