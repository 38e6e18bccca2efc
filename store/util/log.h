/*
 * One line to standard error a call, prefixed "mithril: ", or to syslog once the daemon has asked for that.
 * An error is logged once, by the operation that a user would recognise, not by each function it passes.
 */
#ifndef MITHRIL_STORE_UTIL_LOG_H
#define MITHRIL_STORE_UTIL_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lines above `level` are dropped (default LOG_LEVEL_INFO). `to_syslog` sends lines to syslog(3) instead of
 * standard error. Set at start, before threads exist. */
void log_setup(enum log_level level, int to_syslog);

/* Thread-safe. A newline is added. errno is preserved. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
