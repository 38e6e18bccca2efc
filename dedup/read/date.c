#include "dedup/read/date.h"

#include <stdint.h>

struct cursor {
	const char *at, *end;
};

static bool take(struct cursor *c, char one)
{
	if (c->at == c->end || *c->at != one)
		return false;
	c->at++;
	return true;
}

static bool number(struct cursor *c, unsigned digits, int least, int most, int *n)
{
	*n = 0;
	if ((size_t)(c->end - c->at) < digits)
		return false;
	for (; digits; digits--, c->at++) {
		if (*c->at < '0' || *c->at > '9')
			return false;
		*n = *n * 10 + (*c->at - '0');
	}
	return *n >= least && *n <= most;
}

/* Of the Gregorian calendar, since 1970-01-01: years begin in March, so that leap days end them. */
static int64_t days(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1, era = (y + 400) / 400 - 1, of_era = y - era * 400;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool fraction(struct cursor *c, double *seconds)
{
	double unit = .1;
	const char *start = c->at;

	for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++, unit /= 10)
		*seconds += unit * (*c->at - '0');
	return c->at > start;
}

static bool zone(struct cursor *c, double *seconds)
{
	int hours, minutes = 0, sign = 1;

	if (c->at == c->end || take(c, 'Z') || take(c, 'z'))
		return true;
	if (take(c, '-'))
		sign = -1;
	else if (!take(c, '+'))
		return false;
	if (!number(c, 2, 0, 23, &hours))
		return false;
	if (c->at < c->end) {
		take(c, ':');
		if (!number(c, 2, 0, 59, &minutes))
			return false;
	}
	*seconds -= sign * (hours * 3600 + minutes * 60);
	return true;
}

static bool clock_time(struct cursor *c, double *seconds)
{
	int hour, minute, second = 0;
	double part = 0;

	if (!number(c, 2, 0, 24, &hour) || !take(c, ':') || !number(c, 2, 0, 59, &minute))
		return false;
	if (take(c, ':')) {
		if (!number(c, 2, 0, 60, &second))
			return false;
		if ((take(c, '.') || take(c, ',')) && !fraction(c, &part))
			return false;
	}
	*seconds += hour * 3600 + minute * 60 + second + part;
	return zone(c, seconds);
}

bool dedup_date_of(const char *text, size_t len, double *seconds)
{
	struct cursor c = {text, text + len};
	int year, month = 1, day = 1;

	if (!number(&c, 4, 0, 9999, &year))
		return false;
	if (take(&c, '-')) {
		if (!number(&c, 2, 1, 12, &month))
			return false;
		if (take(&c, '-') && !number(&c, 2, 1, 31, &day))
			return false;
	}
	*seconds = (double)days(year, month, day) * 86400;
	if (take(&c, 'T') || take(&c, 't') || take(&c, ' '))
		return clock_time(&c, seconds) && c.at == c.end;
	return c.at == c.end;
}
