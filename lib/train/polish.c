/* Polishing: after the last step, quasi-Newton descent (GSL's vector_bfgs2) on one fixed set of
 * samples, which drives the loss of a small model far below what noisy steps reach.
 *
 * The search runs in double; parameters are rounded to real for each evaluation.
 * Invariant: the result depends on the parameters and the configuration alone, and its loss is
 * never above the loss before. */
#include <math.h>

#include <gsl/gsl_errno.h>
#include <gsl/gsl_multimin.h>

#include "train/trainer.h"

/* First step and tolerance of the line search, as GSL's manual suggests. */
#define FIRST_STEP 0.01
#define LINE_TOLERANCE 0.1
/* Stands for a loss that is no number, so that the line search turns back. */
#define NO_LOSS 1e100
struct polishing {
    struct trainer *t;
    struct sampler *sampler;
    struct samples set; /* whole batches */
    gsl_vector *start, *scrap;
    gsl_multimin_fdfminimizer *minimizer;
};

int64_t trainer_polish_samples(const struct trainer *t, const struct stage *s)
{
    return (t->task.train.polish_samples + s->batch - 1) / s->batch * s->batch;
}

double trainer_loss_gradient(struct trainer *t, const struct samples *set, double *gradient)
{
    size_t count = t->model.tensors.elements;
    struct samples kept = t->batch;
    int batch = t->stage[t->at].batch, batches = set->count / batch;
    double loss = 0;
    for (size_t i = 0; i < count; i++)
        gradient[i] = 0;
    for (int k = 0; k < batches; k++) { /* rows stay where they are: `first` says where */
        t->batch = *set;
        t->batch.count = batch;
        t->batch.first += k * batch;
        t->batch.layout += k * batch;
        t->batch.rows = t->batch.first[batch] - t->batch.first[0];
        loss += trainer_batch_gradient(t) / batches;
        for (size_t i = 0; i < count; i++)
            gradient[i] += (double)t->pass.micro[0].gradient[i] / batches;
    }
    t->batch = kept;
    return loss;
}

/* ---- GSL's view -------------------------------------------------------------------------------*/
static void put_parameters(struct trainer *t, const gsl_vector *x)
{
    for (size_t i = 0; i < x->size; i++)
        t->p[i] = (real)gsl_vector_get(x, i);
}

/* GSL's vectors here are contiguous: it allocated them. */
static void evaluate(const gsl_vector *x, void *context, double *f, gsl_vector *gradient)
{
    struct polishing *p = context;
    put_parameters(p->t, x);
    *f = trainer_loss_gradient(p->t, &p->set, gradient->data);
    bool finite = isfinite(*f);
    for (size_t i = 0; i < gradient->size && finite; i++)
        finite = isfinite(gradient->data[i]);
    if (finite)
        return;
    *f = NO_LOSS;
    gsl_vector_set_zero(gradient);
}

/* The line search asks for the two apart. */
static double evaluate_loss(const gsl_vector *x, void *context)
{
    struct polishing *p = context;
    double f;
    evaluate(x, p, &f, p->scrap);
    return f;
}

static void evaluate_gradient(const gsl_vector *x, void *context, gsl_vector *gradient)
{
    double f;
    evaluate(x, context, &f, gradient);
}

/* ---- the search -------------------------------------------------------------------------------*/
static int open_set(struct polishing *p, struct err *e)
{
    struct trainer *t = p->t;
    int code = trainer_enter_stage(t, e);
    if (code)
        return code;
    const struct stage *s = &t->stage[t->at];
    code = sampler_open_stream(&p->sampler, &t->task, "polish", s->n, e);
    if (!code)
        code = arena_open(&p->set.arena, 0, e);
    if (!code)
        code = sampler_draw(p->sampler, 0, (int)trainer_polish_samples(t, s), &p->set, e);
    return code;
}

static int open_minimizer(struct polishing *p, struct err *e)
{
    size_t count = p->t->model.tensors.elements;
    p->start = gsl_vector_alloc(count);
    p->scrap = gsl_vector_alloc(count);
    p->minimizer = gsl_multimin_fdfminimizer_alloc(gsl_multimin_fdfminimizer_vector_bfgs2, count);
    if (!p->start || !p->scrap || !p->minimizer)
        return err_set(e, ERR_MEMORY, "", "no memory to polish %zu parameters", count);
    for (size_t i = 0; i < count; i++)
        gsl_vector_set(p->start, i, (double)p->t->p[i]);
    return 0;
}

static int descend(struct polishing *p, struct polish_report *r, struct err *e)
{
    gsl_multimin_function_fdf f = {.f = evaluate_loss, .df = evaluate_gradient, .fdf = evaluate,
                                   .n = p->start->size, .params = p};
    gsl_multimin_fdfminimizer *m = p->minimizer;
    bool fresh = true; /* the direction is the gradient's: nothing was learned that could mislead */
    gsl_multimin_fdfminimizer_set(m, &f, p->start, FIRST_STEP, LINE_TOLERANCE);
    double before = m->f;
    while (r->steps < p->t->task.train.polish_steps) {
        int status = gsl_multimin_fdfminimizer_iterate(m);
        if (task_stopped(&p->t->task))
            return err_set(e, ERR_INTERRUPTED, "", "interrupted while polishing");
        if (status && fresh)
            break;
        fresh = status != 0;
        if (fresh)
            gsl_multimin_fdfminimizer_restart(m);
        else
            r->steps++;
    }
    bool better = m->f < before;
    r->loss = better ? m->f : before < NO_LOSS ? before : NAN;
    put_parameters(p->t, better ? m->x : p->start);
    return 0;
}

static void close_polishing(struct polishing *p)
{
    samples_close(&p->set);
    sampler_close(p->sampler);
    gsl_vector_free(p->start);
    gsl_vector_free(p->scrap);
    if (p->minimizer)
        gsl_multimin_fdfminimizer_free(p->minimizer);
}

int trainer_polish(struct trainer *t, struct polish_report *r, struct err *e)
{
    struct polishing p = {.t = t};
    *r = (struct polish_report){0};
    gsl_error_handler_t *before = gsl_set_error_handler_off(); /* GSL's own would end the process */
    int code = open_set(&p, e);
    if (!code)
        code = open_minimizer(&p, e);
    if (!code)
        code = descend(&p, r, e);
    close_polishing(&p);
    gsl_set_error_handler(before);
    return code;
}
