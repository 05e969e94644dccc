/* urpe-probe: what can a Transformer with a given positional encoding express?
 *
 * The table of commands, and the one place where codes become messages and an exit status. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/system.h"
#include "command.h"
#include "kernel/kernel.h"

/* In the order of `--help`. */
#define COMMANDS(COMMAND)                                                                       \
    COMMAND(run) COMMAND(check) COMMAND(list) COMMAND(bound) COMMAND(card) COMMAND(explain)     \
    COMMAND(witness) COMMAND(conditions) COMMAND(report) COMMAND(samples) COMMAND(score)        \
    COMMAND(predict) COMMAND(evaluate) COMMAND(bench) COMMAND(completion)
#define DECLARE(name) extern const struct command command_##name;
#define ADDRESS(name) &command_##name,

COMMANDS(DECLARE)
const struct command *const command_table[] = {COMMANDS(ADDRESS) NULL};

const char *program_word = "";

enum { CPU_NAME_MAX = 128 };

static int print_version(struct err *e)
{
    char cpu[CPU_NAME_MAX];
    int code = kernel_open(e);
    if (code)
        return code;
    system_cpu_name(cpu, sizeof cpu);
    printf("urpe-probe %s\nnumerics   %d (results of another numerics version are never reused)\n"
           "kernels    %s\nBLAS       %s\nCPU        %s\n",
           URPE_VERSION, SPEC_NUMERICS_VERSION, kernel_name(), kernel_blas_name(), cpu);
    return 0;
}

static int print_help(const struct command *c, struct err *e)
{
    struct text text = {0};
    int code = c ? help_command(c, &text, e) : help_program(&text, e);
    if (!code)
        code = terminal_put(&text, e);
    text_close(&text);
    return code;
}

static int run_command(const char *name, int count, char **word, struct err *e)
{
    struct arguments a = {0};
    bool help = false;
    const struct command *c = command_find(name, e);
    if (!c)
        return ERR_USAGE;
    int code = arguments_parse(&a, c, count, word, &help, e);
    if (!code)
        code = help ? print_help(c, e) : c->run(&a, e);
    if (code < 0 && e->where[0])
        arguments_blame(&a, c, e);
    arguments_close(&a);
    return code;
}

/* Error codes are negative, exit statuses are not. */
static int dispatch(int count, char **word, struct err *e)
{
    if (count < 2)
        return err_set(e, ERR_USAGE, NULL, "a command is missing; see `urpe-probe --help`");
    if (strcmp(word[1], "--version") == 0)
        return print_version(e);
    if (strcmp(word[1], "--help") == 0 || strcmp(word[1], "-h") == 0)
        return print_help(NULL, e);
    if (strcmp(word[1], "help") == 0) {
        const struct command *c = count > 2 ? command_find(word[2], e) : NULL;
        return count > 2 && !c ? ERR_USAGE : print_help(c, e);
    }
    return run_command(word[1], count - 2, word + 2, e);
}

static int exit_status(int code, const struct err *e)
{
    if (code >= 0)
        return code;
    if (code == ERR_INTERRUPTED)
        return SIGNAL_STATUS + *terminal_signal();
    text_say(stderr, "%s: %s", e->where[0] ? e->where : "urpe-probe", e->msg);
    return err_exit_status(code);
}

int main(int count, char **word)
{
    struct err e = {0}, closing = {0};
    program_word = word[0];
    if (kernel_settle_blas())
        system_restart(word);
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is a failed write like any other */
    signal(SIGXFSZ, SIG_IGN); /* and so is a file that grew too large */
    int status = exit_status(dispatch(count, word, &e), &e);
    int code = terminal_finish(&closing);
    if (code && status <= EXIT_FAILED)
        status = exit_status(code, &closing);
    return status;
}
