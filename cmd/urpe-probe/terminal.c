/* Standard output and signals. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "command.h"

enum { WIDTH_DEFAULT = 80, WIDTH_MIN = 40, WIDTH_MAX = 1000, GRACE_SECONDS = 3 };

int terminal_width(void)
{
    struct winsize size;
    int64_t width = 0;
    const char *columns = getenv("COLUMNS");
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        width = size.ws_col;
    else if (columns && !text_to_int64(columns, &width))
        width = 0;
    if (width <= 0)
        return WIDTH_DEFAULT;
    if (width < WIDTH_MIN)
        return WIDTH_MIN;
    return width > WIDTH_MAX ? WIDTH_MAX : (int)width;
}

/* The locale's name tells its character set; the locale itself stays "C", whose decimal point is a
 * point. */
static bool is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        const char *value = getenv(names[k]);
        if (!value || !*value)
            continue;
        const char *set = strchr(value, '.');
        return set && (strncasecmp(set, ".utf-8", 6) == 0 || strncasecmp(set, ".utf8", 5) == 0);
    }
    return false;
}

static bool wants_colour(const struct arguments *a, FILE *out)
{
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
    if (a->color != COLOR_AUTO)
        return a->color == COLOR_ALWAYS;
    return isatty(fileno(out)) && !(none && *none) && !(term && strcmp(term, "dumb") == 0);
}

struct report_screen terminal_screen(const struct arguments *a, FILE *out)
{
    return (struct report_screen){.width = terminal_width(),
                                  .colour = wants_colour(a, out),
                                  .unicode = is_utf8()};
}

static int put_error(struct err *e)
{
    return err_set(e, ERR_IO, "standard output", "%s", err_system(errno));
}

int terminal_put(struct text *t, struct err *e)
{
    int code = text_check(t, e);
    if (code)
        return code;
    if (isatty(STDOUT_FILENO))
        text_show(stdout, t);
    else if (fwrite(t->data, 1, t->length, stdout) != t->length)
        return put_error(e);
    return 0;
}

int terminal_finish(struct err *e)
{
    bool failed = ferror(stdout) != 0;
    if (fclose(stdout) != 0 || failed)
        return put_error(e);
    return 0;
}

/* A handler can reach nothing but static storage; this is the only variable of its kind. */
static volatile int last_signal;

/* From the first signal on there are GRACE_SECONDS to end in order: what does not look at the flag in
 * that time dies of the alarm, a worker at once. */
static void note_signal(int number)
{
    unsigned left = alarm(GRACE_SECONDS);
    if (left && left < GRACE_SECONDS)
        alarm(left);
    last_signal = number;
}

/* Here the first ring may have been for workers, whose end is still to be written down. */
static void ring(int number)
{
    static const char words[] = "urpe-probe: interrupted\n";
    static volatile int rung;
    if (!rung++) {
        alarm(1);
        return;
    }
    ssize_t written = write(STDERR_FILENO, words, sizeof words - 1);
    (void)written;
    _exit(SIGNAL_STATUS + last_signal);
}

static void handle(int number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags}, before;
    sigemptyset(&action.sa_mask);
    /* nohup and the like have their way */
    if (sigaction(number, NULL, &before) == 0 && (number != SIGHUP || before.sa_handler != SIG_IGN))
        sigaction(number, &action, NULL);
}

void terminal_watch_signals(void)
{
    handle(SIGINT, note_signal, (int)SA_RESETHAND);
    handle(SIGTERM, note_signal, (int)SA_RESETHAND);
    handle(SIGHUP, note_signal, (int)SA_RESETHAND);
    handle(SIGALRM, ring, 0);
}

volatile const int *terminal_signal(void) { return &last_signal; }
