/* Starting gnuplot.  Invariant: the child gets no standard input and none of our output; what it
 * says is kept for the message only. */
#include "report/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { SAID_MAX = 200, LINE_MAX_BYTES = 240 };

void gnuplot_string(struct text *out, const char *s)
{
    text_append(out, "'");
    for (; *s; s++) {
        char c = (unsigned char)*s < 0x20 ? ' ' : *s;
        if (c == '\'')
            text_append(out, "'");
        text_append_bytes(out, &c, 1);
    }
    text_append(out, "'");
}

int gnuplot_lines(struct text *out, const char *s, int room)
{
    char line[LINE_MAX_BYTES + 1];
    int lines = 1;
    if (room > LINE_MAX_BYTES)
        room = LINE_MAX_BYTES;
    while (strlen(s) > (size_t)room) {
        int length = room;
        while (length && s[length] != ' ')
            length--;
        if (!length)
            break; /* one long word */
        snprintf(line, sizeof line, "%.*s", length, s);
        gnuplot_string(out, line);
        text_append(out, " . \"\\n\" . ");
        s += length + 1;
        lines++;
    }
    gnuplot_string(out, s);
    return lines;
}

static int spawn_gnuplot(const char *script, const char *output, bool png, int said,
                         pid_t *child)
{
    char *argument[6];
    const char *const given[] = {"gnuplot", "-c", script, output, png ? "png" : NULL, NULL};
    posix_spawn_file_actions_t actions;
    memcpy(argument, given, sizeof argument); /* posix_spawnp takes, but keeps, non-const texts */
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed)
        return failed;
    failed = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!failed)
        failed = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    if (!failed)
        failed = posix_spawn_file_actions_adddup2(&actions, said, 2);
    if (!failed)
        failed = posix_spawnp(child, "gnuplot", &actions, NULL, argument, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

/* Reads all that comes, so that the child never waits, and keeps the first line. */
static void first_line(int from, char said[SAID_MAX])
{
    char piece[512];
    size_t kept = 0;
    for (;;) {
        ssize_t count = read(from, piece, sizeof piece);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            break;
        for (ssize_t k = 0; k < count && kept < SAID_MAX - 1; k++)
            if (piece[k] != '\n' || kept)
                said[kept++] = piece[k];
    }
    said[kept] = '\0';
    said[strcspn(said, "\n")] = '\0';
}

int gnuplot_run(const char *script, const char *output, bool png, bool *drawn, char *why,
                size_t why_size, struct err *e)
{
    int ends[2], status = 0;
    pid_t child;
    char said[SAID_MAX] = "";
    *drawn = false;
    if (pipe(ends) != 0)
        return err_set(e, ERR_IO, "gnuplot", "%s", err_system(errno));
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    int failed = spawn_gnuplot(script, output, png, ends[1], &child);
    close(ends[1]);
    if (!failed)
        first_line(ends[0], said);
    close(ends[0]);
    while (!failed && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    /* Where the system cannot report it otherwise, a child that found no program exits with 127. */
    bool absent = failed == ENOENT || failed == EACCES ||
                  (!failed && WIFEXITED(status) && WEXITSTATUS(status) == 127);
    if (absent)
        snprintf(why, why_size, "gnuplot is not installed, so no figures were drawn (Debian: apt "
                                "install gnuplot-nox)");
    else if (failed)
        snprintf(why, why_size, "gnuplot could not be started: %s", err_system(failed));
    else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        snprintf(why, why_size, "gnuplot failed on %s: %s", script, said);
    else
        *drawn = true;
    return 0;
}
