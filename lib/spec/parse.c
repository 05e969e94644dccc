/* Parsing YAML into node trees; the only file that sees libyaml.  Events are read one by one with a
 * stack of open collections, so nothing recurses over the input. */
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

struct frame {
    struct node *node;
    size_t first; /* where its children begin on the stack of pending nodes */
};

struct reader {
    yaml_parser_t yaml;
    const char *source, *bytes;
    size_t size;
    struct arena *arena;
    struct err *e;
    struct frame frame[NODE_DEPTH_MAX];
    int depth;
    struct node **pending; /* children of the open collections; keys and values alternate */
    size_t count;
    struct node *root;
    int documents;
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

static int push(struct reader *r, struct node *n)
{
    if (r->depth == 0) {
        r->root = n;
        return 0;
    }
    if (memory_grow(r->pending, r->count + 1, r->e))
        return ERR_MEMORY;
    const struct frame *f = &r->frame[r->depth - 1];
    bool key = f->node->type == NODE_MAP && (r->count - f->first) % 2 == 0;
    if (key && n->type != NODE_SCALAR)
        return node_error(n, r->e, "%s as a key; expected a name",
                          n->type == NODE_LIST ? "a list" : "a map");
    char shown[NODE_SHOWN];
    for (size_t k = f->first; key && k < r->count; k += 2)
        if (!strcmp(r->pending[k]->text, n->text))
            return node_error(n, r->e, "%s: duplicate key, given in line %d already; expected one",
                              node_show(n, shown), r->pending[k]->line);
    r->pending[r->count++] = n;
    if (key && (r->count - f->first) / 2 >= NODE_MAP_MAX)
        return node_error(n, r->e, "too many keys in one map; expected at most %d", NODE_MAP_MAX);
    return 0;
}

static int read_scalar(struct reader *r, const yaml_event_t *event)
{
    size_t length = event->data.scalar.length;
    struct node at = at_mark(r, event->start_mark);
    if (memchr(event->data.scalar.value, 0, length))
        return node_error(&at, r->e, "a text with a NUL character; expected text without");
    struct node *n = arena_alloc(r->arena, 1, sizeof *n + length + 1, r->e);
    if (!n)
        return ERR_MEMORY;
    char *text = (char *)(n + 1);
    memcpy(text, event->data.scalar.value, length);
    *n = at;
    n->type = NODE_SCALAR;
    n->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    n->text = text;
    return push(r, n);
}

static int open_collection(struct reader *r, const yaml_event_t *event, enum node_type type)
{
    struct node at = at_mark(r, event->start_mark);
    if (r->depth == NODE_DEPTH_MAX)
        return node_error(&at, r->e, "nested too deeply; expected at most %d levels",
                          NODE_DEPTH_MAX);
    struct node *n = node_new(type, &at, r->arena, r->e);
    if (!n)
        return ERR_MEMORY;
    int code = push(r, n);
    if (code == 0)
        r->frame[r->depth++] = (struct frame){.node = n, .first = r->count};
    return code;
}

static int close_collection(struct reader *r)
{
    const struct frame *f = &r->frame[--r->depth];
    struct node *n = f->node;
    size_t given = r->count - f->first, parts = n->type == NODE_MAP ? 2 : 1;
    n->count = (int)(given / parts);
    n->item = arena_alloc(r->arena, (size_t)n->count, sizeof *n->item, r->e);
    if (n->type == NODE_MAP)
        n->key = arena_alloc(r->arena, (size_t)n->count, sizeof *n->key, r->e);
    if (!n->item || (n->type == NODE_MAP && !n->key))
        return ERR_MEMORY;
    for (size_t k = 0; k < (size_t)n->count; k++) {
        n->item[k] = r->pending[f->first + parts * k + parts - 1];
        if (n->type == NODE_MAP)
            n->key[k] = r->pending[f->first + parts * k];
    }
    r->count = f->first;
    return 0;
}

/* Anchors and tags give YAML a second meaning that a spec does not need, and aliases can make a
 * small file enormous: none of them is allowed. */
static int refuse_extras(struct reader *r, const yaml_event_t *event)
{
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

static int take_event(struct reader *r, const yaml_event_t *event)
{
    struct node at = at_mark(r, event->start_mark);
    int code = refuse_extras(r, event);
    if (code)
        return code;
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (r->documents++)
            return node_error(&at, r->e, "a second document; expected one");
        return 0;
    case YAML_SCALAR_EVENT:
        return read_scalar(r, event);
    case YAML_SEQUENCE_START_EVENT:
        return open_collection(r, event, NODE_LIST);
    case YAML_MAPPING_START_EVENT:
        return open_collection(r, event, NODE_MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return close_collection(r);
    default:
        return 0;
    }
}

int node_parse(struct node **out, const char *source, const char *bytes, size_t count,
               struct arena *arena, struct err *e)
{
    struct reader r = {.source = source, .bytes = bytes, .size = count, .arena = arena, .e = e};
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
    for (bool more = true; more && code == 0;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&r.yaml, &event)) {
            code = syntax_error(&r);
            break;
        }
        more = event.type != YAML_STREAM_END_EVENT;
        code = take_event(&r, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&r.yaml);
    memory_free(r.pending);
    if (code == 0)
        *out = r.root;
    return code;
}
