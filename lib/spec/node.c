/* Node trees: places, messages, comparison, editing, writing.  Invariant: what node_write writes,
 * node_parse reads back to a tree that node_same calls equal. */
#include "spec/node.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- scalars ----------------------------------------------------------------------------------*/

static bool is_word(const char *s, const char *const *words)
{
    while (*words && strcmp(s, *words) != 0)
        words++;
    return *words != NULL;
}

static const char *const bool_words[] = {"true", "True", "TRUE", "false", "False", "FALSE", NULL};
static const char *const null_words[] = {"", "~", "null", "Null", "NULL", NULL};

bool node_is_null(const struct node *n)
{
    return n->type == NODE_SCALAR && n->plain && is_word(n->text, null_words);
}

bool node_is_bool(const struct node *n, bool *value)
{
    *value = n->text && (n->text[0] == 't' || n->text[0] == 'T');
    return n->type == NODE_SCALAR && n->plain && is_word(n->text, bool_words);
}

/* ---- places and messages ----------------------------------------------------------------------*/

void node_place(const struct node *n, char *out, size_t size)
{
    size_t length = strlen(n->source), room = size > 32 ? size - 32 : 0;
    bool cut = length > room;
    snprintf(out, size, "%s%s:%d:%d", cut ? "..." : "", n->source + (cut ? length - room + 3 : 0),
             n->line, n->column);
}

int node_error(const struct node *n, struct err *e, const char *fmt, ...)
{
    struct err made = {0};
    va_list args;
    va_start(args, fmt);
    vsnprintf(made.msg, sizeof made.msg, fmt, args);
    va_end(args);
    node_place(n, made.where, sizeof made.where);
    return err_set(e, ERR_USAGE, made.where, "%s", made.msg);
}

const char *node_show(const struct node *n, char out[NODE_SHOWN])
{
    if (n->type != NODE_SCALAR)
        return n->type == NODE_LIST ? "a list" : "a map";
    if (node_is_null(n))
        return "empty";
    size_t length = strlen(n->text);
    const char *quote = n->plain ? "" : "\"";
    snprintf(out, NODE_SHOWN, "%s%.48s%s%s", quote, n->text, length > 48 ? "..." : "", quote);
    return node_clean(out);
}

char *node_clean(char *text)
{
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    return text;
}

/* ---- trees ------------------------------------------------------------------------------------*/

struct node *node_new(enum node_type type, const struct node *place, struct arena *arena,
                      struct err *e)
{
    struct node *n = arena_alloc(arena, 1, sizeof *n, e);
    if (n)
        *n = (struct node){.type = type, .source = place->source, .line = place->line,
                           .column = place->column, .text = ""};
    return n;
}

int node_find(const struct node *map, const char *key)
{
    for (int k = 0; k < map->count; k++)
        if (!strcmp(map->key[k]->text, key))
            return k;
    return -1;
}

void node_remove(struct node *n, int index)
{
    size_t after = (size_t)(n->count - index - 1);
    memmove(n->item + index, n->item + index + 1, after * sizeof *n->item);
    if (n->key)
        memmove(n->key + index, n->key + index + 1, after * sizeof *n->key);
    n->count--;
}

/* Arrays have room for the next power of two at least, so one that has just reached it is full. */
int node_append(struct node *n, struct node *key, struct node *item, struct arena *arena,
                struct err *e)
{
    size_t count = (size_t)n->count, room = count ? 2 * count : 1;
    if ((count & (count - 1)) == 0) {
        struct node **items = arena_alloc(arena, room, sizeof *items, e);
        struct node **keys = key ? arena_alloc(arena, room, sizeof *keys, e) : NULL;
        if (!items || (key && !keys))
            return ERR_MEMORY;
        if (count)
            memcpy(items, n->item, count * sizeof *items);
        if (count && key)
            memcpy(keys, n->key, count * sizeof *keys);
        n->item = items;
        n->key = keys;
    }
    n->item[count] = item;
    if (key)
        n->key[count] = key;
    n->count++;
    return 0;
}

int node_put(struct node *map, const char *key, struct node *value, struct arena *arena,
             struct err *e)
{
    int found = node_find(map, key);
    struct node *name = node_new(NODE_SCALAR, value, arena, e);
    if (!name || !(name->text = arena_text(arena, key, e)))
        return ERR_MEMORY;
    name->plain = true;
    if (found < 0)
        return node_append(map, name, value, arena, e);
    map->key[found] = name;
    map->item[found] = value;
    return 0;
}

static bool scalar_same(const struct node *a, const struct node *b)
{
    double x, y;
    if (a->plain && b->plain && text_to_double(a->text, &x) && text_to_double(b->text, &y))
        return x == y;
    return !strcmp(a->text, b->text);
}

/* Recursion is bounded by NODE_DEPTH_MAX. */
bool node_same(const struct node *a, const struct node *b)
{
    if (a->type != b->type)
        return false;
    if (a->type == NODE_SCALAR)
        return scalar_same(a, b);
    if (a->count != b->count)
        return false;
    for (int k = 0; k < a->count; k++) {
        int other = a->type == NODE_MAP ? node_find(b, a->key[k]->text) : k;
        if (other < 0 || !node_same(a->item[k], b->item[other]))
            return false;
    }
    return true;
}

/* ---- writing ----------------------------------------------------------------------------------*/

static bool reads_as_text(const char *s)
{
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                               "0123456789_.-";
    double ignored;
    if (!*s || strchr("0123456789.-", *s) || strspn(s, safe) != strlen(s))
        return false;
    return !is_word(s, bool_words) && !is_word(s, null_words) && !text_to_double(s, &ignored);
}

/* YAML takes these for the ends of lines, even within quotes. */
static const struct {
    const char *bytes, *escape;
} line_ends[] = {{"\xc2\x85", "\\N"}, {"\xe2\x80\xa8", "\\L"}, {"\xe2\x80\xa9", "\\P"}};

/* Appends one character of a quoted scalar and returns how many bytes it had. */
static size_t write_character(struct text *t, const char *s)
{
    unsigned char c = (unsigned char)*s;
    for (size_t k = 0; k < sizeof line_ends / sizeof line_ends[0]; k++) {
        size_t length = strlen(line_ends[k].bytes);
        if (!strncmp(s, line_ends[k].bytes, length)) {
            text_append(t, line_ends[k].escape);
            return length;
        }
    }
    if (c == '"' || c == '\\')
        text_append_format(t, "\\%c", c);
    else if (c < 0x20 || c == 0x7f)
        text_append_format(t, "\\x%02x", c);
    else
        text_append_bytes(t, s, 1);
    return 1;
}

void node_write_text(struct text *t, const char *s)
{
    if (reads_as_text(s)) {
        text_append(t, s);
        return;
    }
    text_append(t, "\"");
    while (*s)
        s += write_character(t, s);
    text_append(t, "\"");
}

static void write_scalar(struct text *t, const struct node *n)
{
    double number;
    bool truth;
    if (node_is_bool(n, &truth) || (n->plain && text_to_double(n->text, &number)))
        text_append(t, n->text);
    else if (node_is_null(n))
        text_append(t, "null");
    else
        node_write_text(t, n->text);
}

/* Recursion is bounded by NODE_DEPTH_MAX. */
void node_write(struct text *t, const struct node *n)
{
    if (n->type == NODE_SCALAR) {
        write_scalar(t, n);
        return;
    }
    text_append(t, n->type == NODE_LIST ? "[" : "{");
    for (int k = 0; k < n->count; k++) {
        text_append(t, k ? ", " : "");
        if (n->type == NODE_MAP) {
            node_write_text(t, n->key[k]->text);
            text_append(t, ": ");
        }
        node_write(t, n->item[k]);
    }
    text_append(t, n->type == NODE_LIST ? "]" : "}");
}
