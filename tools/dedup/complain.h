/*
 * What mithril-dedup says on standard error, a line each.
 */
#ifndef MITHRIL_TOOLS_DEDUP_COMPLAIN_H
#define MITHRIL_TOOLS_DEDUP_COMPLAIN_H

/* "mithril-dedup: WHAT: WHY; NEXT"; returns `code`. `next` may be NULL. */
int dedup_complain(int code, const char *what, const char *next, const char *why, ...)
	__attribute__((format(printf, 4, 5)));
/* What getopt_long answered with '?' or ':' to the option of `command` before optind, reported. TOOL_USAGE.
 */
int dedup_wrong_option(const char *command, int val, char **argv);
/* The way in which the program is called. TOOL_USAGE. */
int dedup_wrong_usage(void);

#endif
