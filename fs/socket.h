/*
 * The control socket's address. A store's path may be longer than an address can be, so it is reached through
 * its directory's descriptor. Private to fs/.
 */
#ifndef MITHRIL_FS_SOCKET_H
#define MITHRIL_FS_SOCKET_H

/* A listening socket in directory `store`, mode 0600; one that a dead daemon left is replaced (the store's
 * lock is held). */
int socket_listen(const char *store, int *fd);
int socket_connect(const char *store, int *fd);
void socket_remove(const char *store);

#endif
