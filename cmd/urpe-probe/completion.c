/* urpe-probe completion: completion for shells, and the man page.
 *
 * Invariant: everything comes from the tables of commands and options, so it cannot disagree with
 * what the program accepts. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "commands.h"

/* What a value or an operand is, told from how help writes it. */
enum value_kind { VALUE_NONE, VALUE_FILE, VALUE_FOLDER, VALUE_WORDS, VALUE_FREE, VALUE_KINDS };

static enum value_kind kind_of(const char *value)
{
    static const struct {
        const char *start;
        enum value_kind kind;
    } names[] = {{"DIR", VALUE_FOLDER}, {"CELL", VALUE_FOLDER}, {"FILE", VALUE_FILE},
                 {"SPEC", VALUE_FILE}};
    if (!value || !*value)
        return VALUE_NONE;
    if (strchr(value, '|'))
        return VALUE_WORDS;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (strncmp(value, names[k].start, strlen(names[k].start)) == 0)
            return names[k].kind;
    return VALUE_FREE;
}

/* How a shell says what may stand somewhere: around the words, or by itself. */
struct phrase {
    const char *before, *after;
};

/* Appends the phrase for `value`, and its words with blanks between them. */
static void append_value(struct text *out, const struct phrase phrase[VALUE_KINDS],
                         const char *value)
{
    enum value_kind kind = kind_of(value);
    text_append(out, phrase[kind].before);
    for (const char *s = value; kind == VALUE_WORDS && *s; s++)
        if (!strchr("[]", *s))
            text_append_bytes(out, *s == '|' ? " " : s, 1);
    text_append(out, phrase[kind].after);
}

/* Appends s with a backslash before each of `special`, and `quote` for each '. */
static void append_escaped(struct text *out, const char *s, const char *special, const char *quote)
{
    for (; *s; s++) {
        if (*s == '\'') {
            text_append(out, quote);
            continue;
        }
        if (strchr(special, *s))
            text_append(out, "\\");
        text_append_bytes(out, s, 1);
    }
}

/* ---- bash -------------------------------------------------------------------------------------*/
static const struct phrase bash_phrase[VALUE_KINDS] = {
    [VALUE_NONE] = {"-W ''", ""},   [VALUE_FREE] = {"-W ''", ""},  [VALUE_FILE] = {"-f", ""},
    [VALUE_FOLDER] = {"-d", ""},    [VALUE_WORDS] = {"-W '", "'"}};

/* One arm for the value of each flag, one for the flags themselves, one for operands. */
static void append_bash_command(struct text *out, const struct command *c)
{
    const struct flag *f;
    for (int k = 0; (f = command_flag(c, k)); k++) {
        if (!f->value)
            continue;
        text_append_format(out, "    '%s %s '*) _urpe_reply ", c->name, f->name);
        append_value(out, bash_phrase, f->value);
        text_append(out, " ;;\n");
    }
    text_append_format(out, "    '%s '*' -'*) _urpe_reply -W '", c->name);
    for (int k = 0; (f = command_flag(c, k)); k++)
        text_append_format(out, "%s%s", k ? " " : "", f->name);
    text_append_format(out, "' ;;\n    '%s '*) _urpe_reply ", c->name);
    append_value(out, bash_phrase, c->operands);
    text_append(out, " ;;\n");
}

static void append_bash(struct text *out)
{
    text_append(out, "# bash completion for urpe-probe\n"
                     "_urpe_reply() { mapfile -t COMPREPLY < <(compgen \"$@\" -- \"$word\"); }\n"
                     "_urpe_probe() {\n"
                     "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
                     "    if [ \"$COMP_CWORD\" = 1 ]; then\n        _urpe_reply -W '");
    for (int k = 0; command_table[k]; k++)
        text_append_format(out, "%s ", command_table[k]->name);
    text_append(out, "--help --version'\n        return\n    fi\n"
                     "    case \"${COMP_WORDS[1]} $before $word\" in\n");
    for (int k = 0; command_table[k]; k++)
        append_bash_command(out, command_table[k]);
    text_append(out, "    *) COMPREPLY=() ;;\n    esac\n}\n"
                     "complete -o filenames -F _urpe_probe urpe-probe\n");
}

/* ---- zsh --------------------------------------------------------------------------------------*/
#define ZSH_QUOTE "'\\''" /* within '...' */
static const struct phrase zsh_phrase[VALUE_KINDS] = {
    [VALUE_NONE] = {"", ""},
    [VALUE_FREE] = {":", ""},
    [VALUE_FILE] = {":_files", ""},
    [VALUE_FOLDER] = {":_directories", ""},
    [VALUE_WORDS] = {":(", ")"}};

static void append_zsh_value(struct text *out, const char *value)
{
    if (value && *value) {
        text_append(out, ":");
        append_escaped(out, value, ":[]", ZSH_QUOTE);
    }
    append_value(out, zsh_phrase, value);
    text_append(out, "'");
}

static void append_zsh_command(struct text *out, const struct command *c)
{
    const struct flag *f;
    text_append_format(out, "    %s) _arguments", c->name);
    for (int k = 0; (f = command_flag(c, k)); k++) {
        text_append_format(out, " \\\n        '%s%s[", strcmp(f->name, "--set") ? "" : "*", f->name);
        append_escaped(out, f->help, ":[]", ZSH_QUOTE);
        text_append(out, "]");
        append_zsh_value(out, f->value);
    }
    if (*c->operands) {
        text_append(out, " \\\n        '*");
        append_zsh_value(out, c->operands);
    }
    text_append(out, " ;;\n");
}

static void append_zsh(struct text *out)
{
    text_append(out, "#compdef urpe-probe\n_urpe_probe() {\n    local -a commands=(\n");
    for (int k = 0; command_table[k]; k++) {
        text_append_format(out, "        '%s:", command_table[k]->name);
        append_escaped(out, command_table[k]->summary, ":", ZSH_QUOTE);
        text_append(out, "'\n");
    }
    text_append(out, "    )\n    if (( CURRENT == 2 )); then\n"
                     "        _describe command commands\n        return\n    fi\n"
                     "    shift words\n    (( CURRENT-- ))\n    case $words[1] in\n");
    for (int k = 0; command_table[k]; k++)
        append_zsh_command(out, command_table[k]);
    text_append(out, "    esac\n}\n_urpe_probe \"$@\"\n");
}

/* ---- fish -------------------------------------------------------------------------------------*/
static const struct phrase fish_phrase[VALUE_KINDS] = {
    [VALUE_NONE] = {"", ""},
    [VALUE_FREE] = {" -x", ""},
    [VALUE_FILE] = {" -r -F", ""},
    [VALUE_FOLDER] = {" -x -a '(__fish_complete_directories)'", ""},
    [VALUE_WORDS] = {" -x -a '", "'"}};
static const struct phrase fish_operand[VALUE_KINDS] = {
    [VALUE_FILE] = {" -F", ""},
    [VALUE_FOLDER] = {" -a '(__fish_complete_directories)'", ""},
    [VALUE_WORDS] = {" -a '", "'"}};

static void append_fish_help(struct text *out, const char *help)
{
    text_append(out, " -d '");
    append_escaped(out, help, "\\", "\\'");
    text_append(out, "'\n");
}

static void append_fish_command(struct text *out, const struct command *c)
{
    const struct flag *f;
    const char *within = "complete -c urpe-probe -n '__fish_seen_subcommand_from";
    text_append_format(out, "complete -c urpe-probe -n __fish_use_subcommand -a %s", c->name);
    append_fish_help(out, c->summary);
    for (int k = 0; (f = command_flag(c, k)); k++) {
        text_append_format(out, "%s %s' -l %s", within, c->name, f->name + 2);
        append_value(out, fish_phrase, f->value);
        append_fish_help(out, f->help);
    }
    if (fish_operand[kind_of(c->operands)].before) {
        text_append_format(out, "%s %s'", within, c->name);
        append_value(out, fish_operand, c->operands);
        text_append(out, "\n");
    }
}

static void append_fish(struct text *out)
{
    text_append(out, "# fish completion for urpe-probe\ncomplete -c urpe-probe -f\n");
    for (int k = 0; command_table[k]; k++)
        append_fish_command(out, command_table[k]);
}

/* ---- the man page -----------------------------------------------------------------------------*/
/* Text for roff: no hyphens for minus signs, no requests by accident, lines as given. */
static void append_roff(struct text *out, const char *s)
{
    bool start = true;
    for (; *s; s++) {
        if (start && (*s == '.' || *s == '\''))
            text_append(out, "\\&");
        start = *s == '\n';
        if (*s == '\\')
            text_append(out, "\\e");
        else if (*s == '-')
            text_append(out, "\\-");
        else if (start)
            text_append(out, "\n.PP\n");
        else
            text_append_bytes(out, s, 1);
    }
    text_append(out, "\n");
}

/* A bold name, its value in italics, and what it means. */
static void append_man_entry(struct text *out, const char *name, const char *value,
                             const char *help)
{
    text_append(out, ".TP\n\\fB");
    append_escaped(out, name, "-", "'");
    text_append_format(out, "\\fR%s%s%s\n", value ? " \\fI" : "", value ? value : "",
                       value ? "\\fR" : "");
    append_roff(out, help);
}

static void append_man_command(struct text *out, const struct command *c)
{
    const struct flag *f;
    text_append_format(out, ".SS \"%s %s\"\n", c->name, c->operands);
    append_roff(out, c->summary);
    text_append(out, ".PP\n");
    append_roff(out, c->details);
    for (int k = 0; (f = command_flag(c, k)); k++)
        append_man_entry(out, f->name, f->value, f->help);
}

static void append_man(struct text *out)
{
    text_append(out, ".TH URPE\\-PROBE 1 \"\" \"urpe\\-probe " URPE_VERSION "\" \"\"\n"
                     ".SH NAME\nurpe\\-probe \\- what a Transformer with a given positional "
                     "encoding can express\n"
                     ".SH SYNOPSIS\n.B urpe\\-probe\n.I COMMAND\n[OPTIONS] ...\n"
                     ".SH DESCRIPTION\n");
    append_roff(out, program_summary);
    text_append(out, ".SH COMMANDS\n");
    for (int k = 0; command_table[k]; k++)
        append_man_command(out, command_table[k]);
    text_append(out, ".SH EXIT STATUS\n");
    for (int k = 0; exit_table[k].status; k++)
        append_man_entry(out, exit_table[k].status, NULL, exit_table[k].meaning);
}

/* ---- the command ------------------------------------------------------------------------------*/
static int run(const struct arguments *a, struct err *e)
{
    static void (*const append[])(struct text *out) = {append_bash, append_zsh, append_fish,
                                                       append_man}; /* as in .operands */
    struct text text = {0};
    int form = choose(command_completion.operands, "completion", a->operand[0], e);
    if (form < 0)
        return form;
    append[form](&text);
    int code = terminal_put(&text, e);
    text_close(&text);
    return code;
}

const struct command command_completion = {
    .name = "completion",
    .operands = "bash|zsh|fish|man",
    .summary = "print completion for a shell, or the man page",
    .details = "`make install` puts all four where shells and man look for them.  Without "
               "installing: source <(urpe-probe completion bash).",
    .run = run,
};
