/*
 * Points in time as datasets write them.
 */
#ifndef MITHRIL_DEDUP_READ_DATE_H
#define MITHRIL_DEDUP_READ_DATE_H

#include <stdbool.h>
#include <stddef.h>

/* ISO 8601 and RFC 3339, from the year on as far as it goes: 2024, 2024-05, 2024-05-31, with T or a blank
 * 10:20, 10:20:30, 10:20:30.25, then Z or +01:00 or nothing (UTC). Seconds since 1970. False: it is none. */
bool dedup_date_of(const char *text, size_t len, double *seconds);

#endif
