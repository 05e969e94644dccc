/* Graphs from a file of edge lists (graph.h). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/named_file.h"
#include "space/graph.h"

/* A file is read again for every cell. */
enum { GRAPH_FILE_BYTES_MAX = 1 << 23 };

struct reader {
    const char *path;
    int line;
    struct graph_file *file;
    int32_t *pair; /* of all graphs, one after the other */
    int pairs;
    bool sized; /* the graph at hand has a line of its own */
    struct err *e;
};

static int wrong(const struct reader *r, const char *what, const char *expected)
{
    return err_set(r->e, ERR_USAGE, "space.file", "%s:%d: %s; expected %s", r->path, r->line, what,
                   expected);
}

/* The next word of the line, NUL-terminated; NULL: there is none. */
static char *next_word(char **rest)
{
    char *s = *rest;
    while (isspace((unsigned char)*s))
        s++;
    char *word = s;
    while (*s && !isspace((unsigned char)*s))
        s++;
    *rest = *s ? s + 1 : s;
    *s = '\0';
    return *word ? word : NULL;
}

/* A number from low to high without a sign; -1: it is none. */
static int number_of(const char *word, int low, int high)
{
    char *end;
    if (!word || !isdigit((unsigned char)*word) || strlen(word) > 9)
        return -1;
    long value = strtol(word, &end, 10);
    return *end || value < low || value > high ? -1 : (int)value;
}

static int begin_graph(struct reader *r, const char *size)
{
    int n = number_of(size, 1, GRAPH_NODES_MAX);
    if (n < 0)
        return wrong(r, "no number of nodes", "`graph N`, N from 1 to 1024");
    r->file->graph[r->file->graphs++] =
        (struct graph_of_file){.n = n, .pair = r->pair + 2 * (size_t)r->pairs};
    r->sized = true;
    return 0;
}

static int take_edge(struct reader *r, const char *a, const char *b)
{
    struct graph_file *f = r->file;
    if (!f->graphs)
        f->graph[f->graphs++].pair = r->pair;
    struct graph_of_file *g = &f->graph[f->graphs - 1];
    int high = r->sized ? g->n - 1 : GRAPH_NODES_MAX - 1;
    int i = number_of(a, 0, high), j = number_of(b, 0, high);
    if (i < 0 || j < 0)
        return wrong(r, "no edge", r->sized ? "two nodes, from 0 and below the graph's N"
                                            : "`graph N`, or two nodes from 0 to 1023");
    if (i == j)
        return wrong(r, "an edge that joins a node with itself", "two nodes");
    r->pair[2 * r->pairs] = i;
    r->pair[2 * r->pairs + 1] = j;
    r->pairs++;
    g->edges++;
    if (!r->sized)
        g->n = i >= g->n ? i + 1 : g->n;
    if (!r->sized)
        g->n = j >= g->n ? j + 1 : g->n;
    return 0;
}

static int read_line(struct reader *r, char *line)
{
    line[strcspn(line, "#")] = '\0';
    char *first = next_word(&line), *second = first ? next_word(&line) : NULL;
    if (!first)
        return 0;
    if (second && next_word(&line))
        return wrong(r, "more than two words", "an edge, two nodes from 0, or `graph N`");
    return strcmp(first, "graph") ? take_edge(r, first, second) : begin_graph(r, second);
}

static int read_lines(struct reader *r, char *text, size_t count)
{
    int code = 0;
    if (memchr(text, '\0', count)) {
        r->line = 1;
        return wrong(r, "a NUL byte", "text");
    }
    for (char *end; text && !code; text = end) {
        end = strchr(text, '\n');
        if (end)
            *end++ = '\0';
        r->line++;
        code = read_line(r, text);
    }
    if (!code && !r->file->graphs)
        code = wrong(r, "the file has no graph", "lines of two nodes, or `graph N`");
    return code;
}

int graph_file_open(struct graph_file *f, const char *value, struct arena *arena, struct err *e)
{
    char *text = NULL;
    size_t count, lines = 1;
    *f = (struct graph_file){0};
    struct err cause = {0};
    if (named_file_read(value, &text, &count, &cause))
        return err_set(e, cause.code == ERR_MEMORY ? ERR_MEMORY : ERR_USAGE, "space.file",
                       "%s: %s; expected the file that the spec names", cause.where, cause.msg);
    if (count > GRAPH_FILE_BYTES_MAX) {
        memory_free(text);
        return err_set(e, ERR_USAGE, "space.file", "%s has %zu bytes; expected at most %d",
                       named_file_path(value), count, GRAPH_FILE_BYTES_MAX);
    }
    for (size_t k = 0; k < count; k++)
        lines += text[k] == '\n';
    struct reader r = {.path = named_file_path(value), .file = f, .e = e};
    f->graph = arena_alloc(arena, lines, sizeof *f->graph, e);
    r.pair = arena_alloc(arena, lines, 2 * sizeof *r.pair, e);
    int code = ERR_MEMORY;
    if (f->graph && r.pair)
        code = read_lines(&r, text, count);
    memory_free(text);
    for (int k = 0; k < f->graphs && !code; k++)
        f->largest = f->graph[k].n > f->largest ? f->graph[k].n : f->largest;
    return code;
}
