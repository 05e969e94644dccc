/* formula_open: a process records the formula (formula.c), and what it sends is read here.
 *
 * What it sent is kept for this process and for those that it starts: a run opens the same formula for
 * each cell, evaluation and floor, and a process costs more than all the rest of opening it.  Kept
 * under all that the recording is a function of (memory_key), whole, so that no two are ever mixed up. */
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/text.h"
#include "encoding/formula.h"
#include "encoding/parts.h"
#include "lua/process.h"

/* ---- what has been recorded -------------------------------------------------------------------*/
struct kept {
    struct kept *older;
    struct text key, bytes;
    int programs;
};
enum { KEPT_BYTES_MAX = 8 << 20 }; /* of the bytes, together; what is larger alone is not kept */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kept *newest;

static void append_string(struct text *t, const char *s)
{
    text_append_bytes(t, s, strlen(s) + 1);
}

/* All that recording reads of its source. */
static void memory_key(const struct formula_source *s, struct text *t)
{
    const struct encoding_context *c = s->context;
    const struct layout *l = c->layout;
    const int sizes[] = {c->shape->heads, c->shape->width, c->shape->past, l->n, l->relations, l->axes,
                         s->parameters, (int)s->domain->items(c)};
    const struct formula_domain *domain = s->domain;
    text_append_bytes(t, &domain, sizeof domain);
    append_string(t, s->key);
    append_string(t, s->text);
    append_string(t, s->relation);
    text_append_bytes(t, sizes, sizeof sizes);
    for (int k = 0; k < s->parameters; k++) {
        const struct formula_parameter *p = &s->parameter[k];
        const double start[] = {p->start, p->std, p->low, p->high};
        const int size[] = {(int)p->per, p->size, p->count};
        append_string(t, p->name);
        text_append_bytes(t, start, sizeof start);
        text_append_bytes(t, size, sizeof size);
    }
    if (l->axes)
        text_append_bytes(t, l->offset, (size_t)l->relations * (size_t)l->axes * sizeof *l->offset);
    for (int r = 0; r < l->relations; r++) {
        double distance = encoding_distance(c, r);
        text_append_bytes(t, &distance, sizeof distance);
    }
    if (l->relation)
        text_append_bytes(t, l->relation, (size_t)l->n * (size_t)l->n * sizeof *l->relation);
}

static void free_kept(struct kept *k)
{
    text_close(&k->key);
    text_close(&k->bytes);
    memory_free(k);
}

/* Copies what is kept under the key; false: nothing is. */
static bool recall(const struct text *key, struct text *bytes, int *programs)
{
    pthread_mutex_lock(&lock);
    const struct kept *k = newest;
    while (k && (k->key.length != key->length || memcmp(k->key.data, key->data, key->length) != 0))
        k = k->older;
    if (k) {
        text_append_bytes(bytes, k->bytes.data, k->bytes.length);
        *programs = k->programs;
    }
    pthread_mutex_unlock(&lock);
    return k && !bytes->failed;
}

/* Forgets the oldest ones until `room` more bytes fit. */
static void make_room(size_t room)
{
    struct kept **at = &newest;
    size_t used = room;
    while (*at && used + (*at)->key.length + (*at)->bytes.length <= KEPT_BYTES_MAX) {
        used += (*at)->key.length + (*at)->bytes.length;
        at = &(*at)->older;
    }
    while (*at) {
        struct kept *gone = *at;
        *at = gone->older;
        free_kept(gone);
    }
}

/* Where there is no memory to keep it, it is not kept. */
static void keep(const struct text *key, const struct text *bytes, int programs)
{
    struct err ignored = {0};
    struct kept *k = key->length + bytes->length <= KEPT_BYTES_MAX
                         ? memory_alloc(1, sizeof *k, &ignored) : NULL;
    if (!k)
        return;
    k->programs = programs;
    text_append_bytes(&k->key, key->data, key->length);
    text_append_bytes(&k->bytes, bytes->data, bytes->length);
    if (k->key.failed || k->bytes.failed) {
        free_kept(k);
        return;
    }
    pthread_mutex_lock(&lock);
    make_room(key->length + bytes->length);
    k->older = newest;
    newest = k;
    pthread_mutex_unlock(&lock);
}

/* ---- recording it -----------------------------------------------------------------------------*/

static int receive_bytes(struct child *child, size_t count, struct text *out, struct err *e)
{
    void *bytes = memory_alloc(count, 1, e);
    if (!bytes)
        return ERR_MEMORY;
    int code = child_receive(child->fd, bytes, count)
                   ? 0 : err_set(e, ERR_EVALUATION, NULL, "the process that records a formula ended");
    if (!code)
        text_append_bytes(out, bytes, count);
    memory_free(bytes);
    return code ? code : text_check(out, e);
}

static int record(const struct formula_source *s, struct text *bytes, int *programs, struct err *e)
{
    struct formula_source source = *s;
    struct formula_answer a;
    struct child child;
    char chunk[FORMULA_CHUNK_MAX];
    int code = child_start(&child, SIGKILL, formula_record, &source, e);
    if (code)
        return code;
    if (!child_receive(child.fd, &a, sizeof a)) {
        struct err cause = {0};
        formula_chunk(s->key, chunk);
        code = process_say_end(&child, chunk + 1, &formula_limits, &cause);
        return err_set(e, code == ERR_EVALUATION ? ERR_USAGE : code, s->key, "%s", cause.msg);
    }
    *programs = a.programs;
    code = a.err.code ? err_pass(e, &a.err) : receive_bytes(&child, a.bytes, bytes, e);
    child_end(&child);
    return code;
}

/* ---- reading it -------------------------------------------------------------------------------*/
struct reader {
    const char *at;
    struct arena *arena;
    struct err *e;
};

static void *take(struct reader *r, size_t count, size_t size)
{
    void *out = arena_alloc(r->arena, count, size, r->e);
    if (out)
        memcpy(out, r->at, count * size);
    r->at += count * size;
    return out;
}

static struct formula_program take_program(struct reader *r)
{
    struct formula_program x;
    memcpy(&x, r->at, sizeof x);
    r->at += sizeof x;
    size_t elements = (size_t)x.elements;
    x.step = take(r, (size_t)x.steps, sizeof *x.step);
    x.element = take(r, elements, sizeof *x.element);
    x.constant = take(r, elements * (size_t)x.constants, sizeof *x.constant);
    x.parameter = take(r, elements * (size_t)x.parameters, sizeof *x.parameter);
    return x;
}

static int read_all(struct reader *r, const struct formula_source *s, int programs,
                    struct formula **out)
{
    static const char *const length[] = {"n"};
    struct formula *f = arena_alloc(r->arena, 1, sizeof *f, r->e), own = {.domain = s->domain, .programs = programs};
    struct formula_program *kept = arena_alloc(r->arena, (size_t)programs, sizeof *kept, r->e);
    int steps = 1;
    own.groups = s->domain->groups(s->context);
    own.items = (int)s->domain->items(s->context);
    own.n = s->context->layout->n;
    own.of_length = !s->domain->number || s->context->layout->axes != 1 || formula_reads(s->text, length, 1) ||
                    formula_reads(s->relation, length, 1);
    for (int k = 0; k < s->parameters; k++)
        own.numbers += own.size[k] = s->parameter[k].count;
    for (int k = 0; k < programs; k++) {
        struct formula_program x = take_program(r);
        steps = x.steps > steps ? x.steps : steps;
        if (kept)
            kept[k] = x;
    }
    own.class = take(r, (size_t)own.items, sizeof *own.class);
    own.program = kept;
    own.value = arena_alloc(r->arena, (size_t)steps * FORMULA_BLOCK, sizeof *own.value, r->e);
    own.slope = arena_alloc(r->arena, (size_t)steps * FORMULA_BLOCK, sizeof *own.slope, r->e);
    own.p = arena_alloc(r->arena, (size_t)own.numbers + 1, sizeof *own.p, r->e);
    own.dp = arena_alloc(r->arena, (size_t)own.numbers + 1, sizeof *own.dp, r->e);
    if (f)
        *f = own;
    *out = f;
    return arena_check(r->arena);
}

int formula_open(const struct formula_source *s, struct arena *arena, struct formula **out,
                 struct err *e)
{
    const struct encoding_context *c = s->context;
    struct text key = {0}, bytes = {0};
    int programs = 0;
    *out = NULL;
    if (s->domain->items(c) * s->domain->groups(c) > INT32_MAX)
        return err_set(e, ERR_USAGE, s->key, "%d positions are too many for a formula of places; "
                       "expected one of d alone", c->layout->n);
    memory_key(s, &key);
    int code = text_check(&key, e);
    if (!code && !recall(&key, &bytes, &programs)) {
        text_clear(&bytes);
        code = record(s, &bytes, &programs, e);
        if (!code)
            keep(&key, &bytes, programs);
    }
    struct reader r = {.at = bytes.data, .arena = arena, .e = e};
    if (!code)
        code = read_all(&r, s, programs, out);
    text_close(&key);
    text_close(&bytes);
    return code;
}
