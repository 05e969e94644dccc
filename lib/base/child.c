/* Processes that work for this one (child.h). */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/system.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* then it is the program that ignores SIGPIPE */
#endif

int child_start(struct child *c, int number, void (*run)(void *context, int fd), void *context,
                struct err *e)
{
    int ends[2];
    pid_t parent = getpid();
    *c = (struct child){0};
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        return err_set(e, ERR_MEMORY, NULL, "a socket to a process: %s", err_system(errno));
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGPIPE, SIG_IGN); /* that this end is alone is an error like any other */
        system_close_from(STDERR_FILENO + 1, ends[1]);
        system_follow(parent, number);
        run(context, ends[1]);
        _exit(0);
    }
    int failed = errno;
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return err_set(e, ERR_MEMORY, NULL, "starting a process: %s", err_system(failed));
    }
    *c = (struct child){pid, ends[0]};
    return 0;
}

int child_end(struct child *c)
{
    int status = 0;
    if (!c->pid)
        return 0;
    close(c->fd);
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    c->pid = 0;
    return status;
}

bool child_send(int fd, const void *bytes, size_t count)
{
    const char *at = bytes;
    while (count > 0) {
        ssize_t sent = send(fd, at, count, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        at += sent;
        count -= (size_t)sent;
    }
    return true;
}

bool child_receive(int fd, void *bytes, size_t count)
{
    char *at = bytes;
    while (count > 0) {
        ssize_t got = recv(fd, at, count, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        count -= (size_t)got;
    }
    return true;
}
