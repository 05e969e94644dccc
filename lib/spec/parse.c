/* Parsing YAML into node trees; the only file that sees libyaml. */
#include "spec/node.h"

#include <string.h>
#include <yaml.h>

/* ---- bytes ------------------------------------------------------------------------------------*/

/* Length of the UTF-8 sequence at s that YAML allows in a document, 0 if there is none. */
static size_t character_length(const unsigned char *s, size_t left)
{
    unsigned c = s[0];
    size_t length = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : (c & 0xf0) == 0xe0 ? 3
                  : c >= 0xf0 && c < 0xf5 ? 4 : 0;
    if (length == 0 || length > left)
        return 0;
    if (length == 1)
        return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c != 0x7f);
    unsigned code = c & (0xffu >> (length + 1));
    for (size_t k = 1; k < length; k++) {
        if ((s[k] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (s[k] & 0x3fu);
    }
    bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
    bool control = code < 0xa0 && code != 0x85;
    bool noncharacter = (code >= 0xd800 && code < 0xe000) || code == 0xfffe || code == 0xffff ||
                        code == 0xfeff;
    return overlong || control || noncharacter || code > 0x10ffff ? 0 : length;
}

static int check_bytes(const char *source, const char *bytes, size_t count, struct err *e)
{
    struct node at = {.source = source, .line = 1, .column = 1};
    if (count > NODE_BYTES_MAX)
        return node_error(&at, e, "%zu bytes are too many for a spec; expected at most %d", count,
                          NODE_BYTES_MAX);
    const unsigned char *s = (const unsigned char *)bytes;
    for (size_t k = 0; k < count;) {
        size_t length = character_length(s + k, count - k);
        if (length == 0)
            return node_error(&at, e, "byte 0x%02x is not text; expected YAML in UTF-8", s[k]);
        at.column++;
        if (s[k] == '\n') {
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
