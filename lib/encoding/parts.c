/* Pieces that several encodings are made of (parts.h). */
#include "encoding/parts.h"

#include <math.h>
#include <string.h>

void encoding_facts_plain(const struct kind_config *c, const struct encoding_shape *s,
                          struct encoding_facts *out)
{
    *out = (struct encoding_facts){.right_stochastic = true,
                                   .shift_invariant = true,
                                   .scale = 1.0 / sqrt(s->head_width)};
}

void encoding_facts_bias(const struct kind_config *c, const struct encoding_shape *s,
                         struct encoding_facts *out)
{
    encoding_facts_plain(c, s, out);
    out->relation_bias = true;
}

void encoding_facts_absolute(const struct kind_config *c, const struct encoding_shape *s,
                             struct encoding_facts *out)
{
    encoding_facts_plain(c, s, out);
    out->absolute = true;
    out->shift_invariant = false;
}

struct encoding_tensor encoding_normal(const char *name, enum encoding_scope scope, int rows,
                                       int columns, double deviation)
{
    struct encoding_tensor t = {.scope = scope,
                                .tensor = {.rank = columns > 0 ? 2 : 1,
                                           .shape = {rows, columns},
                                           .init = deviation > 0 ? TENSOR_NORMAL : TENSOR_CONSTANT,
                                           .deviation = deviation}};
    memcpy(t.tensor.name, name, strlen(name) + 1);
    return t;
}

size_t encoding_state_bias(const struct encoding_context *c)
{
    return (size_t)c->shape->heads * (size_t)c->layout->relations;
}

void encoding_fill_table(const struct encoding_context *c, const real *table, real *state)
{
    int relations = c->layout->relations, rows = c->shape->trained->relations;
    for (int h = 0; h < c->shape->heads; h++) {
        const real *row = table + (size_t)h * (size_t)rows;
        for (int r = 0; r < relations; r++)
            state[(size_t)h * (size_t)relations + (size_t)r] = row[c->fold[r]];
    }
}

void encoding_fill_table_backward(const struct encoding_context *c, real *dtable)
{
    int relations = c->layout->relations, rows = c->shape->trained->relations;
    for (int h = 0; h < c->shape->heads; h++) {
        real *drow = dtable + (size_t)h * (size_t)rows;
        for (int r = 0; r < relations; r++)
            drow[c->fold[r]] += c->dstate[(size_t)h * (size_t)relations + (size_t)r];
    }
}

int64_t encoding_relation_one(const struct encoding_context *c, int i, int j)
{
    return 0;
}

int64_t encoding_relation_pair(const struct encoding_context *c, int i, int j)
{
    return (int64_t)i << 32 | j;
}

int64_t encoding_relation_offset(const struct encoding_context *c, int i, int j)
{
    return layout_relation(c->layout, i, j) - c->layout->origin;
}

int64_t encoding_relation_distance(const struct encoding_context *c, int i, int j)
{
    int64_t bits;
    double distance = c->layout->distance[layout_relation(c->layout, i, j)];
    memcpy(&bits, &distance, sizeof bits);
    return bits;
}

double encoding_distance(const struct encoding_context *c, int r)
{
    double distance = c->layout->distance[r];
    if (distance >= 0)
        return distance;
    const struct layout *trained = c->shape->trained;
    double largest = 0;
    for (int t = 0; t < trained->relations; t++)
        largest = fmax(largest, trained->distance[t]);
    return largest + 1;
}

int encoding_positions(const struct layout *l)
{
    if (l->axes == 1)
        return layout_places(l);
    int largest = 0;
    for (int i = 0; i < l->n * l->axes; i++)
        largest = l->coordinate[i] > largest ? l->coordinate[i] : largest;
    return largest + 1;
}

double encoding_frequency(double base, int pair, int channels)
{
    return pow(base, -2.0 * pair / channels);
}

void encoding_rotation_row(const struct rotation *r, double base, int position, real *row)
{
    int group = r->pairs / r->axes;
    for (int k = 0; k < r->pairs; k++) {
        double angle = position * encoding_frequency(base, k % group, 2 * group);
        row[k] = (real)cos(angle);
        row[r->pairs + k] = (real)sin(angle);
    }
}

static void rotate_group(int pairs, bool half, const real *cosine, const real *sine, real sign,
                         real *x)
{
    int step = half ? 1 : 2, mate = half ? pairs : 1;
    for (int k = 0; k < pairs; k++) {
        real *a = x + step * k, *b = a + mate;
        real turned = cosine[k] * *a - sign * sine[k] * *b;
        *b = sign * sine[k] * *a + cosine[k] * *b;
        *a = turned;
    }
}

void encoding_rotate(const struct encoding_context *c, const struct rotation *r, int direction,
                     real *x, int stride)
{
    int group = r->pairs / r->axes, width = c->shape->head_width;
    for (int i = 0; i < c->layout->n; i++)
        for (int axis = 0; axis < r->axes; axis++) {
            size_t position = (size_t)layout_coordinate(c->layout, i, axis);
            const real *cosine = c->state + position * (size_t)r->row + r->at + axis * group;
            for (int h = 0; h < c->shape->heads; h++)
                rotate_group(group, r->half, cosine, cosine + r->pairs, (real)direction,
                             x + (size_t)i * (size_t)stride + h * width + axis * 2 * group);
        }
}
