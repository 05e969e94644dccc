/* Error values.  Invariant: the first error that reaches a struct err stays; later calls only put
 * context before it. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, int code, const char *where, const char *fmt, ...)
{
    if (e == NULL || e->code != 0)
        return code;
    e->code = code;
    snprintf(e->where, sizeof e->where, "%s", where != NULL ? where : "");
    va_list args;
    va_start(args, fmt);
    vsnprintf(e->msg, sizeof e->msg, fmt, args);
    va_end(args);
    return code;
}

int err_pass(struct err *e, const struct err *cause)
{
    if (e != NULL && e->code == 0)
        *e = *cause;
    return cause->code;
}

int err_context(struct err *e, const char *fmt, ...)
{
    if (e == NULL || e->code == 0)
        return 0;
    char context[sizeof e->msg];
    va_list args;
    va_start(args, fmt);
    int wanted = vsnprintf(context, sizeof context, fmt, args);
    va_end(args);
    if (wanted <= 0)
        return e->code;

    /* Where both do not fit, the context gives way: the cause is what the user needs. */
    size_t length = strlen(e->msg), room = sizeof e->msg - 1 - length;
    size_t prefix = strlen(context);
    if (room < 2)
        return e->code;
    if (prefix > room - 2)
        prefix = room - 2;
    memmove(e->msg + prefix + 2, e->msg, length + 1);
    memcpy(e->msg, context, prefix);
    memcpy(e->msg + prefix, ": ", 2);
    return e->code;
}

const char *err_system(int number)
{
    static _Thread_local char text[128]; /* one per thread: the caller has no buffer to give */
    if (strerror_r(number, text, sizeof text) != 0)
        snprintf(text, sizeof text, "system error %d", number);
    return text;
}

int err_exit_status(int code)
{
    switch (code) {
    case 0:
        return 0;
    case ERR_USAGE:
        return 2;
    case ERR_IO:
    case ERR_MEMORY:
    case ERR_FORMAT:
        return 3;
    default:
        return 1;
    }
}
