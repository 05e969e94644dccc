/* Starting gnuplot.  Invariant: the child gets no file by name and no terminal; what it says is kept
 * for the message only. */
#include "report/gnuplot.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { SAID_MAX = 200, ABSENT = 127 };

/* ---- text in scripts --------------------------------------------------------------------------*/
void gnuplot_string(struct text *out, const char *s, size_t count)
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

/* ---- running ----------------------------------------------------------------------------------*/
/* stream: what become the child's standard streams. */
static int spawn_gnuplot(FILE *const stream[3], bool png, pid_t *child)
{
    char *argument[7];
    const char *const given[] = {"gnuplot", "-d", "-c", "/dev/stdin", "-", png ? "png" : NULL, NULL};
    posix_spawn_file_actions_t actions;
    memcpy(argument, given, sizeof argument); /* posix_spawnp takes, but keeps, non-const texts */
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed)
        return failed;
    for (int k = 0; !failed && k < 3; k++)
        failed = posix_spawn_file_actions_adddup2(&actions, fileno(stream[k]), k);
    if (!failed)
        failed = posix_spawnp(child, "gnuplot", &actions, NULL, argument, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

/* gnuplot ends with what was wrong. */
static void last_line(FILE *from, char said[SAID_MAX])
{
    char line[SAID_MAX];
    rewind(from);
    said[0] = '\0';
    while (fgets(line, sizeof line, from)) {
        line[strcspn(line, "\n")] = '\0';
        if (*line)
            strcpy(said, line);
    }
}

static int run_gnuplot(FILE *const stream[3], bool png, bool *absent, char said[SAID_MAX],
                       struct err *e)
{
    int status = 0;
    pid_t child;
    int failed = spawn_gnuplot(stream, png, &child);
    while (!failed && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    /* Where the system cannot report it otherwise, a child that found no program exits with 127. */
    *absent = failed == ENOENT || failed == EACCES ||
              (!failed && WIFEXITED(status) && WEXITSTATUS(status) == ABSENT);
    last_line(stream[2], said);
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
    FILE *stream[3] = {tmpfile(), tmpfile(), tmpfile()}; /* its standard ones */
    int code = 0;
    *absent = false;
    if (!stream[0] || !stream[1] || !stream[2] ||
        fwrite(script->data, 1, script->length, stream[0]) != script->length || fflush(stream[0]) != 0)
        code = err_set(e, ERR_IO, "gnuplot", "its script cannot be put into a temporary file: %s",
                       err_system(errno));
    if (!code) {
        rewind(stream[0]);
        code = run_gnuplot(stream, png, absent, said, e);
    }
    if (!code && !*absent)
        code = read_image(stream[1], png, image, said, e);
    for (int k = 0; k < 3; k++)
        if (stream[k])
            fclose(stream[k]);
    return code;
}
