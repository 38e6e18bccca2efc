/*
 * Emptying a directory of files that mean nothing any more.
 */
#ifndef MITHRIL_STORE_STAGE_SWEEP_H
#define MITHRIL_STORE_STAGE_SWEEP_H

/* Removes the files in an open directory, which stays open. What cannot be removed stays. */
void sweep_dir(int dir_fd);

#endif
