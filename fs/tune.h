/*
 * What the machine below allows, and settings of the mount that only sysfs has. Private to fs/.
 */
#ifndef MITHRIL_FS_TUNE_H
#define MITHRIL_FS_TUNE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* How deep file systems are stacked if ours passes through to the one that `path` is on. */
uint32_t tune_stack_depth(const char *path);

/* Tries a backing file in directory `path`. */
bool tune_passthrough_works(const char *path, int dev_fd);

/* Sets the read-ahead of a mount, as far as we have the right to. kb 0: our default. */
void tune_read_ahead(dev_t dev, unsigned kb);

#endif
