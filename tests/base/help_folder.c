#include "base/help_folder.h"
#include "help_temporary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

void help_folder_make(char path[FOLDER_MAX])
{
    help_temporary(path, FOLDER_MAX, "test-XXXXXX");
    assert_non_null(mkdtemp(path));
}

void help_folder_delete(const char *path)
{
    assert_int_equal(help_shell("chmod -R u+rwx '%s' && rm -rf '%s'", path, path), 0);
}

int help_shell(const char *fmt, ...)
{
    char command[2048];
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(command, sizeof command, fmt, args);
    va_end(args);
    assert_true(length > 0 && (size_t)length < sizeof command);
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
