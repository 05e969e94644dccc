/* urpe-probe completion: completion for shells; the man page is man.c's.
 *
 * Invariant: everything comes from the tables of commands and options, so it cannot disagree with
 * what the program accepts. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "command.h"

/* What a value or an operand is, told from how help writes it. */
enum value_kind {
    VALUE_NONE,
    VALUE_FILE,
    VALUE_FOLDER,
    VALUE_WORDS,
    VALUE_SETTING, /* a key of a spec and its value */
    VALUE_FREE,
    VALUE_KINDS
};

static enum value_kind kind_of(const char *value)
{
    static const struct {
        const char *start;
        enum value_kind kind;
    } names[] = {{"DIR", VALUE_FOLDER}, {"CELL", VALUE_FOLDER}, {"FILE", VALUE_FILE},
                 {"SPEC", VALUE_FILE},   {"KEY=", VALUE_SETTING}};
    if (!value || !*value)
        return VALUE_NONE;
    if (strchr(value, '|'))
        return VALUE_WORDS;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (strncmp(value, names[k].start, strlen(names[k].start)) == 0)
            return names[k].kind;
    return VALUE_FREE;
}

/* ---- keys of --set ----------------------------------------------------------------------------*/
/* A key that --set takes, and the words among its values, with blanks between them. */
struct setting {
    const char *key;
    struct text words;
};
struct settings_known {
    struct spec_key *keys;
    struct setting *item;
    int count;
};

static void append_word(struct text *words, const char *word)
{
    size_t length = strlen(word);
    const char *at = words->data;
    while (at && (at = strstr(at, word)) && ((at != words->data && at[-1] != ' ') ||
                                             (at[length] && at[length] != ' ')))
        at++;
    if (!at)
        text_append_format(words, "%s%s", words->length ? " " : "", word);
}

static void append_words(struct text *words, const struct option *o)
{
    const char *name;
    bool named = o->type == OPTION_CHOICE || o->type == OPTION_KIND;
    for (int k = 0; named && (name = option_name(o, k)); k++)
        append_word(words, name);
    if (o->type == OPTION_BOOL) {
        append_word(words, "true");
        append_word(words, "false");
    }
}

/* Options of several kinds may share a key: it is there once, with the words of all. */
static int settings_open(struct settings_known *s, struct err *e)
{
    int keys = 0, code = spec_keys(&s->keys, &keys, e);
    s->item = code ? NULL : memory_alloc((size_t)keys, sizeof *s->item, e);
    if (!s->item)
        return code ? code : ERR_MEMORY;
    for (int k = 0; k < keys && !code; k++) {
        int at = 0;
        if (s->keys[k].type) /* grid, cases, claims */
            continue;
        while (at < s->count && strcmp(s->item[at].key, s->keys[k].key) != 0)
            at++;
        if (at == s->count)
            s->item[s->count++].key = s->keys[k].key;
        append_words(&s->item[at].words, s->keys[k].option);
        code = text_check(&s->item[at].words, e);
    }
    return code;
}

static void settings_close(struct settings_known *s)
{
    for (int k = 0; k < s->count; k++)
        text_close(&s->item[k].words);
    memory_free(s->item);
    memory_free(s->keys);
}

/* Every key, between two texts. */
static void append_keys(struct text *out, const struct settings_known *s, const char *before,
                        const char *after)
{
    for (int k = 0; k < s->count; k++)
        text_append_format(out, "%s%s%s", before, s->item[k].key, after);
}

/* An arm of a shell's case for each key that has words: BEFORE key BETWEEN words AFTER. */
static void append_arms(struct text *out, const struct settings_known *s, const char *before,
                        const char *between, const char *after)
{
    for (int k = 0; k < s->count; k++)
        if (s->item[k].words.length)
            text_append_format(out, "%s%s%s%s%s", before, s->item[k].key, between,
                               s->item[k].words.data, after);
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
    [VALUE_FOLDER] = {"-d", ""},    [VALUE_WORDS] = {"-W '", "'"},
    [VALUE_SETTING] = {"-S = -W \"$_urpe_keys\"; compopt -o nospace +o filenames 2>/dev/null", ""}};

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

/* Bash takes KEY=VALUE for three words. */
static void append_bash(struct text *out, const struct settings_known *s)
{
    text_append(out, "# bash completion for urpe-probe\n"
                     "_urpe_reply() { mapfile -t COMPREPLY < <(compgen \"$@\" -- \"$word\"); }\n"
                     "_urpe_keys='");
    append_keys(out, s, " ", "");
    text_append(out, "'\n_urpe_value() {\n    case $1 in\n");
    append_arms(out, s, "    ", ") _urpe_reply -W '", "' ;;\n");
    text_append(out, "    *) COMPREPLY=() ;;\n    esac\n}\n"
                     "_urpe_probe() {\n"
                     "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
                     "    local at=$((COMP_CWORD - 2))\n"
                     "    if [ \"$word\" = = ]; then word=; at=$((at + 1)); elif [ \"$before\" != = ]; then at=0; fi\n"
                     "    if [ \"$at\" -gt 1 ] && [ \"${COMP_WORDS[at-1]}\" = --set ]; then\n"
                     "        _urpe_value \"${COMP_WORDS[at]}\"\n        return\n    fi\n"
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
    [VALUE_SETTING] = {":_urpe_setting", ""},
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

static void append_zsh(struct text *out, const struct settings_known *s)
{
    text_append(out, "#compdef urpe-probe\n_urpe_setting() {\n    if ! compset -P 1 '*='; then\n"
                     "        compadd -S = --");
    append_keys(out, s, " ", "");
    text_append(out, "\n        return\n    fi\n    case $IPREFIX in\n");
    append_arms(out, s, "    ", "=) compadd -- ", " ;;\n");
    text_append(out, "    esac\n}\n_urpe_probe() {\n    local -a commands=(\n");
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
    [VALUE_SETTING] = {" -x -a '(__urpe_setting)'", ""},
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

static void append_fish(struct text *out, const struct settings_known *s)
{
    text_append(out, "# fish completion for urpe-probe\n"
                     "function __urpe_setting\n    set -l key (commandline -ct | string split -m 1 =)[1]\n"
                     "    switch (commandline -ct)\n");
    append_arms(out, s, "    case '", "=*'\n        printf '%s\\n' $key=(string split ' ' '", "')\n");
    text_append(out, "    case '*=*'\n    case '*'\n        printf '%s=\\n'");
    append_keys(out, s, " ", "");
    text_append(out, "\n    end\nend\ncomplete -c urpe-probe -f\n");
    for (int k = 0; command_table[k]; k++)
        append_fish_command(out, command_table[k]);
}

/* ---- the command ------------------------------------------------------------------------------*/
#define SHELLS "bash|zsh|fish|man"
static int run(const struct arguments *a, struct err *e)
{
    static void (*const append[])(struct text *out, const struct settings_known *s) = {
        append_bash, append_zsh, append_fish}; /* as in SHELLS; the last is the man page */
    enum { COUNT = sizeof append / sizeof *append };
    struct text text = {0};
    struct settings_known known = {0};
    int form = choose(SHELLS, "completion", a->operand[0], e);
    if (form < 0)
        return form;
    int code = form < COUNT ? settings_open(&known, e) : man_append(&text, e);
    if (!code && form < COUNT)
        append[form](&text, &known);
    if (!code)
        code = terminal_put(&text, e);
    settings_close(&known);
    text_close(&text);
    return code;
}

const struct command command_completion = {
    .name = "completion",
    .operands = SHELLS,
    .summary = "print completion for a shell, or the man page",
    .details = "`make install` puts all four where shells and man look for them.  Without "
               "installing: source <(urpe-probe completion bash).",
    .run = run,
};
