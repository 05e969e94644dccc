/* Evaluating a tape, and its gradient (formula.h). */
#include <math.h>
#include <string.h>

#include "encoding/formula.h"

static double apply(int op, double a, double b)
{
    switch (op) {
    case FORMULA_ADD: return a + b;
    case FORMULA_SUB: return a - b;
    case FORMULA_MUL: return a * b;
    case FORMULA_DIV: return a / b;
    case FORMULA_POW: return pow(a, b);
    case FORMULA_MAX: return b > a ? b : a;
    case FORMULA_MIN: return b < a ? b : a;
    case FORMULA_ATAN2: return atan2(a, b);
    case FORMULA_NEG: return -a;
    case FORMULA_ABS: return fabs(a);
    case FORMULA_SQRT: return sqrt(a);
    case FORMULA_EXP: return exp(a);
    case FORMULA_LOG: return log(a);
    case FORMULA_SIN: return sin(a);
    case FORMULA_COS: return cos(a);
    case FORMULA_TAN: return tan(a);
    case FORMULA_ASIN: return asin(a);
    default: return acos(a);
    }
}

/* 0^b is 0 for all b > 0, and so is its derivative by b. */
static double power_by_exponent(double a, double v)
{
    return a > 0 ? v * log(a) : a == 0 && v == 0 ? 0 : NAN;
}

/* Derivatives by a and b of v = op(a, b). */
static void slopes(int op, double a, double b, double v, double *da, double *db)
{
    *da = 1;
    *db = 0;
    switch (op) {
    case FORMULA_ADD: *db = 1; break;
    case FORMULA_SUB: *db = -1; break;
    case FORMULA_MUL: *da = b, *db = a; break;
    case FORMULA_DIV: *da = 1 / b, *db = -v / b; break;
    case FORMULA_POW: *da = b * pow(a, b - 1), *db = power_by_exponent(a, v); break;
    case FORMULA_MAX: *da = !(b > a), *db = b > a; break;
    case FORMULA_MIN: *da = !(b < a), *db = b < a; break;
    case FORMULA_ATAN2: *da = b / (a * a + b * b), *db = -a / (a * a + b * b); break;
    case FORMULA_NEG: *da = -1; break;
    case FORMULA_ABS: *da = (a > 0) - (a < 0); break;
    case FORMULA_SQRT: *da = 0.5 / v; break;
    case FORMULA_EXP: *da = v; break;
    case FORMULA_LOG: *da = 1 / a; break;
    case FORMULA_SIN: *da = cos(a); break;
    case FORMULA_COS: *da = -sin(a); break;
    case FORMULA_TAN: *da = 1 + v * v; break;
    case FORMULA_ASIN: *da = 1 / sqrt(1 - a * a); break;
    case FORMULA_ACOS: *da = -1 / sqrt(1 - a * a); break;
    }
}

void formula_run(const struct formula_program *x, int first, int count, const double *p,
                 double *value)
{
    for (int s = 0; s < x->steps; s++) {
        const struct formula_step *step = &x->step[s];
        double *out = value + (size_t)s * FORMULA_BLOCK;
        const double *a = value + (size_t)step->a * FORMULA_BLOCK;
        const double *b = value + (size_t)step->b * FORMULA_BLOCK;
        for (int k = 0; k < count; k++) {
            size_t element = (size_t)(first + k);
            if (step->op == FORMULA_CONSTANT)
                out[k] = x->constant[element * (size_t)x->constants + (size_t)step->a];
            else if (step->op == FORMULA_PARAMETER)
                out[k] = p[x->parameter[element * (size_t)x->parameters + (size_t)step->a]];
            else
                out[k] = apply(step->op, a[k], b[k]);
        }
    }
}

void formula_run_back(const struct formula_program *x, int first, int count, const double *value,
                      double *slope)
{
    memset(slope, 0, (size_t)(x->steps - 1) * FORMULA_BLOCK * sizeof *slope);
    for (int s = x->steps - 1; s >= 0; s--) {
        const struct formula_step *step = &x->step[s];
        size_t a = (size_t)step->a * FORMULA_BLOCK, b = (size_t)step->b * FORMULA_BLOCK;
        size_t at = (size_t)s * FORMULA_BLOCK;
        if (step->op <= FORMULA_PARAMETER)
            continue;
        for (int k = 0; k < count; k++) {
            size_t c = (size_t)k;
            double da, db, up = slope[at + c];
            slopes(step->op, value[a + c], value[b + c], value[at + c], &da, &db);
            slope[a + c] += up == 0 ? 0 : up * da;
            if (step->op < FORMULA_NEG)
                slope[b + c] += up == 0 ? 0 : up * db;
        }
    }
}

/* ---- for all elements -------------------------------------------------------------------------*/

static int block_size(const struct formula_program *x, int first)
{
    return x->elements - first < FORMULA_BLOCK ? x->elements - first : FORMULA_BLOCK;
}

/* Tensors one after another are the tape's vector of parameters; back where `back` is set. */
static void move_parameters(const struct encoding_context *c, double *flat, bool back)
{
    const struct formula *f = c->code;
    for (int k = 0, at = 0; at < f->numbers; at += f->size[k++])
        for (int x = 0; x < f->size[k]; x++)
            if (back)
                c->gradient[k][x] += (real)flat[at + x];
            else
                flat[at + x] = (double)c->parameter[k][x];
}

void formula_prepare(const struct encoding_context *c, real *state)
{
    struct formula *f = c->code;
    move_parameters(c, f->p, false);
    memset(state, 0, (size_t)f->groups * (size_t)f->items * sizeof *state);
    for (int k = 0; k < f->programs; k++) {
        const struct formula_program *x = &f->program[k];
        const double *last = f->value + (size_t)(x->steps - 1) * FORMULA_BLOCK;
        for (int first = 0; first < x->elements; first += FORMULA_BLOCK) {
            formula_run(x, first, block_size(x, first), f->p, f->value);
            for (int e = 0; e < block_size(x, first); e++)
                state[x->element[first + e]] = (real)last[e];
        }
    }
}

static void back_block(const struct encoding_context *c, const struct formula_program *x, int first)
{
    struct formula *f = c->code;
    double *last = f->slope + (size_t)(x->steps - 1) * FORMULA_BLOCK;
    int count = block_size(x, first);
    for (int e = 0; e < count; e++)
        last[e] = (double)c->dstate[x->element[first + e]];
    formula_run(x, first, count, f->p, f->value);
    formula_run_back(x, first, count, f->value, f->slope);
    for (int s = 0; s < x->steps; s++)
        for (int e = 0; e < count && x->step[s].op == FORMULA_PARAMETER; e++)
            f->dp[x->parameter[(first + e) * x->parameters + x->step[s].a]] +=
                f->slope[(size_t)s * FORMULA_BLOCK + (size_t)e];
}

void formula_prepare_backward(const struct encoding_context *c)
{
    struct formula *f = c->code;
    move_parameters(c, f->p, false);
    memset(f->dp, 0, (size_t)f->numbers * sizeof *f->dp);
    for (int k = 0; k < f->programs; k++)
        for (int first = 0; first < f->program[k].elements; first += FORMULA_BLOCK)
            back_block(c, &f->program[k], first);
    move_parameters(c, f->dp, true);
}

int64_t formula_relation(const struct encoding_context *c, int i, int j)
{
    const struct formula *f = c->code;
    int r = layout_relation(c->layout, i, j);
    if (f && f->domain == &formula_of_pairs)
        r = i * c->layout->n + j;
    if (!f)
        return r;
    return f->of_length ? (int64_t)f->class[r] | (int64_t)c->layout->n << 32 : f->domain->number(c, f->class[r]);
}
