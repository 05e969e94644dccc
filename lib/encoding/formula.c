/* formula_record: a formula is recorded in a process of its own (lua/process.h), which sends
 *
 *   how it went, programs, bytes | each program: sizes, steps, elements, constants, parameters | classes
 *
 * and ends.  Before it sends, the tape is tried (formula_try.c). */
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "encoding/formula_make.h"
#include "lua/process.h"

const struct sandbox_limits formula_limits = {.instructions = 400000000,
                                              .bytes = (size_t)64 << 20,
                                              .seconds = 10,
                                              .slack = 1,
                                              .kill_seconds = 120,
                                              .hook = 100,
                                              .of = "a formula"};

/* ---- programs ---------------------------------------------------------------------------------*/

static int find_program(lua_State *L, struct maker *m)
{
    const struct recording *r = m->recording;
    struct formula *f = &m->out;
    size_t bytes = (size_t)r->steps * sizeof *r->step;
    for (int k = f->programs - 1; k >= 0; k--)
        if (f->program[k].steps == r->steps && !memcmp(f->program[k].step, r->step, bytes))
            return k;
    maker_need(L, m, memory_grow(f->program, (size_t)f->programs + 1, &m->err));
    struct formula_program *x = &f->program[f->programs];
    *x = (struct formula_program){.steps = r->steps, .constants = r->constants,
                                  .parameters = r->indices};
    maker_need(L, m, memory_grow(x->step, (size_t)r->steps, &m->err));
    memcpy(x->step, r->step, bytes);
    return f->programs++;
}

static void keep_element(lua_State *L, struct maker *m, int element)
{
    const struct recording *r = m->recording;
    int number = find_program(L, m);
    struct formula_program *x = &m->out.program[number];
    size_t at = (size_t)x->elements, constants = (size_t)x->constants,
           parameters = (size_t)x->parameters;
    maker_need(L, m, memory_grow(x->element, at + 1, &m->err));
    maker_need(L, m, memory_grow(x->constant, (at + 1) * constants + 1, &m->err));
    maker_need(L, m, memory_grow(x->parameter, (at + 1) * parameters + 1, &m->err));
    x->element[at] = element;
    memcpy(x->constant + at * constants, r->constant, constants * sizeof *x->constant);
    memcpy(x->parameter + at * parameters, r->index, parameters * sizeof *x->parameter);
    for (size_t k = 0; k < parameters; k++)
        m->used[r->index[k]] = true;
    m->place[element] = (struct place){number, x->elements++};
}

static void record_all(lua_State *L, struct maker *m)
{
    int items = m->out.items;
    struct recording *r = m->recording;
    maker_need(L, m, memory_grow(m->place, (size_t)items * (size_t)m->out.groups, &m->err));
    maker_need(L, m, memory_grow(m->used, (size_t)m->out.numbers + 1, &m->err));
    for (int g = 0; g < m->out.groups; g++)
        for (int k = 0; k < items; k++) {
            m->place[g * items + k].program = -1;
            if (m->domain->hidden && m->domain->hidden(m->context, k))
                continue;
            r->steps = r->constants = r->indices = 0;
            maker_set_parameters(L, m);
            maker_call(L, m, g, k);
            recording_finish(L, r);
            keep_element(L, m, g * items + k);
        }
    for (int k = 0; k < m->parameters; k++) {
        const struct formula_parameter *p = &m->parameter[k];
        int read = 0;
        for (int x = 0; x < p->count; x++)
            read += m->used[p->first + x];
        if (!read)
            luaL_error(L, "%s:1: parameter %s has no effect", m->chunk + 1, p->name);
    }
}

/* ---- classes ----------------------------------------------------------------------------------*/

static bool same_element(const struct formula *f, struct place a, struct place b)
{
    if (a.program != b.program || a.program < 0)
        return a.program == b.program;
    const struct formula_program *x = &f->program[a.program];
    size_t c = (size_t)x->constants, p = (size_t)x->parameters;
    return !memcmp(x->constant + (size_t)a.number * c, x->constant + (size_t)b.number * c,
                   c * sizeof *x->constant) &&
           !memcmp(x->parameter + (size_t)a.number * p, x->parameter + (size_t)b.number * p,
                   p * sizeof *x->parameter);
}

static bool same_relation(const struct maker *m, int a, int b)
{
    int relations = m->out.items;
    for (int h = 0; h < m->out.groups; h++)
        if (!same_element(&m->out, m->place[h * relations + a], m->place[h * relations + b]))
            return false;
    return true;
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t count)
{
    for (const unsigned char *b = bytes; count--; b++)
        hash = (hash ^ *b) * 1099511628211u;
    return hash;
}

static uint64_t hash_relation(const struct maker *m, int relation)
{
    int relations = m->out.items;
    uint64_t hash = 14695981039346656037u;
    for (int h = 0; h < m->out.groups; h++) {
        struct place p = m->place[h * relations + relation];
        const struct formula_program *x = p.program < 0 ? NULL : &m->out.program[p.program];
        hash = hash_bytes(hash, &p.program, sizeof p.program);
        if (x)
            hash = hash_bytes(hash, x->constant + (size_t)p.number * (size_t)x->constants,
                              (size_t)x->constants * sizeof *x->constant);
        if (x)
            hash = hash_bytes(hash, x->parameter + (size_t)p.number * (size_t)x->parameters,
                              (size_t)x->parameters * sizeof *x->parameter);
    }
    return hash;
}

/* Relations of one class have the same tape in every head: they are the same function of the
 * parameters, whatever these are.  The class is the first such relation. */
static void find_classes(lua_State *L, struct maker *m)
{
    size_t relations = (size_t)m->out.items, size = 1;
    while (size < 2 * relations)
        size *= 2;
    int32_t *slot = memory_alloc(size, sizeof *slot, &m->err); /* relation + 1 */
    maker_need(L, m, m->err.code);
    maker_need(L, m, memory_grow(m->out.class, relations, &m->err));
    for (int r = 0; r < (int)relations; r++) {
        size_t at = (size_t)hash_relation(m, r) & (size - 1);
        while (slot[at] && !same_relation(m, slot[at] - 1, r))
            at = (at + 1) & (size - 1);
        slot[at] = slot[at] ? slot[at] : r + 1;
        m->out.class[r] = slot[at] - 1;
    }
    memory_free(slot);
}

/* Instead of the first of its class the one that the shortest lengths have. */
static void find_least(lua_State *L, struct maker *m)
{
    int64_t (*number)(const struct encoding_context *, int) = m->domain->number;
    int32_t *class = m->out.class, *least = memory_alloc((size_t)m->out.items, sizeof *least, &m->err);
    maker_need(L, m, m->err.code);
    for (int r = 0; r < m->out.items; r++)
        if (class[r] == r || number(m->context, r) < number(m->context, least[class[r]]))
            least[class[r]] = r;
    for (int r = 0; r < m->out.items; r++)
        class[r] = least[class[r]];
    memory_free(least);
}

/* ---- the process ------------------------------------------------------------------------------*/

static int make(lua_State *L)
{
    struct maker *m = sandbox_argument(L);
    recording_open(L, m->recording);
    maker_push_function(L, m, m->text, false);
    m->function = lua_gettop(L);
    record_all(L, m);
    maker_try(L, m);
    find_classes(L, m);
    if (*m->declared)
        maker_declare(L, m);
    if (m->domain->number && m->context->layout->axes == 1)
        find_least(L, m);
    return 0;
}

static size_t program_bytes(const struct formula_program *x)
{
    size_t each = sizeof *x->element + (size_t)x->constants * sizeof *x->constant +
                  (size_t)x->parameters * sizeof *x->parameter;
    return sizeof *x + (size_t)x->steps * sizeof *x->step + (size_t)x->elements * each;
}

static bool send_program(int fd, const struct formula_program *x)
{
    size_t elements = (size_t)x->elements;
    return child_send(fd, x, sizeof *x) &&
           child_send(fd, x->step, (size_t)x->steps * sizeof *x->step) &&
           child_send(fd, x->element, elements * sizeof *x->element) &&
           child_send(fd, x->constant, elements * (size_t)x->constants * sizeof *x->constant) &&
           child_send(fd, x->parameter, elements * (size_t)x->parameters * sizeof *x->parameter);
}

static void send_all(const struct maker *m, const struct err *e, int fd)
{
    size_t classes = (size_t)m->out.items * sizeof *m->out.class;
    struct formula_answer a = {.err = *e, .programs = m->out.programs, .bytes = classes};
    for (int k = 0; k < a.programs; k++)
        a.bytes += program_bytes(&m->out.program[k]);
    bool sent = child_send(fd, &a, sizeof a);
    for (int k = 0; k < a.programs && sent && !a.err.code; k++)
        sent = send_program(fd, &m->out.program[k]);
    if (sent && !a.err.code)
        child_send(fd, m->out.class, classes);
}

static void open_maker(struct maker *m, const struct formula_source *s)
{
    *m = (struct maker){.context = s->context, .domain = s->domain, .text = s->text,
                        .declared = s->relation, .parameter = s->parameter,
                        .parameters = s->parameters, .key = s->key, .declared_key = s->relation_key};
    m->names = s->domain->names(s->context->layout, m->name);
    m->out.groups = s->domain->groups(s->context);
    m->out.items = (int)s->domain->items(s->context);
    for (int k = 0; k < s->parameters; k++)
        m->out.numbers += s->parameter[k].count;
    formula_chunk(s->key, m->chunk);
}

/* What it allocates ends with it. */
void formula_record(void *source, int fd)
{
    struct maker m;
    struct err cause = {0}, e = {0};
    open_maker(&m, source);
    process_enter();
    process_limit(&formula_limits);
    m.recording = memory_alloc(1, sizeof *m.recording, &e);
    if (m.recording) {
        m.recording->parameter = m.parameter;
        m.recording->parameters = m.parameters;
        m.recording->variables = m.domain->variables;
        if (sandbox_run(&formula_limits, make, &m, &cause))
            err_set(&e, cause.code == ERR_MEMORY || m.err.code ? ERR_MEMORY : ERR_USAGE, m.key, "%s",
                    cause.msg);
    }
    process_limit(NULL);
    send_all(&m, &e, fd);
}
