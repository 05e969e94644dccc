/* The parameters of a formula, from the map that a spec gives (formula.h). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "encoding/formula.h"

static int refuse(struct err *e, const char *what, const char *name, const char *expected)
{
    err_set(e, ERR_USAGE, NULL, "%s: %s; expected %s", name, what, expected);
    return -1;
}

/* The next scalar of a flow map: letters up to one of ":,{}", without blanks and quotes. */
static const char *scalar(const char *s, char *out, size_t size)
{
    size_t count = 0;
    while (*s && !strchr(":,{}", *s)) {
        if (*s != ' ' && *s != '"' && *s != '\'' && count + 1 < size)
            out[count++] = *s;
        s++;
    }
    out[count] = 0;
    return s;
}

/* places: of a formula of places, which knows C. */
static bool is_name(const char *s, bool places)
{
    static const char *const taken[] = {
        "d",  "dy",    "dx",  "h",     "H",    "n",    "i",        "j",    "c",   "and", "break",
        "do", "else",  "elseif", "end", "false", "for", "function", "goto", "if", "in", "local",
        "nil", "not",  "or",  "repeat", "return", "then", "true",   "until", "while", "math", NULL};
    int k = 0;
    while (taken[k] && strcmp(taken[k], s) != 0)
        k++;
    size_t letters = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return !taken[k] && (!places || strcmp(s, "C") != 0) && *s && (*s < '0' || *s > '9') && !s[letters];
}

static int read_number(struct formula_parameter *p, const char *key, const char *value,
                       struct err *e)
{
    double x;
    const struct {
        const char *key;
        double *at;
    } numbers[] = {{"start", &p->start}, {"std", &p->std}, {"low", &p->low}, {"high", &p->high}};
    if (!text_to_double(value, &x) || !isfinite(x))
        return refuse(e, value, p->name, "a finite number, or a map of start, std, low, high, per, "
                      "size, table");
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
        if (!strcmp(key, numbers[k].key)) {
            *numbers[k].at = x;
            return 0;
        }
    if (strcmp(key, "size") != 0)
        return refuse(e, key, p->name, "start, std, low, high, per, size or table");
    if (x < 1 || x > 65536 || x != floor(x))
        return refuse(e, value, p->name, "a size from 1 to 65536");
    p->size = (int)x;
    return 0;
}

static int read_option(struct formula_parameter *p, const char *key, const char *value,
                       struct err *e)
{
    static const char *const per[] = {"head", "model", "layer"};
    if (!strcmp(key, "table")) {
        p->table = !strcmp(value, "true");
        return p->table || !strcmp(value, "false") ? 0 : refuse(e, value, p->name, "true or false");
    }
    if (strcmp(key, "per") != 0)
        return read_number(p, key, value, e);
    for (int k = 0; k < 3; k++)
        if (!strcmp(value, per[k])) {
            p->per = (enum formula_per)k;
            return 0;
        }
    return refuse(e, value, p->name, "per head, model or layer");
}

/* What follows a name and its colon; *s moves behind it. */
static int read_value(struct formula_parameter *p, const char **s, struct err *e)
{
    char key[32], value[64];
    *s += strspn(*s, " ");
    if (**s != '{') {
        *s = scalar(*s, value, sizeof value);
        return read_number(p, "start", value, e);
    }
    do {
        *s = scalar(*s + 1, key, sizeof key);
        if (**s == '}' && !key[0])
            break;
        if (**s != ':')
            return refuse(e, key, p->name, "a map of start, std, low, high, per, size, table");
        *s = scalar(*s + 1, value, sizeof value);
        if (read_option(p, key, value, e))
            return -1;
    } while (**s == ',');
    if (**s != '}')
        return refuse(e, "a map within it", p->name, "numbers and names");
    (*s)++;
    *s += strspn(*s, " ");
    return 0;
}

static int finish(struct formula_parameter *p, int heads, int first, struct err *e)
{
    if (p->std < 0)
        return refuse(e, "a negative std", p->name, "0 or more");
    if (p->low > p->high)
        return refuse(e, "low is above high", p->name, "low <= high");
    if (!heads && p->per != FORMULA_MODEL)
        return refuse(e, "per head or layer", p->name, "per: model, as what is added to the input knows "
                      "no heads and is added once");
    p->count = (p->size ? p->size : 1) * (p->per == FORMULA_HEAD ? heads : 1);
    p->first = first;
    return 0;
}

static int read_map(const char *map, int heads, struct formula_parameter *out, struct err *e)
{
    int count = 0, first = 0;
    const char *s = map;
    char name[64];
    do {
        s = scalar(s + 1, name, sizeof name);
        if (strlen(name) >= FORMULA_NAME_MAX || !is_name(name, !heads) || *s != ':')
            return refuse(e, "is no name for a parameter", name, "at most 15 letters, and none that "
                          "Lua or the formula's variables have");
        if (count == ENCODING_TENSORS_MAX)
            return refuse(e, "one too many", name, "at most 8 parameters");
        struct formula_parameter *p = &out[count++];
        *p = (struct formula_parameter){.per = heads ? FORMULA_HEAD : FORMULA_MODEL};
        memcpy(p->name, name, strlen(name));
        s++;
        if (read_value(p, &s, e) || finish(p, heads, first, e))
            return -1;
        first += p->count;
    } while (*s == ',');
    return *s == '}' ? count : refuse(e, "is no map", map, "names and their starts");
}

int formula_parameters(const char *key, const char *map, int heads,
                       struct formula_parameter out[ENCODING_TENSORS_MAX], struct err *e)
{
    struct err own = {0};
    int count = !*map || !strcmp(map, "{}") ? 0 : read_map(map, heads, out, &own);
    if (count < 0)
        err_set(e, own.code, key, "%s", own.msg);
    return count;
}

int formula_tensors(const struct formula_parameter *p, int count, int heads,
                    struct encoding_tensor out[ENCODING_TENSORS_MAX])
{
    static const enum encoding_scope scope[] = {ENCODING_TABLE, ENCODING_MODEL, ENCODING_LAYER};
    for (int k = 0; k < count; k++) {
        bool head = p[k].per == FORMULA_HEAD, uniform = p[k].low < p[k].high;
        struct tensor t = {.rank = head && p[k].size ? 2 : 1,
                           .shape = {head ? heads : p[k].count, head ? p[k].size : 0},
                           .init = uniform        ? TENSOR_UNIFORM
                                   : p[k].std > 0 ? TENSOR_NORMAL
                                                  : TENSOR_CONSTANT,
                           .mean = uniform ? (p[k].low + p[k].high) / 2 : p[k].start,
                           .deviation = uniform ? (p[k].high - p[k].low) / 2 : p[k].std,
                           .table = p[k].table};
        memcpy(t.name, p[k].name, sizeof p[k].name);
        out[k] = (struct encoding_tensor){.scope = scope[p[k].per], .tensor = t};
    }
    return count;
}
