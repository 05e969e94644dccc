/* Claims as they are read, and the columns they name. */
#include "spec/help_spec.h"

#include <string.h>

static void a_claim_keeps_what_it_says(void **state)
{
    (void)state;
    struct spec *s = spec_of(
        "target: gain\nclaims:\n"
        "  - where: {model.attention: [rpe, urpe], target.kind: gain, subset: identical, seed: 0}\n"
        "    expect: {verdict: impossible, gap_rel: ['>= -1e-5', '<=0.02'], layers: 2}\n"
        "  - {expect: {floor_rel: '> 0.5'}, on: bound}\n"
        "  - {where: {train.lr: 3e-3, model.share: true}, expect: {error_rel: '= 0'}, "
        "on: witness}\n",
        NULL);
    assert_int_equal(spec_claims(s), 3);
    const struct claim *c = spec_claim(s, 0);
    assert_int_equal(c->on, CLAIM_ON_RUN);
    assert_int_equal(c->line, 3);
    assert_int_equal(c->wheres, 4);
    assert_int_equal(c->where[0].column, -1);
    assert_string_equal(c->where[0].key, "model.attention");
    assert_int_equal(c->where[0].count, 2);
    assert_string_equal(c->where[0].value[1], "urpe");
    assert_int_equal(c->where[2].column, column_index("subset"));
    assert_string_equal(c->where[3].value[0], "0");
    assert_int_equal(c->expects, 4);
    assert_int_equal(c->expect[0].column, column_index("verdict"));
    assert_false(c->expect[0].number);
    assert_string_equal(c->expect[0].text, "impossible");
    assert_true(c->expect[1].number);
    assert_int_equal(c->expect[1].op, CLAIM_GREATER_EQUAL);
    assert_true(c->expect[1].value == -1e-5);
    assert_int_equal(c->expect[2].op, CLAIM_LESS_EQUAL);
    assert_true(c->expect[2].value == 0.02);
    assert_int_equal(c->expect[3].op, CLAIM_EQUAL);
    assert_true(c->expect[3].value == 2);
    assert_non_null(strstr(c->text, "subset: identical"));

    c = spec_claim(s, 1);
    assert_int_equal(c->on, CLAIM_ON_BOUND);
    assert_int_equal(c->wheres, 0);
    assert_int_equal(c->expect[0].op, CLAIM_GREATER);
    c = spec_claim(s, 2);
    assert_int_equal(c->on, CLAIM_ON_WITNESS);
    assert_string_equal(c->where[0].value[0], "0.003"); /* as spec_value prints it */
    value_is(s, 0, "train.lr", "0.003");
    assert_string_equal(c->where[1].value[0], "true");
    spec_close(s);
}

static void long_claims_are_cut_for_people(void **state)
{
    (void)state;
    struct spec *s = spec_of(
        "target: gain\nclaims: [{where: {seed: [10000001, 10000002, 10000003, 10000004, 10000005, "
        "10000006, 10000007, 10000008, 10000009, 10000010, 10000011, 10000012, 10000013, 10000014, "
        "10000015, 10000016, 10000017, 10000018, 10000019, 10000020, 10000021, 10000022, 10000023, "
        "10000024, 10000025, 10000026]}, expect: {verdict: reached}}]\n", NULL);
    const char *text = spec_claim(s, 0)->text;
    assert_int_equal(strlen(text), sizeof spec_claim(s, 0)->text - 1);
    assert_string_equal(text + strlen(text) - 3, "...");
    assert_int_equal(spec_claim(s, 0)->where[0].count, 26);
    spec_close(s);
}

/* design: "in this order, stable from now on". */
static void columns_are_in_their_order(void **state)
{
    (void)state;
    static const char order[] =
        "experiment,cell,seed,target,encoding,attention,space,length,subset,channels,vocab,mask,"
        "layers,heads,width,ffn,norm,precision,params,steps,status,verdict,error_rms,error_rel,"
        "error_sup,error_worst,accuracy,accuracy_informative,cross_entropy,floor_rms,floor_rel,"
        "floor_sup,floor_worst,accuracy_ceiling,cross_entropy_floor,gap_rel,train_loss,seconds,"
        "tokens_per_second,peak_mib,spec_hash,version,cpu,blas,threads,witness_rms,"
        "witness_rel,witness_sup,witness_accuracy,bits_per_byte,witness,"
        "informative_ceiling,settings";
    struct text line = {0};
    struct spec *s = spec_of("target: pi\n", NULL);
    for (int k = 0; k < column_count(); k++) {
        const struct column *c = &column_table[k];
        text_append_format(&line, "%s%s", k ? "," : "", c->name);
        assert_int_equal(column_index(c->name), k);
        assert_non_null(c->help);
        char value[256];
        if (c->key)
            assert_true(spec_value(spec_cell(s, 0), c->key, value, sizeof value));
    }
    assert_string_equal(line.data, order);
    assert_int_equal(column_index("nonsense"), -1);
    text_close(&line);
    spec_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_claim_keeps_what_it_says),
        cmocka_unit_test(long_claims_are_cut_for_people),
        cmocka_unit_test(columns_are_in_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
