/* The worked example of a room's README.md, its only C block, compiled as it stands into a shared object. */
#ifndef HELP_README_H
#define HELP_README_H
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/real.h"
#include "base/text.h"
#include "help_temporary.h"

struct help_readme {
    char folder[256], source[300], object[300];
    void *library;
    int lines;
};

static inline void help_readme_extract(struct help_readme *r, const char *page)
{
    struct err e = {0};
    char *text;
    size_t size;
    assert_int_equal(file_read(page, 1 << 20, &text, &size, &e), 0);
    char *begin = strstr(text, "```c\n");
    assert_non_null(begin);
    begin += 5;
    char *end = strstr(begin, "```");
    assert_non_null(end);
    assert_null(strstr(end, "```c\n"));
    for (const char *c = begin; c < end; c++)
        r->lines += *c == '\n';
    assert_int_equal(file_write(r->source, begin, (size_t)(end - begin), &e), 0);
    memory_free(text);
}

/* With the sources `with`; what else it names is looked for when it is called. */
static inline void help_readme_open(struct help_readme *r, const char *page, const char *with)
{
    struct err e = {0};
    struct text command = {0};
    const char *compiler = getenv("CC");
    *r = (struct help_readme){.lines = 0};
    help_temporary(r->folder, sizeof r->folder, "readme-XXXXXX");
    assert_non_null(mkdtemp(r->folder));
    assert_int_equal(file_join(r->source, sizeof r->source, r->folder, "example.c", &e), 0);
    assert_int_equal(file_join(r->object, sizeof r->object, r->folder, "example.so", &e), 0);
    help_readme_extract(r, page);
    text_append_format(&command,
                       "%s -std=c11 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -Wall -Wextra -Wno-unused-parameter "
                       "-Wpedantic -Wshadow -Werror -O1 -fPIC -shared %s -Ilib $(pkg-config "
                       "--cflags gsl) -o %s %s %s -lm",
                       compiler ? compiler : "cc", sizeof(real) == 8 ? "-DREAL_DOUBLE" : "",
                       r->object, r->source, with);
    assert_int_equal(text_check(&command, NULL), 0);
    assert_int_equal(system(command.data), 0);
    text_close(&command);
    r->library = dlopen(r->object, RTLD_LAZY | RTLD_LOCAL);
    assert_non_null(r->library);
}

static inline void help_readme_close(struct help_readme *r)
{
    struct err e = {0};
    dlclose(r->library);
    assert_int_equal(file_remove(r->source, &e), 0);
    assert_int_equal(file_remove(r->object, &e), 0);
    assert_int_equal(rmdir(r->folder), 0);
}

#endif
