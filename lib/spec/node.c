/* Node trees: places, messages, comparison, editing, writing, and parsing; the only file that sees
 * libyaml.  Invariant: what node_write writes, node_parse reads back to a tree that node_same calls
 * equal. */
#include "spec/node.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

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
    return out;
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

int node_walk(struct node **map, const char *path, bool *whole)
{
    struct node *here = *map;
    int found = -1;
    *whole = false;
    while (here->type == NODE_MAP && !*whole) {
        size_t length = strcspn(path, ".");
        int child = 0;
        while (child < here->count && (strncmp(here->key[child]->text, path, length) != 0 ||
                                       here->key[child]->text[length]))
            child++;
        if (child == here->count)
            break;
        *map = here;
        found = child;
        *whole = !path[length];
        here = here->item[child];
        path += length + !*whole;
    }
    return found;
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

/* Words that YAML 1.1 takes for true and false. */
static const char *const old_words[] = {"y",   "Y",   "yes", "Yes", "YES", "on",  "On", "ON",
                                        "n",   "N",   "no",  "No",  "NO",  "off", "Off", "OFF", NULL};

/* By every reader, of YAML 1.1 or 1.2. */
static bool reads_as_text(const char *s)
{
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                               "0123456789_.-";
    double ignored;
    if (!*s || strchr("0123456789.-", *s) || strspn(s, safe) != strlen(s))
        return false;
    return !is_word(s, bool_words) && !is_word(s, null_words) && !is_word(s, old_words) &&
           !text_to_double(s, &ignored);
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

void node_write_number(struct text *t, double value)
{
    char number[TEXT_NUMBER_MAX];
    const char *s = text_from_double_short(number, value);
    size_t mantissa = strcspn(s, "e");
    if (!isfinite(value))
        text_append_format(t, "%s.%s", *s == '-' ? "-" : "", isnan(value) ? "nan" : "inf");
    else if (s[mantissa] && !memchr(s, '.', mantissa))
        text_append_format(t, "%.*s.0%s", (int)mantissa, s, s + mantissa);
    else
        text_append(t, s);
}

/* Whether all readers take it for the same number: 0x10, 010 and 1e5 are not one thing to all. */
static bool reads_as_number(const char *s)
{
    s += *s == '-';
    size_t whole = strspn(s, "0123456789");
    if (!whole || (whole > 1 && *s == '0'))
        return false;
    s += whole;
    bool point = *s == '.';
    s += point ? 1 + strspn(s + 1, "0123456789") : 0;
    return !*s || (point && *s == 'e' && (s[1] == '-' || s[1] == '+'));
}

/* A number as it was given, if that will do. */
static void write_number(struct text *t, const char *s, double value)
{
    int64_t whole;
    if (reads_as_number(s))
        text_append(t, s);
    else if (text_to_int64(s, &whole))
        text_append_format(t, "%lld", (long long)whole);
    else
        node_write_number(t, value);
}

static void write_scalar(struct text *t, const struct node *n)
{
    double number;
    bool truth;
    if (node_is_bool(n, &truth))
        text_append(t, truth ? "true" : "false");
    else if (n->plain && text_to_double(n->text, &number))
        write_number(t, n->text, number);
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

/* ---- bytes ------------------------------------------------------------------------------------*/

/* Length of the UTF-8 sequence at s that YAML allows in a document, 0 if there is none. */
static size_t character_length(const char *s, size_t left)
{
    char here[5] = ""; /* what follows the end is not looked at */
    memcpy(here, s, left < 4 ? left : 4);
    if (strchr("\t\n\r", here[0]) && here[0])
        return 1;
    if (!strncmp(here, "\xc2\x85", 2)) /* a line end, of the controls that are not ASCII the only one */
        return 2;
    return strncmp(here, "\xef\xbb\xbf", 3) ? (size_t)text_character(here) : 0;
}

static int check_bytes(const char *source, const char *bytes, size_t count, struct err *e)
{
    struct node at = {.source = source, .line = 1, .column = 1};
    if (count > NODE_BYTES_MAX)
        return node_error(&at, e, "%zu bytes are too many for a spec; expected at most %d", count,
                          NODE_BYTES_MAX);
    for (size_t k = 0; k < count;) {
        size_t length = character_length(bytes + k, count - k);
        if (length == 0)
            return node_error(&at, e, "byte 0x%02x is not text; expected YAML in UTF-8", (unsigned char)bytes[k]);
        at.column++;
        if (bytes[k] == '\n') {
            at.line++;
            at.column = 1;
        }
        k += length;
    }
    return 0;
}

/* ---- parsing ----------------------------------------------------------------------------------*/

struct reader {
    yaml_parser_t yaml;
    yaml_event_t event; /* the one at hand */
    const char *source, *bytes;
    size_t size;
    struct arena *arena;
    struct err *e;
};

static struct node at_mark(const struct reader *r, yaml_mark_t mark)
{
    return (struct node){.source = r->source, .line = (int)mark.line + 1,
                         .column = (int)mark.column + 1};
}

/* The byte that a mark points at, and its place; -1 and the end of the text when it lies beyond,
 * for libyaml counts a line more after an unfinished last one. */
static int byte_at(const struct reader *r, yaml_mark_t mark, struct node *at)
{
    size_t k = 0, line = 0, column = 0;
    for (; k < r->size && (line < mark.line || column < mark.column); k++) {
        bool end = r->bytes[k] == '\n';
        line += end;
        column = end ? 0 : column + (((unsigned char)r->bytes[k] & 0xc0) != 0x80);
    }
    at->line = (int)line + 1;
    at->column = (int)column + 1;
    return k < r->size ? (unsigned char)r->bytes[k] : -1;
}

static int syntax_error(struct reader *r)
{
    const yaml_parser_t *p = &r->yaml;
    struct node at = at_mark(r, p->problem_mark);
    if (p->error == YAML_MEMORY_ERROR)
        return err_set(r->e, ERR_MEMORY, r->source, "out of memory while reading YAML");
    if (byte_at(r, p->problem_mark, &at) == '\t')
        return node_error(&at, r->e, "a tab where YAML allows none; expected spaces");
    bool set = !strncmp(r->source, "--set ", 6);
    return node_error(&at, r->e, "not valid YAML: %s%s%s; expected %s",
                      p->problem ? p->problem : "unreadable", p->context ? " " : "",
                      p->context ? p->context : "",
                      set ? "KEY=VALUE with a value such as 8, t5, [t5, alibi] or {kind: t5}"
                          : "a map such as target: gain");
}

/* Anchors and tags give YAML a second meaning that a spec does not need, and aliases can make a
 * small file enormous: none of them is allowed. */
static int refuse_extras(struct reader *r)
{
    const yaml_event_t *event = &r->event;
    struct node at = at_mark(r, event->start_mark);
    const void *anchor = NULL, *tag = NULL;
    if (event->type == YAML_ALIAS_EVENT)
        return node_error(&at, r->e, "an alias (*name); expected the value itself, written out");
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    if (anchor)
        return node_error(&at, r->e, "an anchor (&name); expected the value itself, written out");
    if (tag)
        return node_error(&at, r->e, "a tag (!name); expected a value without one");
    return 0;
}

static int next_event(struct reader *r)
{
    yaml_event_delete(&r->event);
    return yaml_parser_parse(&r->yaml, &r->event) ? refuse_extras(r) : syntax_error(r);
}

static int read_scalar(struct reader *r, struct node **out)
{
    size_t length = r->event.data.scalar.length;
    struct node at = at_mark(r, r->event.start_mark);
    if (memchr(r->event.data.scalar.value, 0, length))
        return node_error(&at, r->e, "a text with a NUL character; expected text without");
    struct node *n = arena_alloc(r->arena, 1, sizeof *n + length + 1, r->e);
    if (!n)
        return ERR_MEMORY;
    char *text = (char *)(n + 1);
    memcpy(text, r->event.data.scalar.value, length);
    *n = at;
    n->type = NODE_SCALAR;
    n->plain = r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    n->text = text;
    *out = n;
    return 0;
}

static int read_key(struct reader *r, const struct node *map, struct node **out)
{
    struct node at = at_mark(r, r->event.start_mark);
    char shown[NODE_SHOWN];
    if (r->event.type != YAML_SCALAR_EVENT)
        return node_error(&at, r->e, "%s as a key; expected a name",
                          r->event.type == YAML_SEQUENCE_START_EVENT ? "a list" : "a map");
    int code = read_scalar(r, out), before = code ? -1 : node_find(map, (*out)->text);
    if (before >= 0)
        return node_error(*out, r->e, "%s: duplicate key, given in line %d already; expected one",
                          node_show(*out, shown), map->key[before]->line);
    if (!code && map->count == NODE_MAP_MAX)
        return node_error(*out, r->e, "too many keys in one map; expected at most %d",
                          NODE_MAP_MAX);
    return code ? code : next_event(r);
}

/* The node that begins with the event at hand, which is then its last.  Recursion is bounded by
 * NODE_DEPTH_MAX. */
static int read_node(struct reader *r, int depth, struct node **out)
{
    struct node at = at_mark(r, r->event.start_mark), *key = NULL, *item;
    if (r->event.type == YAML_SCALAR_EVENT)
        return read_scalar(r, out);
    bool map = r->event.type == YAML_MAPPING_START_EVENT;
    if (depth == NODE_DEPTH_MAX)
        return node_error(&at, r->e, "nested too deeply; expected at most %d levels",
                          NODE_DEPTH_MAX);
    struct node *n = *out = node_new(map ? NODE_MAP : NODE_LIST, &at, r->arena, r->e);
    int code = n ? next_event(r) : ERR_MEMORY;
    while (!code && r->event.type != YAML_SEQUENCE_END_EVENT &&
           r->event.type != YAML_MAPPING_END_EVENT) {
        code = map ? read_key(r, n, &key) : 0;
        if (!code)
            code = read_node(r, depth + 1, &item);
        if (!code)
            code = node_append(n, key, item, r->arena, r->e);
        if (!code)
            code = next_event(r);
    }
    return code;
}

static int read_stream(struct reader *r, struct node **out)
{
    int code = 0, documents = 0;
    while (!code && !(code = next_event(r)) && r->event.type != YAML_STREAM_END_EVENT) {
        struct node at = at_mark(r, r->event.start_mark);
        if (r->event.type == YAML_DOCUMENT_START_EVENT && documents++)
            code = node_error(&at, r->e, "a second document; expected one");
        else if (r->event.type == YAML_SCALAR_EVENT ||
                 r->event.type == YAML_SEQUENCE_START_EVENT ||
                 r->event.type == YAML_MAPPING_START_EVENT)
            code = read_node(r, 0, out);
    }
    return code;
}

int node_parse(struct node **out, const char *source, const char *bytes, size_t count,
               struct arena *arena, struct err *e)
{
    struct reader r = {.source = source, .bytes = bytes, .size = count, .arena = arena, .e = e};
    struct node *root = NULL;
    *out = NULL;
    if (count >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3)) { /* a byte order mark says nothing */
        r.bytes += 3;
        r.size -= 3;
    }
    int code = check_bytes(source, r.bytes, r.size, e);
    if (code)
        return code;
    if (!yaml_parser_initialize(&r.yaml))
        return err_set(e, ERR_MEMORY, source, "out of memory while reading YAML");
    yaml_parser_set_encoding(&r.yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.yaml, (const unsigned char *)r.bytes, r.size);
    code = read_stream(&r, &root);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.yaml);
    if (code == 0)
        *out = root;
    return code;
}
