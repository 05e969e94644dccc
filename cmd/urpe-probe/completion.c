/* urpe-probe completion: completion for shells, and the man page.
 *
 * Invariant: everything comes from the tables of commands and options, so it cannot disagree with
 * what the program accepts. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "commands.h"

/* What a value or an operand is, told from how help writes it. */
enum value_kind { VALUE_NONE, VALUE_FILE, VALUE_FOLDER, VALUE_WORDS, VALUE_FREE };

/* Puts the words of a value ("table csv json"), if it has some, into `words`. */
static enum value_kind kind_of(const char *value, char *words, size_t size)
{
    *words = '\0';
    if (!value || !*value)
        return VALUE_NONE;
    if (strcmp(value, "FORMAT") == 0) {
        snprintf(words, size, "table csv json");
        return VALUE_WORDS;
    }
    if (strchr(value, '|')) {
        size_t at = 0;
        for (const char *s = value; *s && at + 1 < size; s++)
            if (*s != '[' && *s != ']')
                words[at++] = *s == '|' ? ' ' : *s;
        words[at] = '\0';
        return VALUE_WORDS;
    }
    if (strncmp(value, "DIR", 3) == 0 || strncmp(value, "CELL", 4) == 0)
        return VALUE_FOLDER;
    if (strncmp(value, "FILE", 4) == 0 || strncmp(value, "SPEC", 4) == 0)
        return VALUE_FILE;
    return VALUE_FREE;
}

enum { WORDS_MAX = 256 };

/* Appends s with a backslash before each of `special`, and each ' as '\'' where it is quoted. */
static void append_escaped(struct text *out, const char *s, const char *special)
{
    for (; *s; s++) {
        if (*s == '\'') {
            text_append(out, "'\\''");
            continue;
        }
        if (strchr(special, *s))
            text_append(out, "\\");
        text_append_bytes(out, s, 1);
    }
}

/* ---- bash -------------------------------------------------------------------------------------*/
static void append_bash_reply(struct text *out, enum value_kind kind, const char *words)
{
    switch (kind) {
    case VALUE_FILE: text_append(out, "mapfile -t COMPREPLY < <(compgen -f -- \"$word\")"); break;
    case VALUE_FOLDER: text_append(out, "mapfile -t COMPREPLY < <(compgen -d -- \"$word\")"); break;
    case VALUE_WORDS:
        text_append_format(out, "mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$word\")", words);
        break;
    case VALUE_NONE:
    case VALUE_FREE: text_append(out, "COMPREPLY=()"); break;
    }
}

/* What follows an option that has a value; options of one name mean the same everywhere. */
static void append_bash_values(struct text *out)
{
    struct command_option o;
    char words[WORDS_MAX];
    text_append(out, "    case \"$before\" in\n");
    for (int k = 0; command_option_at(NULL, k, &o); k++) {
        enum value_kind kind = kind_of(o.value, words, sizeof words);
        if (kind == VALUE_NONE)
            continue;
        text_append_format(out, "    %s) ", o.name);
        append_bash_reply(out, kind, words);
        text_append(out, "; return ;;\n");
    }
    text_append(out, "    esac\n");
}

static void append_bash_command(struct text *out, const struct command *c)
{
    struct command_option o;
    char words[WORDS_MAX];
    text_append_format(out, "    %s)\n        case \"$word\" in\n        -*) ", c->name);
    text_append(out, "mapfile -t COMPREPLY < <(compgen -W '");
    for (int k = 0; command_option_at(c, k, &o); k++)
        text_append_format(out, "%s%s", k ? " " : "", o.name);
    text_append(out, "' -- \"$word\") ;;\n        *) ");
    append_bash_reply(out, kind_of(c->operands, words, sizeof words), words);
    text_append(out, " ;;\n        esac ;;\n");
}

static void append_bash(struct text *out)
{
    text_append(out, "# bash completion for urpe-probe\n_urpe_probe() {\n"
                     "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
                     "    if [ \"$COMP_CWORD\" = 1 ]; then\n"
                     "        mapfile -t COMPREPLY < <(compgen -W '");
    for (int k = 0; command_table[k]; k++)
        text_append_format(out, "%s ", command_table[k]->name);
    text_append(out, "--help --version' -- \"$word\")\n        return\n    fi\n");
    append_bash_values(out);
    text_append(out, "    case \"${COMP_WORDS[1]}\" in\n");
    for (int k = 0; command_table[k]; k++)
        append_bash_command(out, command_table[k]);
    text_append(out, "    esac\n}\ncomplete -o filenames -F _urpe_probe urpe-probe\n");
}

/* ---- zsh --------------------------------------------------------------------------------------*/
static void append_zsh_value(struct text *out, const char *value)
{
    char words[WORDS_MAX];
    enum value_kind kind = kind_of(value, words, sizeof words);
    if (kind == VALUE_NONE)
        return;
    text_append(out, ":");
    append_escaped(out, value, ":[]");
    text_append(out, ":");
    if (kind == VALUE_FILE)
        text_append(out, "_files");
    if (kind == VALUE_FOLDER)
        text_append(out, "_directories");
    if (kind == VALUE_WORDS)
        text_append_format(out, "(%s)", words);
}

static void append_zsh_command(struct text *out, const struct command *c)
{
    struct command_option o;
    text_append_format(out, "    %s) _arguments", c->name);
    for (int k = 0; command_option_at(c, k, &o); k++) {
        text_append_format(out, " \\\n        '%s%s[", strcmp(o.name, "--set") ? "" : "*", o.name);
        append_escaped(out, o.help, ":[]");
        text_append(out, "]");
        append_zsh_value(out, o.value);
        text_append(out, "'");
    }
    if (*c->operands) {
        text_append(out, " \\\n        '*");
        append_zsh_value(out, c->operands);
        text_append(out, "'");
    }
    text_append(out, " ;;\n");
}

static void append_zsh(struct text *out)
{
    text_append(out, "#compdef urpe-probe\n_urpe_probe() {\n    local -a commands=(\n");
    for (int k = 0; command_table[k]; k++) {
        text_append_format(out, "        '%s:", command_table[k]->name);
        append_escaped(out, command_table[k]->summary, ":");
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
static void append_fish_value(struct text *out, const char *value)
{
    char words[WORDS_MAX];
    switch (kind_of(value, words, sizeof words)) {
    case VALUE_NONE: break;
    case VALUE_FREE: text_append(out, " -x"); break;
    case VALUE_FILE: text_append(out, " -r -F"); break;
    case VALUE_FOLDER: text_append(out, " -x -a '(__fish_complete_directories)'"); break;
    case VALUE_WORDS: text_append_format(out, " -x -a '%s'", words); break;
    }
}

/* Quotes within fish's single quotes are \', and a backslash is \\. */
static void append_fish_help(struct text *out, const char *help)
{
    text_append(out, " -d '");
    for (; *help; help++) {
        if (*help == '\'' || *help == '\\')
            text_append(out, "\\");
        text_append_bytes(out, help, 1);
    }
    text_append(out, "'\n");
}

static void append_fish_command(struct text *out, const struct command *c)
{
    struct command_option o;
    char words[WORDS_MAX];
    const char *within = "complete -c urpe-probe -n '__fish_seen_subcommand_from";
    text_append_format(out, "complete -c urpe-probe -n __fish_use_subcommand -a %s", c->name);
    append_fish_help(out, c->summary);
    for (int k = 0; command_option_at(c, k, &o); k++) {
        text_append_format(out, "%s %s' -l %s", within, c->name, o.name + 2);
        append_fish_value(out, o.value);
        append_fish_help(out, o.help);
    }
    switch (kind_of(c->operands, words, sizeof words)) {
    case VALUE_FILE: text_append_format(out, "%s %s' -F\n", within, c->name); break;
    case VALUE_FOLDER:
        text_append_format(out, "%s %s' -a '(__fish_complete_directories)'\n", within, c->name);
        break;
    case VALUE_WORDS: text_append_format(out, "%s %s' -a '%s'\n", within, c->name, words); break;
    case VALUE_NONE:
    case VALUE_FREE: break;
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
    for (; *name; name++)
        if (*name == '-')
            text_append(out, "\\-");
        else
            text_append_bytes(out, name, 1);
    text_append_format(out, "\\fR%s%s%s\n", value ? " \\fI" : "", value ? value : "",
                       value ? "\\fR" : "");
    append_roff(out, help);
}

static void append_man_command(struct text *out, const struct command *c)
{
    struct command_option o;
    text_append_format(out, ".SS \"%s %s\"\n", c->name, c->operands);
    append_roff(out, c->summary);
    text_append(out, ".PP\n");
    append_roff(out, c->details);
    for (int k = 0; command_option_at(c, k, &o); k++)
        append_man_entry(out, o.name, o.value, o.help);
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
static const struct {
    const char *name;
    void (*append)(struct text *out);
} form[] = {{"bash", append_bash}, {"zsh", append_zsh}, {"fish", append_fish}, {"man", append_man}};
enum { FORMS = sizeof form / sizeof *form };

static int run(const struct arguments *a, struct err *e)
{
    struct text text = {0};
    const char *names[FORMS];
    for (int k = 0; k < FORMS; k++) {
        names[k] = form[k].name;
        if (strcmp(a->operand[0], form[k].name) != 0)
            continue;
        form[k].append(&text);
        int code = terminal_put(&text, e);
        text_close(&text);
        return code;
    }
    const char *near = text_nearest(a->operand[0], names, FORMS);
    return err_set(e, ERR_USAGE, NULL, "%s: bash, zsh, fish or man was expected%s%s%s",
                   a->operand[0], near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

const struct command command_completion = {
    .name = "completion",
    .operands = "bash|zsh|fish|man",
    .summary = "print completion for a shell, or the man page",
    .details = "`make install` puts all four where shells and man look for them.  Without "
               "installing: source <(urpe-probe completion bash).",
    .options = 0,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
