/* text: next-byte prediction on a file of the user's.
 *
 *   target: {kind: text, file: novel.txt}
 *
 * A sample is a window of n bytes, and the label of each is the byte after it, so a window takes
 * n + 1 bytes of the file.  Symbols are the 256 bytes, whether they occur or not: a network's
 * cross-entropy is that of a code for any file.
 *
 * The file is cut by position, in this order:
 *
 *   | training: the rest ............................ | selection | test |
 *
 * Training windows start anywhere in the training part, drawn anew for each.  Evaluation reads the
 * part that `evaluate` names, at places that depend on the number of windows alone: evenly spaced
 * from the part's first byte to its last, so they overlap only where the part has fewer than
 * samples x n bytes.
 * Invariant: no window reaches beyond its part, so no byte is both trained on and evaluated. */
#include <string.h>

#include "base/named_file.h"
#include "target/common.h"

/* As numbers; `file` is the first text. */
enum { TEXT_FILE, TEXT_SELECTION, TEXT_TEST, TEXT_EVALUATE };
enum { EVALUATE_TEST, EVALUATE_SELECTION };

static const char *const evaluate_names[] = {"test", "selection", NULL};

static const struct option options[] = {
    {.key = "file", .type = OPTION_TEXT, .fallback = "", .file = true,
     .help = "the text; its bytes are the symbols"},
    {.key = "selection", .type = OPTION_REAL, .min = 0, .max = 0.5, .fallback = "0.1",
     .help = "share of the file before the test part, to choose settings by"},
    {.key = "test", .type = OPTION_REAL, .min = 0, .max = 0.5, .fallback = "0.1",
     .help = "share of the file at its end; what comes before both shares is trained on"},
    {.key = "evaluate", .type = OPTION_CHOICE, .names = evaluate_names, .fallback = "test",
     .help = "the part that errors are measured on: choose settings by selection, report test"},
    {.key = NULL},
};

/* Bytes of a part, within the whole text. */
struct part {
    int64_t first, size;
};

struct text_state {
    const unsigned char *byte; /* (size) */
    struct part training, evaluation;
};

static void cut(const struct target_config *c, size_t size, struct text_state *s)
{
    int64_t all = (int64_t)size;
    int64_t test = (int64_t)(c->kind.number[TEXT_TEST] * (double)all);
    int64_t selection = (int64_t)(c->kind.number[TEXT_SELECTION] * (double)all);
    s->training = (struct part){0, all - selection - test};
    s->evaluation = c->kind.number[TEXT_EVALUATE] == EVALUATE_SELECTION
                        ? (struct part){s->training.size, selection}
                        : (struct part){all - test, test};
}

static int check_part(const char *name, const struct part *p, int64_t n, struct err *e)
{
    if (p->size > n)
        return 0;
    return err_set(e, ERR_USAGE, "target.file",
                   "the %s part has %lld bytes; expected at least %lld, a window of %lld and the "
                   "byte after it: take a longer text, another share or a smaller space.length",
                   name, (long long)p->size, (long long)n + 1, (long long)n);
}

static int check_text(const struct target_config *c, const struct space_config *s, struct err *e)
{
    const char *file = c->kind.text[0].text;
    struct text_state parts;
    struct err cause = {0};
    size_t size;
    if (!*file)
        return err_set(e, ERR_USAGE, "target.kind",
                       "target 'text' has no text; expected {kind: text, file: F}");
    if (named_file_size(file, &size, &cause))
        return err_pass(e, &cause);
    if (size == 0)
        return err_set(e, ERR_USAGE, "target.file", "%s is empty; expected a text",
                       named_file_path(file));
    cut(c, size, &parts);
    bool test = c->kind.number[TEXT_EVALUATE] == EVALUATE_TEST;
    int code = check_part("training", &parts.training, s->length, e);
    return code ? code
                : check_part(evaluate_names[test ? EVALUATE_TEST : EVALUATE_SELECTION],
                             &parts.evaluation, s->length, e);
}

static int open_text(const struct target_config *c, const struct space_config *space, int n,
                     struct arena *arena, void **state, struct err *e)
{
    const char *file = c->kind.text[0].text;
    char *bytes = NULL;
    size_t size;
    int code = arena->measuring ? named_file_size(file, &size, e)
                                : named_file_read(file, &bytes, &size, e);
    if (code)
        return code;
    struct text_state *s = arena_alloc(arena, 1, sizeof *s, e);
    unsigned char *copy = arena_alloc(arena, size, 1, e);
    *state = s;
    if (s && copy) {
        memcpy(copy, bytes, size);
        s->byte = copy;
        cut(c, size, s);
    }
    memory_free(bytes);
    return (s && copy) || arena->measuring ? 0 : ERR_MEMORY;
}

static int draw_window(const struct target_sample *t, struct stream *random, uint64_t number,
                       uint64_t count, int32_t *x, int32_t *label, struct err *e)
{
    const struct text_state *s = t->state;
    const struct part *p = count ? &s->evaluation : &s->training;
    int code = check_part(count ? "evaluated" : "training", p, t->n, e);
    if (code)
        return code;
    uint64_t last = (uint64_t)(p->size - t->n - 1), at; /* starts 0 .. last */
    at = count == 0 ? stream_below(random, last + 1) : count == 1 ? 0 : number * last / (count - 1);
    const unsigned char *from = s->byte + p->first + at;
    for (int i = 0; i < t->n; i++) {
        x[i] = from[i];
        label[i] = from[i + 1];
    }
    return 0;
}

const struct target target_text = {
    .name = "text",
    .formula = "label_i = x_{i+1}, x a window of n bytes of a file",
    .summary = "next-byte prediction on the user's text, under a causal mask; cut by position into "
               "training, selection and test part; see also bits_per_byte",
    .options = options,
    .tokens = true,
    .bytes = true,
    .needs = TARGET_NEEDS_ORDER | TARGET_NEEDS_CAUSAL,
    .check = check_text,
    .open = open_text,
    .draw = draw_window,
    .labels = target_vocab_labels,
};
