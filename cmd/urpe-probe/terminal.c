/* Standard output and signals. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "command.h"

enum { WIDTH_DEFAULT = 80, WIDTH_MAX = 1000 };

int terminal_width(void) {
    struct winsize size;
    int64_t width = 0;
    const char *columns = getenv("COLUMNS");
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        width = size.ws_col;
    else if (columns && !text_to_int64(columns, &width))
        width = 0;
    if (width < WIDTH_DEFAULT) return WIDTH_DEFAULT;
    return width > WIDTH_MAX ? WIDTH_MAX : (int)width;
}

static int put_error(struct err *e) {
    return err_set(e, ERR_IO, "standard output", "%s", err_system(errno));
}

int terminal_put(const struct text *t, struct err *e) {
    int code = text_check(t, e);
    if (code) return code;
    if (fwrite(t->data, 1, t->length, stdout) != t->length) return put_error(e);
    return 0;
}

int terminal_finish(struct err *e) {
    bool failed = ferror(stdout) != 0;
    if (fclose(stdout) != 0 || failed) return put_error(e);
    return 0;
}

/* A handler can reach nothing but static storage; this is the only variable of its kind. */
static volatile int last_signal;

static void note_signal(int number) { last_signal = number; }

void terminal_watch_signals(void) {
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

volatile const int *terminal_signal(void) { return &last_signal; }
