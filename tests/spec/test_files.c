/* Files that a spec names: found beside the spec, part of the id by content, kept with results. */
#include "spec/help_spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "help_temporary.h"

enum { PATH = 256 };
static const char one[] = "function y(x) return x end", two[] = "function y(x) return  x end";

struct place {
    char folder[PATH], spec[PATH], file[PATH];
};

/* A folder with spec.yaml's place and maps.lua. */
static void open_place(struct place *p, const char *chunk)
{
    help_temporary(p->folder, PATH, "files-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->spec, PATH, "%.200s/spec.yaml", p->folder);
    snprintf(p->file, PATH, "%.200s/maps.lua", p->folder);
    assert_int_equal(file_write(p->file, chunk, strlen(chunk), NULL), 0);
}

static void close_place(struct place *p)
{
    file_remove(p->file, NULL);
    file_remove(p->folder, NULL);
}

static struct spec *parse(const char *where, const char *text)
{
    struct spec *s;
    struct err e = {0};
    if (spec_parse(&s, where, text, strlen(text), NULL, 0, &e))
        fail_msg("%s: %s", e.where, e.msg);
    return s;
}

static const char yaml[] = "target: {kind: lua, file: maps.lua}\n"
                           "grid: {model.attention: [rpe, urpe]}\n"
                           "claims: [{where: {target.file: maps.lua}, expect: {status: ok}}]\n";

static void test_content_is_the_id(void **state)
{
    struct place a, b, c;
    open_place(&a, one);
    open_place(&b, one);
    open_place(&c, two);
    struct spec *s = parse(a.spec, yaml), *same = parse(b.spec, yaml), *other = parse(c.spec, yaml);
    assert_string_equal(spec_cell(s, 0)->id, spec_cell(same, 0)->id);
    assert_string_equal(spec_hash(s), spec_hash(same));
    assert_string_not_equal(spec_cell(s, 0)->id, spec_cell(other, 0)->id);
    assert_string_not_equal(spec_hash(s), spec_hash(other));
    value_is(s, 0, "target.file", "maps.lua");
    value_is(s, 0, "target.y", NULL);
    spec_close(s);
    spec_close(same);
    spec_close(other);
    close_place(&a);
    close_place(&b);
    close_place(&c);
}

/* What is written next to a resolved spec or cell lets it be read again from there. */
static void check_copy(const char *text, const char *folder, const struct cell *like)
{
    char where[PATH];
    snprintf(where, sizeof where, "%.200s/resolved.yaml", folder);
    struct spec *again = parse(where, text);
    assert_string_equal(spec_cell(again, 0)->id, like->id);
    struct text twice = {0};
    assert_int_equal(spec_text(again, &twice, NULL), 0);
    if (spec_cells(again) > 1)
        assert_string_equal(twice.data, text);
    text_close(&twice);
    spec_close(again);
}

static void test_copies_are_enough(void **state)
{
    struct place a;
    char specs[PATH], cell[PATH], command[3 * PATH];
    struct text whole = {0}, single = {0};
    open_place(&a, one);
    snprintf(specs, PATH, "%.200s/specs", a.folder);
    snprintf(cell, PATH, "%.200s/cell", a.folder);
    struct spec *s = parse(a.spec, yaml);
    assert_int_equal(spec_copy_files(s, specs, NULL), 0);
    assert_int_equal(spec_cell_copy_files(spec_cell(s, 0), cell, NULL, NULL), 0);
    assert_int_equal(spec_text(s, &whole, NULL), 0);
    assert_int_equal(spec_cell_text(spec_cell(s, 0), "a", &single, NULL), 0);
    file_remove(a.file, NULL); /* the original is no longer needed */
    check_copy(whole.data, specs, spec_cell(s, 0));
    check_copy(single.data, cell, spec_cell(s, 0));
    spec_close(s);
    text_close(&whole);
    text_close(&single);
    snprintf(command, sizeof command, "rm -r '%s' '%s'", specs, cell);
    assert_int_equal(system(command), 0);
    close_place(&a);
}

static void test_changed_file_is_not_copied(void **state)
{
    struct place a;
    struct err e = {0};
    open_place(&a, one);
    struct spec *s = parse(a.spec, yaml);
    assert_int_equal(file_write(a.file, two, strlen(two), NULL), 0);
    assert_int_equal(spec_copy_files(s, a.folder, &e), ERR_IO);
    assert_non_null(strstr(e.msg, "has changed"));
    spec_close(s);
    close_place(&a);
}

/* Copies that are damaged or missing are mended; a private file stays private. */
static void test_copies_are_whole_and_private(void **state)
{
    struct place a;
    char specs[PATH], command[3 * PATH];
    struct text whole = {0};
    open_place(&a, one);
    assert_int_equal(chmod(a.file, 0600), 0);
    struct spec *s = parse(a.spec, "target: {kind: lua, file: maps.lua}\n");
    snprintf(specs, PATH, "%.200s/specs", a.folder);
    assert_int_equal(spec_text(s, &whole, NULL), 0);
    static const char *const damage[] = {"truncate -s 0", "truncate -s -1", "rm"};
    assert_int_equal(spec_copy_files(s, specs, NULL), 0);
    for (int k = 0; k < 3; k++) {
        snprintf(command, sizeof command, "%s '%s'/*/maps.lua", damage[k], specs);
        assert_int_equal(system(command), 0);
        assert_int_equal(spec_copy_files(s, specs, NULL), 0);
        check_copy(whole.data, specs, spec_cell(s, 0));
        snprintf(command, sizeof command, "[ $(stat -c %%a '%s'/*/maps.lua) = 600 ]", specs);
        assert_int_equal(system(command), 0);
    }
    text_close(&whole);
    spec_close(s);
    snprintf(command, sizeof command, "rm -r '%s'", specs);
    assert_int_equal(system(command), 0);
    close_place(&a);
}

static const char code_of[] = "target: {kind: lua, file: ";
static const char text_of[] = "model: {mask: causal}\ntarget: {kind: text, file: ";

/* Expects the spec that begins with `head` and a file's name to be refused at `place` within it. */
static void refuses(const char *where, const char *head, const char *name, const char *place,
                    const char *phrase)
{
    char text[512], full[PATH + 16];
    struct spec *s;
    struct err e = {0};
    snprintf(text, sizeof text, "%s\"%s\"}\n", head, name);
    snprintf(full, sizeof full, "%s:%s", where, place);
    assert_int_equal(spec_parse(&s, where, text, strlen(text), NULL, 0, &e), ERR_USAGE);
    if (!strstr(e.msg, phrase) || strcmp(e.where, full) != 0)
        fail_msg("%s: '%s' does not hold '%s'", e.where, e.msg, phrase);
}

static void test_code_is_tried(void **state)
{
    struct place p;
    open_place(&p, "return 3");
    refuses(p.spec, code_of, "maps.lua", "1:27", "target.file: ");
    refuses(p.spec, code_of, "maps.lua", "1:27",
            "gives no function; expected `return function(x, n, d)");
    close_place(&p);
}

/* A text is part of the id, and a resolved spec reads its copy; what is no text for the spec is said
 * before anything is trained. */
static void test_text(void **state)
{
    struct place a;
    char bytes[2000];
    static const char text[] = "model: {mask: causal}\ntarget: {kind: text, file: maps.lua}\n";
    for (int k = 0; k < 2000; k++)
        bytes[k] = (char)k;
    open_place(&a, one);
    assert_int_equal(file_write(a.file, bytes, sizeof bytes, NULL), 0);
    struct spec *s = parse(a.spec, text);
    char id[SPEC_ID], specs[PATH], command[2 * PATH];
    struct text whole = {0};
    memcpy(id, spec_cell(s, 0)->id, SPEC_ID);
    value_is(s, 0, "target.file", "maps.lua");
    value_is(s, 0, "target.vocab", NULL);
    snprintf(specs, PATH, "%.200s/specs", a.folder);
    assert_int_equal(spec_copy_files(s, specs, NULL), 0);
    assert_int_equal(spec_text(s, &whole, NULL), 0);
    check_copy(whole.data, specs, spec_cell(s, 0));
    text_close(&whole);
    spec_close(s);
    bytes[1999]++;
    assert_int_equal(file_write(a.file, bytes, sizeof bytes, NULL), 0);
    s = parse(a.spec, text);
    assert_string_not_equal(spec_cell(s, 0)->id, id);
    spec_close(s);
    snprintf(command, sizeof command, "rm -r '%s'", specs);
    assert_int_equal(system(command), 0);
    close_place(&a);
}

static void test_text_refusals(void **state)
{
    struct place a;
    char empty[PATH], large[PATH];
    open_place(&a, one);
    snprintf(empty, PATH, "%.200s/empty.txt", a.folder);
    snprintf(large, PATH, "%.200s/large.txt", a.folder);
    assert_int_equal(file_write(empty, "", 0, NULL), 0);
    assert_int_equal(file_write(large, "", 0, NULL), 0);
    assert_int_equal(truncate(large, ((off_t)1 << 26) + 1), 0);
    refuses("spec.yaml", text_of, "absent.txt", "2:28", "absent.txt cannot be opened: No such file");
    refuses("spec.yaml", text_of, "/", "2:28", "/ is no file");
    refuses("spec.yaml", text_of, large, "2:28", "larger than the 67108864 bytes that are allowed");
    refuses("spec.yaml", text_of, empty, "2:28", "is empty");
    refuses("spec.yaml", text_of, a.file, "2:28", "training part has 22 bytes; expected at least 33");
    refuses("spec.yaml", text_of, "", "2:16", "has no text");
    refused("spec.yaml:1:1", "model.mask: ", "target: {kind: text, file: \"/proc/self/exe\"}\n",
            NULL);
    file_remove(empty, NULL);
    file_remove(large, NULL);
    close_place(&a);
}

static void test_refusals(void **state)
{
    struct place a;
    char pipe_name[PATH], long_name[PATH];
    open_place(&a, one);
    snprintf(pipe_name, PATH, "%.200s/pipe", a.folder);
    assert_int_equal(mkfifo(pipe_name, 0600), 0);
    memset(long_name, 'x', sizeof long_name);
    long_name[200] = 0;
    refuses(a.spec, code_of, "absent.lua", "1:27", "absent.lua cannot be opened: No such file");
    refuses(a.spec, code_of, ".", "1:27", "is no file");
    refuses(a.spec, code_of, "pipe", "1:27", "is no file"); /* and is not waited for */
    refuses(a.spec, code_of, "/dev/zero", "1:27", "is no file");
    refuses(a.spec, code_of, long_name, "1:27", "too long");
    size_t size = (1 << 16) + 1;
    char *large = memory_alloc(size, 1, NULL);
    memset(large, ' ', size);
    assert_int_equal(file_write(a.file, large, size, NULL), 0);
    refuses(a.spec, code_of, "maps.lua", "1:27", "is larger than");
    memory_free(large);
    file_remove(pipe_name, NULL);
    close_place(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content_is_the_id),
        cmocka_unit_test(test_code_is_tried),
        cmocka_unit_test(test_copies_are_enough),
        cmocka_unit_test(test_copies_are_whole_and_private),
        cmocka_unit_test(test_changed_file_is_not_copied),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_text_refusals),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
