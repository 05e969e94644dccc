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

enum { WIDTH_DEFAULT = 80, WIDTH_MAX = 1000 };

int terminal_width(void)
{
    struct winsize size;
    int64_t width = 0;
    const char *columns = getenv("COLUMNS");
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        width = size.ws_col;
    else if (columns && !text_to_int64(columns, &width))
        width = 0;
    if (width < WIDTH_DEFAULT)
        return WIDTH_DEFAULT;
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

static void note_signal(int number) { last_signal = number; }

void terminal_watch_signals(void)
{
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

volatile const int *terminal_signal(void) { return &last_signal; }
