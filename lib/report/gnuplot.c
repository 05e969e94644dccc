/* Starting gnuplot.  Invariant: the child gets no file by name and no terminal; what it says is kept
 * for the message only. */
#include "report/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { SAID_MAX = 200, ABSENT = 127 };

/* ---- text in scripts --------------------------------------------------------------------------*/
/* At most `count` bytes of s. */
static void append_quoted(struct text *out, const char *s, size_t count)
{
    text_append(out, "'");
    for (size_t k = 0; k < count && s[k];) {
        int length = text_character(s + k);
        text_append(out, s[k] == '\'' ? "'" : "");
        text_append_bytes(out, length ? s + k : " ", length ? (size_t)length : 1);
        k += length ? (size_t)length : 1;
    }
    text_append(out, "'");
}

void gnuplot_string(struct text *out, const char *s) { append_quoted(out, s, strlen(s)); }

int gnuplot_lines(struct text *out, const char *s, int room)
{
    int lines = 1;
    while (strlen(s) > (size_t)room) {
        int length = room;
        while (length && s[length] != ' ')
            length--;
        if (!length)
            break; /* one long word */
        append_quoted(out, s, (size_t)length);
        text_append(out, " . \"\\n\" . ");
        s += length + 1;
        lines++;
    }
    gnuplot_string(out, s);
    return lines;
}

void gnuplot_row_label(struct text *out, const char *s, int row)
{
    text_append_format(out, "set label %d ", row);
    gnuplot_string(out, s);
    text_append_format(out, " at graph 0, first %d right offset -1,0\n", row);
}

/* ---- running ----------------------------------------------------------------------------------*/
static int spawn_gnuplot(FILE *script, FILE *image, bool png, int said, pid_t *child)
{
    char *argument[7];
    const char *const given[] = {"gnuplot", "-d", "-c", "/dev/stdin", "-", png ? "png" : NULL, NULL};
    posix_spawn_file_actions_t actions;
    memcpy(argument, given, sizeof argument); /* posix_spawnp takes, but keeps, non-const texts */
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed)
        return failed;
    failed = posix_spawn_file_actions_adddup2(&actions, fileno(script), 0);
    if (!failed)
        failed = posix_spawn_file_actions_adddup2(&actions, fileno(image), 1);
    if (!failed)
        failed = posix_spawn_file_actions_adddup2(&actions, said, 2);
    if (!failed)
        failed = posix_spawnp(child, "gnuplot", &actions, NULL, argument, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

/* Reads all that comes, so that the child never waits, and keeps the last line: gnuplot ends with
 * what was wrong. */
static void last_line(int from, char said[SAID_MAX])
{
    char piece[512];
    size_t kept = 0;
    bool ended = false;
    for (;;) {
        ssize_t count = read(from, piece, sizeof piece);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            break;
        for (ssize_t k = 0; k < count; k++) {
            if (piece[k] == '\n') {
                ended = true;
                continue;
            }
            if (ended)
                kept = 0;
            ended = false;
            if (kept < SAID_MAX - 1)
                said[kept++] = (unsigned char)piece[k] < 0x20 ? ' ' : piece[k];
        }
    }
    said[kept] = '\0';
}

/* Runs gnuplot on open files; the last line of what it says into `said` (SAID_MAX). */
static int run_gnuplot(FILE *script, FILE *image, bool png, char *said, bool *absent,
                       struct err *e)
{
    int ends[2], status = 0;
    pid_t child;
    said[0] = '\0';
    if (pipe(ends) != 0)
        return err_set(e, ERR_IO, "gnuplot", "%s", err_system(errno));
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    int failed = spawn_gnuplot(script, image, png, ends[1], &child);
    close(ends[1]);
    if (!failed)
        last_line(ends[0], said);
    close(ends[0]);
    while (!failed && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    /* Where the system cannot report it otherwise, a child that found no program exits with 127. */
    *absent = failed == ENOENT || failed == EACCES ||
              (!failed && WIFEXITED(status) && WEXITSTATUS(status) == ABSENT);
    if (*absent)
        return 0;
    if (failed)
        return err_set(e, ERR_IO, "gnuplot", "could not be started: %s", err_system(failed));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return err_set(e, ERR_IO, "gnuplot", "failed: %s", said);
    return 0;
}

static bool ends_with(const struct text *image, const char *end, size_t count)
{
    size_t length = image->length;
    while (length && image->data[length - 1] == '\n' && end[count - 1] != '\n')
        length--;
    return length >= count && memcmp(image->data + length - count, end, count) == 0;
}

/* gnuplot does not notice a full disk: a picture is whole when it has its end. */
static int read_image(FILE *file, bool png, struct text *image, const char *said, struct err *e)
{
    static const char svg_end[] = "</svg>", png_end[] = "\0\0\0\0IEND\xAE\x42\x60\x82";
    char piece[4096];
    size_t count;
    rewind(file);
    while ((count = fread(piece, 1, sizeof piece, file)) > 0)
        text_append_bytes(image, piece, count);
    if (ferror(file))
        return err_set(e, ERR_IO, "gnuplot", "its picture cannot be read: %s", err_system(errno));
    int code = text_check(image, e);
    if (code)
        return code;
    bool whole = png ? ends_with(image, png_end, sizeof png_end - 1)
                     : ends_with(image, svg_end, sizeof svg_end - 1);
    return whole ? 0
                 : err_set(e, ERR_IO, "gnuplot", "it wrote no whole picture%s%s; is the folder for "
                                                 "temporary files full?", *said ? ": " : "", said);
}

int gnuplot_draw(const struct text *script, bool png, struct text *image, bool *absent,
                 struct err *e)
{
    char said[SAID_MAX];
    FILE *in = tmpfile(), *out = tmpfile();
    int code = 0;
    *absent = false;
    if (!in || !out || fwrite(script->data, 1, script->length, in) != script->length ||
        fflush(in) != 0)
        code = err_set(e, ERR_IO, "gnuplot", "its script cannot be put into a temporary file: %s",
                       err_system(errno));
    if (!code) {
        rewind(in);
        code = run_gnuplot(in, out, png, said, absent, e);
    }
    if (!code && !*absent)
        code = read_image(out, png, image, said, e);
    if (in)
        fclose(in);
    if (out)
        fclose(out);
    return code;
}
