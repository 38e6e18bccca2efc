#include "store/util/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

/* The one process-wide setting: where lines go is a property of the process, as its standard error is. */
static struct {
	enum log_level level;
	int to_syslog;
} setup = {LOG_LEVEL_INFO, 0};

void log_setup(enum log_level level, int to_syslog)
{
	setup.level = level;
	setup.to_syslog = to_syslog;
}

void log_line(enum log_level level, const char *format, ...)
{
	static const int priority[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};
	int saved = errno;
	char line[1024];
	va_list args;

	if (level > setup.level)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	if (setup.to_syslog)
		syslog(priority[level], "%s", line);
	else
		fprintf(stderr, "mithril: %s\n", line);
	errno = saved;
}
