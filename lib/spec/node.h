/* A YAML document as a tree of nodes that know where they stand.
 *
 * Invariant: a tree has at most NODE_DEPTH_MAX levels, maps have scalar keys, all different, and
 * every node carries source, line and column, so that any later error can name its place. */
#ifndef SPEC_NODE_H
#define SPEC_NODE_H
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/memory.h"
#include "base/text.h"

enum { NODE_BYTES_MAX = 1 << 20, NODE_DEPTH_MAX = 32, NODE_MAP_MAX = 256, NODE_SHOWN = 64 };

enum node_type { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
    enum node_type type;
    bool plain;         /* scalar: written without quotes, so it may be a number, a bool or null */
    const char *source; /* "FILE" or "--set KEY" */
    int line, column;   /* from 1 */
    const char *text;   /* scalar */
    int count;          /* list, map */
    struct node **item; /* (count) items of a list, values of a map */
    struct node **key;  /* (count) of a map */
};

/* Parses one document of at most NODE_BYTES_MAX bytes of UTF-8.  Nodes live in arena; source must
 * outlive them.  *out is NULL for an empty document.  Refused, with ERR_USAGE at the place: more
 * documents, anchors, aliases, tags, duplicate keys, control characters, deep nesting. */
int node_parse(struct node **out, const char *source, const char *bytes, size_t count,
               struct arena *arena, struct err *e);

/* Fills e with ERR_USAGE at the node's place and returns it. */
int node_error(const struct node *n, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* "source:line:column"; the end of a long source is kept. */
void node_place(const struct node *n, char *out, size_t size);

bool node_is_bool(const struct node *n, bool *value); /* true or false as YAML 1.2 writes them */
const char *node_show(const struct node *n, char out[NODE_SHOWN]);
bool node_is_null(const struct node *n);
/* Numbers by value, other scalars by text, maps in any order. */
bool node_same(const struct node *a, const struct node *b);

/* Maps.  node_find returns an index or -1. */
int node_find(const struct node *map, const char *key);
/* Follows a dotted path down from *map as far as it leads.  *map and the index in it that is
 * returned are the last child on the way (-1: not even one), *whole whether it is the path's end. */
int node_walk(struct node **map, const char *path, bool *whole);
void node_remove(struct node *list_or_map, int index);
/* Appends to a list, or with a key that it does not have to a map. */
int node_append(struct node *n, struct node *key, struct node *item, struct arena *arena,
                struct err *e);
/* Replaces the value of `key`, or appends it, both with the place of `value`. */
int node_put(struct node *map, const char *key, struct node *value, struct arena *arena,
             struct err *e);
struct node *node_new(enum node_type type, const struct node *place, struct arena *arena,
                      struct err *e);

/* Appends text as a YAML flow scalar: plain where that reads back as the same string. */
void node_write_text(struct text *t, const char *s);
/* Appends a number, with as few digits as read back, in a form that readers of YAML 1.1 take for a
 * number as well: 1.0e-05. */
void node_write_number(struct text *t, double value);
/* Appends a tree in flow style; reads back to the same tree. */
void node_write(struct text *t, const struct node *n);

#endif
