/* urpe-probe evaluate: a cell's weights as they are now, against its floors. */
#include "run/evaluate.h"

#include "base/file.h"
#include "base/system.h"
#include "command.h"
#include "run/run.h"

static int run(const struct arguments *a, struct err *e)
{
    struct spec *s = NULL;
    struct results r = {0};
    struct text rows = {0};
    const char *folder = a->operand[0];
    if (!file_exists(folder))
        return err_set(e, ERR_IO, folder, "does not exist; expected a folder under cells/");
    int code = cell_open(&s, folder, e);
    if (code)
        return code;
    terminal_watch_signals();
    code = cell_evaluate(s, folder, a->threads ? a->threads : system_cores(), terminal_signal(), &rows,
                         e);
    if (!code)
        code = text_check(&rows, e);
    if (!code)
        code = results_parse(&r, s, rows.data, rows.length, e);
    if (!code && !a->quiet)
        code = print_results(a, &r, e);
    results_close(&r);
    text_close(&rows);
    spec_close(s);
    return code;
}

const struct command command_evaluate = {
    .name = "evaluate",
    .operands = "CELL",
    .summary = "judge a cell's weights as they are now, edited or imported",
    .details = "CELL is a folder under RESULTS/cells.  Its weights.safetensors may have been changed, or "
               "come from elsewhere with the same names and shapes; rows are made of them as `run` makes "
               "them, beside the floors of the cell's class.  Nothing is written.",
    .flag = {FLAG_WITNESS_THREADS, FLAG_FORMAT, FLAG_QUIET, FLAG_COLOR},
    .run = run,
};
