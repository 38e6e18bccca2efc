/*
 * How many processors this process may use: what threads are made for where nobody says how many.
 */
#ifndef MITHRIL_STORE_UTIL_PROCESSORS_H
#define MITHRIL_STORE_UTIL_PROCESSORS_H

/* Those that the caller's affinity allows (sched_setaffinity(2), cpusets), and no more than the least cpu.max
 * of its control group and of those above it, where /sys/fs/cgroup has them (version 2). At least 1. Reads
 * files: ask once. */
unsigned processors_count(void);

/* Pure: the whole processors that the text of a cpu.max ("QUOTA PERIOD", microseconds) comes to, rounded up;
 * 0: no bound ("max PERIOD"), or it is no such text. */
unsigned processors_of_quota(const char *text);

#endif
