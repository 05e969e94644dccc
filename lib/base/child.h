/* A process that works for this one: it hears and answers through one socket, ends with this one,
 * and holds nothing else open of what this one has: no lock, no other child's socket. */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct child {
    pid_t pid; /* 0: none */
    int fd;    /* this process's end of the socket */
};
/* Forks.  The child gets signal `number` when this process has ended, calls run with its own end of
 * the socket and exits.  ERR_MEMORY when there are no more processes or descriptors. */
int child_start(struct child *c, int number, void (*run)(void *context, int fd), void *context,
                struct err *e);
/* Closes the socket, waits for the child and returns its status as waitpid gives it; 0 for none. */
int child_end(struct child *c);
/* Sends, or receives, all `count` bytes.  false: the other side has ended. */
bool child_send(int fd, const void *bytes, size_t count);
bool child_receive(int fd, void *bytes, size_t count);

#endif
