/* The progress line:  3/30  gain urpe seed 0: step 1200/2000, error_rel 0.0312; 1:42 left */
#include "run/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PROGRESS_REDRAW 0.1
enum { LINE_SIZE = 512 };

void progress_open(struct progress *p, FILE *out)
{
    const char *term = getenv("TERM");
    bool redraws = out && isatty(fileno(out)) && !(term && strcmp(term, "dumb") == 0);
    *p = (struct progress){.out = redraws ? out : NULL};
}

static int terminal_width(FILE *out)
{
    struct winsize size;
    if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

static void append_time(char *line, size_t size, double seconds)
{
    size_t used = strlen(line);
    if (isnan(seconds) || seconds < 0 || seconds > 1e8)
        return;
    long s = (long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(line + used, size - used, "; %ld:%02ld:%02ld left", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(line + used, size - used, "; %ld:%02ld left", s / 60, s % 60);
}

static bool is_due(const struct progress *p)
{
    return p->out && !(p->visible && machine_seconds() - p->drawn < PROGRESS_REDRAW);
}

static void draw(struct progress *p, char line[LINE_SIZE], double seconds_left)
{
    append_time(line, LINE_SIZE, seconds_left);
    fprintf(p->out, "\r%.*s\x1b[K", terminal_width(p->out) - 1, text_clean(line, false));
    fflush(p->out);
    p->drawn = machine_seconds();
    p->visible = true;
}

void progress_draw(struct progress *p, int done, int cells, const char *label,
                   const struct cell_progress *c, double seconds_left)
{
    char line[LINE_SIZE], error[40] = "";
    if (!is_due(p))
        return;
    if (!isnan(c->error_rel))
        snprintf(error, sizeof error, ", error_rel %.3g", c->error_rel);
    snprintf(line, sizeof line, "%d/%d  %.300s: step %lld/%lld%s", done, cells, label,
             (long long)c->step, (long long)c->steps, error);
    draw(p, line, seconds_left);
}

void progress_draw_cells(struct progress *p, int done, int cells, double seconds_left)
{
    char line[LINE_SIZE];
    if (!is_due(p))
        return;
    snprintf(line, sizeof line, "%d/%d cells", done, cells);
    draw(p, line, seconds_left);
}

void progress_clear(struct progress *p)
{
    if (!p->out || !p->visible)
        return;
    fputs("\r\x1b[K", p->out);
    fflush(p->out);
    p->visible = false;
}
