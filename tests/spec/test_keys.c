/* Every row of every option table: defaults in range, values out of range refused at the key, and
 * every key that is not cosmetic changing the cell's id. */
#include "spec/help_spec.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/safetensors.h"
#include "help_temporary.h"

/* Of kinds that are nothing without a file, and a spec of data with one y a sample. */
static char text_path[256], text_option[300], data_path[256], data_option[320], pooled_path[256];
static char pooled_spec[400];

static struct spec_key *all; /* (count_all) */
static int count_all;

static int load_keys(void **state)
{
    help_temporary(text_path, sizeof text_path, "keys.txt");
    help_temporary(data_path, sizeof data_path, "keys.safetensors");
    help_temporary(pooled_path, sizeof pooled_path, "pooled.safetensors");
    snprintf(text_option, sizeof text_option, ", file: %s", text_path);
    snprintf(data_option, sizeof data_option, ", order: shuffled, file: %s", data_path);
    snprintf(pooled_spec, sizeof pooled_spec, "space: {length: 2, channels: 1}\nmodel: {pool: mean}\n"
             "target: {kind: data, file: %s}\n", pooled_path);
    return spec_keys(&all, &count_all, NULL);
}

static int free_keys(void **state)
{
    memory_free(all);
    return 0;
}

struct setting {
    const char *base; /* a spec */
    char kind[384];   /* --set of the kind that has the option, or "" */
    char value[192];  /* --set of the key */
};

static int open_setting(const struct setting *t, bool with_value, struct spec **out,
                        struct err *e)
{
    const char *set[2];
    int sets = 0;
    if (t->kind[0])
        set[sets++] = t->kind;
    if (with_value)
        set[sets++] = t->value;
    *e = (struct err){0};
    return spec_parse(out, "spec.yaml", t->base, strlen(t->base), set, sets, e);
}

/* What some kinds must have, or what makes more of their keys matter. */
static const char *companion(const char *kind)
{
    const char *const list[][2] = {{"text", text_option}, {"data", data_option},
                                  {"lua", ", y: \"0\""}, {"linear", ", divide: none"},
                                  {"graph", ", model: small-world"}};
    for (size_t k = 0; k < sizeof list / sizeof list[0]; k++)
        if (strcmp(list[k][0], kind) == 0)
            return list[k][1];
    return "";
}

/* model.encoding.buckets of t5 -> "model.encoding=t5". */
static void choose_kind(struct setting *t, const struct spec_key *key, bool with_companion)
{
    t->kind[0] = 0;
    if (!key->kind)
        return;
    size_t prefix = strlen(key->key) - strlen(key->option->key) - 1;
    snprintf(t->kind, sizeof t->kind, "%.*s={kind: %s%s}", (int)prefix, key->key, key->kind,
             with_companion ? companion(key->kind) : "");
}

static void set_number(struct setting *t, const struct spec_key *key, double value)
{
    char number[TEXT_NUMBER_MAX];
    snprintf(t->value, sizeof t->value, "%s=%s", key->key, text_from_double(number, value, 17));
}

static void numbers_out_of_range_are_refused_at_their_key(void **state)
{
    int tried = 0;
    for (int k = 0; k < count_all; k++) {
        const struct option *o = all[k].option;
        if (!strchr(all[k].key, '.') || (o->type != OPTION_INT && o->type != OPTION_REAL))
            continue;
        assert_true(o->min < o->max);
        double outside[2] = {o->min - (o->min ? 1 : 0.001) * (o->type == OPTION_INT ? 1000 : 1),
                             o->max * (o->max > 0 ? 2 : 0.5) + 1};
        for (int side = 0; side < 2; side++) {
            struct setting t = {.base = "target: gain\n"};
            struct spec *s;
            struct err e;
            char place[128];
            choose_kind(&t, &all[k], true);
            set_number(&t, &all[k], o->type == OPTION_INT ? (double)(int64_t)outside[side]
                                                           : outside[side]);
            snprintf(place, sizeof place, "--set %s:1:1", all[k].key);
            if (open_setting(&t, true, &s, &e) != ERR_USAGE || strcmp(e.where, place) != 0 ||
                !strstr(e.msg, "is out of range; expected"))
                fail_msg("%s %s: %s: %s", t.kind, t.value, e.where, e.msg);
            tried++;
        }
    }
    assert_true(tried > 40);
}

static void defaults_suit_their_rows(void **state)
{
    for (int k = 0; k < count_all; k++) {
        const struct option *o = all[k].option;
        double number;
        assert_non_null(o->help);
        if (o->type == OPTION_INT || o->type == OPTION_REAL) {
            assert_true(o->fallback == NULL || text_to_double(o->fallback, &number));
            assert_true(o->fallback == NULL || (number >= o->min && number <= o->max));
            assert_true(o->type == OPTION_REAL || (o->min >= -0x1p53 && o->max <= 0x1p53));
        }
    }
}

/* Every key that a document may have at the top is listed, claims with their own. */
static void what_stands_at_the_top_is_listed(void **state)
{
    static const char *const names[] = {"name", "seeds", "grid", "cases", "except", "claims", "claims.where",
                                        "claims.pair", "claims.expect", "claims.on", "figures"};
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        assert_string_equal(all[k].key, names[k]);
        assert_int_equal(all[k].option->fallback == NULL, !strcmp(names[k], "claims.expect"));
    }
}

/* The nth value that might suit a row, other than its default; false after the last. */
static bool candidate(const struct spec_key *key, int nth, struct setting *t)
{
    const struct option *o = key->option;
    double standard = 0;
    if (o->type == OPTION_BOOL || o->type == OPTION_CHOICE || o->type == OPTION_KIND) {
        static const char *const truths[] = {"true", "false", NULL};
        const char *name = o->type == OPTION_BOOL     ? truths[nth]
                           : o->type == OPTION_CHOICE ? o->names[nth]
                           : nth < o->kinds->count    ? o->kinds->name(nth)
                                                      : NULL;
        if (name)
            snprintf(t->value, sizeof t->value, "%s=%s", key->key, name);
        return name != NULL;
    }
    if (o->type == OPTION_PLAN) {
        snprintf(t->value, sizeof t->value, "%s=[{encoding: rope}, {encoding: none}]", key->key);
        return nth == 0;
    }
    if (o->type == OPTION_INT_LIST) {
        static const char *const lists[] = {"[7]", "[8, 32]", "[1, 3]"};
        int count = sizeof lists / sizeof lists[0];
        if (nth < count)
            snprintf(t->value, sizeof t->value, "%s=%s", key->key, lists[nth]);
        return nth < count;
    }
    if (o->fallback && !text_to_double(o->fallback, &standard))
        return false;
    bool whole = o->type == OPTION_INT;
    double step = (o->max - o->min) / 8;
    double value[] = {standard * 2, standard + 1, standard - 1, standard / 2, o->min + step,
                      o->max - step, o->max, o->min};
    if (nth >= (int)(sizeof value / sizeof value[0]))
        return false;
    set_number(t, key, whole ? (double)(int64_t)value[nth] : value[nth]);
    return true;
}

/* Whether some value of the key changes the id of this spec. */
static bool changes_id_of(const struct spec_key *key, const char *base, bool with_companion)
{
    for (int nth = 0;; nth++) {
        struct setting t = {.base = base};
        struct spec *before, *after;
        struct err e;
        char value[256];
        choose_kind(&t, key, with_companion);
        if (!candidate(key, nth, &t) || open_setting(&t, false, &before, &e))
            return false;
        bool changed = false;
        if (open_setting(&t, true, &after, &e) == 0) {
            changed = spec_value(spec_cell(after, 0), key->key, value, sizeof value) &&
                      strcmp(spec_cell(before, 0)->id, spec_cell(after, 0)->id) != 0;
            spec_close(after);
        }
        spec_close(before);
        if (changed)
            return true;
    }
}

/* The same in any of several specs: a key may matter only under a mask, on a space, to tokens. */
static bool changes_id(const struct spec_key *key)
{
#define SMALL "model: {layers: 1, heads: 2, width: 8, ffn: 8}\n" /* small enough to polish */
    const char *const bases[] = {
        "target: gain\n" SMALL, "target: gain\n" SMALL "train: {polish: {method: bfgs}}\n",
        "target: gain\nevaluate: {adversary: {starts: 4}}\n",
        "target: gain\nspace: {inputs: {near: {share: 0.5}}}\n",
        "target: gain\n", "target: etp\n", "target: gain\nmodel: {mask: causal}\n",
        "target: gain\nmodel: {c: {init: normal}}\n",
        "target: gain\nspace: {length: 2, channels: 1}\n", pooled_spec,
        "target: gain\ntrain: {lengths: [16, 32]}\n"};
    for (size_t b = 0; b < sizeof bases / sizeof bases[0]; b++)
        if (changes_id_of(key, bases[b], true) || changes_id_of(key, bases[b], false))
            return true;
    for (int k = 0; k < space_kinds.count; k++) {
        char base[128];
        snprintf(base, sizeof base, "target: identity\nspace: %s\n", space_kinds.name(k));
        if (changes_id_of(key, base, true) || changes_id_of(key, base, false))
            return true;
    }
    return false;
}

/* Forty samples of two positions; rank 2: one y a sample. */
static void write_data(const char *path, int rank)
{
    static const float zeros[80];
    size_t count = rank == 3 ? 80 : 40;
    struct safetensor item[] = {
        {.name = "x", .rank = 3, .shape = {40, 2, 1}, .count = 80, .data = zeros},
        {.name = "y", .rank = rank, .shape = {40, rank == 3 ? 2 : 1, 1}, .count = count,
         .data = zeros}};
    assert_int_equal(safetensors_write(path, item, 2, NULL, NULL), 0);
}

static void every_key_that_counts_changes_the_id(void **state)
{
    int tried = 0;
    char text[4000] = "";
    assert_int_equal(file_write(text_path, text, sizeof text, NULL), 0);
    write_data(data_path, 3);
    write_data(pooled_path, 2);
    for (int k = 0; k < count_all; k++) {
        const struct option *o = all[k].option;
        bool alone = o->type == OPTION_KIND && o->kinds->count == 1;
        if (!strchr(all[k].key, '.') && o->type != OPTION_KIND)
            continue; /* name and seeds: below */
        if (alone || o->type == OPTION_TEXT)
            continue;
        if (changes_id(&all[k]) == o->cosmetic)
            fail_msg("%s%s%s %s the id", all[k].key, all[k].kind ? " of " : "",
                     all[k].kind ? all[k].kind : "",
                     o->cosmetic ? "is cosmetic but changes" : "does not change");
        tried++;
    }
    assert_true(tried > 30);
    file_remove(text_path, NULL);
    file_remove(data_path, NULL);
    file_remove(pooled_path, NULL);
}

/* "ID DIGEST": of the first cell, and of all cells' ids and groups. */
static void ids_of(const char *yaml, char out[2 * SPEC_ID])
{
    struct text t = {0};
    char digits[HASH_TEXT];
    struct spec *s = spec_of(yaml, NULL);
    for (int k = 0; k < spec_cells(s); k++) {
        const struct cell *c = spec_cell(s, k);
        text_append_format(&t, "%s %s\n", c->id, c->group);
    }
    hash_text(digits, t.data, t.length);
    snprintf(out, 2 * SPEC_ID, "%s\t%.16s", spec_cell(s, 0)->id, digits);
    text_close(&t);
    spec_close(s);
}

/* ids.tsv holds a spread of specs, every key at its default and at others, with the ids that the
 * program gave them when each line was added.  Results lie in folders named so: a line that changes
 * makes everybody train anew.  To add one, let this test say its ids. */
static void cells_keep_their_ids(void **state)
{
    char line[1024], ids[2 * SPEC_ID];
    int lines = 0, wrong = 0;
    FILE *f = fopen("tests/spec/ids.tsv", "r");
    assert_non_null(f);
    for (; fgets(line, sizeof line, f); lines++) {
        const char *yaml = strrchr(line, '\t') + 1;
        ids_of(yaml, ids);
        if (strncmp(line, ids, strlen(ids)) != 0) {
            print_error("%s, not\n%s", ids, line);
            wrong++;
        }
    }
    fclose(f);
    assert_int_equal(wrong, 0);
    assert_true(lines > 500);
}

/* A key that came later, spelled out at its default: the cell that it was before the key existed, and
 * the key has its value. */
static void quiet_keys_keep_cells_and_have_values(void **state)
{
    int tried = 0;
    for (int k = 0; k < count_all; k++) {
        const struct option *o = all[k].option;
        struct setting t = {.base = "target: gain\n"};
        struct spec *plain, *spelled;
        struct err e;
        char value[256];
        if (!o->quiet)
            continue;
        choose_kind(&t, &all[k], true);
        snprintf(t.value, sizeof t.value, "%s=%s", all[k].key, *o->fallback ? o->fallback : "[]");
        assert_int_equal(open_setting(&t, false, &plain, &e), 0);
        assert_int_equal(open_setting(&t, true, &spelled, &e), 0);
        assert_string_equal(spec_cell(plain, 0)->id, spec_cell(spelled, 0)->id);
        assert_true(spec_value(spec_cell(plain, 0), all[k].key, value, sizeof value));
        assert_string_equal(value, *o->fallback ? o->fallback : "[]");
        spec_close(plain);
        spec_close(spelled);
        tried++;
    }
    assert_true(tried >= 11);
}

/* What a key needs is another of its list, and one that has a default. */
static void needed_keys_exist(void **state)
{
    int needed = 0;
    for (int k = 0; k < count_all; k++) {
        bool found = !all[k].option->needs;
        assert_true(found || !all[k].kind); /* a kind's own rows need none of each other */
        for (int other = 0; other < count_all && !found; other++)
            found = all[other].option->fallback && !all[other].kind &&
                    strcmp(all[other].option->key, all[k].option->needs) == 0;
        assert_true(found);
        needed += all[k].option->needs != NULL;
    }
    assert_true(needed > 0);
}

static void a_key_without_what_it_needs_has_no_value(void **state)
{
    struct spec *s = spec_of("target: gain\ncases: [{evaluate.adversary.steps: 7}, "
                             "{evaluate.adversary.steps: 7, evaluate.adversary.starts: 2}, "
                             "{evaluate.adversary.starts: 2}]\n", NULL);
    value_is(s, 0, "evaluate.adversary.steps", NULL);
    value_is(s, 0, "evaluate.adversary.starts", "0");
    value_is(s, 1, "evaluate.adversary.steps", "7");
    value_is(s, 2, "evaluate.adversary.steps", "200");
    spec_close(s);
}

static void names_claims_and_figures_do_not_count(void **state)
{
    struct spec *a = spec_of("target: gain\n", NULL);
    struct spec *b = spec_of("name: other\ntarget: gain # comment\nfigures: [verdicts]\n"
                             "claims: [{expect: {verdict: reached}}]\nmodel: {layers: 2}\n", NULL);
    assert_string_equal(spec_cell(a, 0)->id, spec_cell(b, 0)->id);
    assert_string_not_equal(spec_hash(a), spec_hash(b));
    assert_int_equal(spec_figures(b), 1);
    assert_string_equal(spec_figure(b, 0), "verdicts");
    spec_close(a);
    spec_close(b);
}

static void groups_forget_the_seed(void **state)
{
    struct spec *s = spec_of("target: gain\nseeds: 2\n"
                             "cases: [{model.attention: rpe}, {model.c: bucketed}]\n", NULL);
    assert_int_equal(spec_cells(s), 4);
    assert_string_equal(spec_cell(s, 0)->group, spec_cell(s, 1)->group);
    assert_string_not_equal(spec_cell(s, 0)->id, spec_cell(s, 1)->id);
    assert_string_not_equal(spec_cell(s, 0)->group, spec_cell(s, 2)->group);
    spec_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_out_of_range_are_refused_at_their_key),
        cmocka_unit_test(defaults_suit_their_rows),
        cmocka_unit_test(what_stands_at_the_top_is_listed),
        cmocka_unit_test(every_key_that_counts_changes_the_id),
        cmocka_unit_test(cells_keep_their_ids),
        cmocka_unit_test(quiet_keys_keep_cells_and_have_values),
        cmocka_unit_test(needed_keys_exist),
        cmocka_unit_test(a_key_without_what_it_needs_has_no_value),
        cmocka_unit_test(names_claims_and_figures_do_not_count),
        cmocka_unit_test(groups_forget_the_seed),
    };
    return cmocka_run_group_tests(tests, load_keys, free_keys);
}
