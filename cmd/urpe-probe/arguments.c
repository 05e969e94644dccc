/* The command line.  Invariant: what --help shows and what is accepted come from flag_table
 * alone. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "command.h"
#include "spec/spec.h"

enum { HELP_WIDTH = 80, HELP_INDENT = 24, NARROW = 60, NARROW_INDENT = 6 };
enum { COUNT_MAX = 4096, MANY_MAX = 10000000, SHARDS_MAX = 1000000, NAMES_MAX = 64 };

/* ---- words of a choice ------------------------------------------------------------------------*/
/* Cuts "[a|b|c]" in buffer into its words; returns how many. */
static int split(char *buffer, const char *name[NAMES_MAX])
{
    int count = 0;
    char *rest;
    for (char *at = strtok_r(buffer, "[|]", &rest); at && count < NAMES_MAX;
         at = strtok_r(NULL, "[|]", &rest))
        name[count++] = at;
    return count;
}

int choose(const char *words, const char *what, const char *word, struct err *e)
{
    char buffer[256], list[256] = "";
    const char *name[NAMES_MAX];
    snprintf(buffer, sizeof buffer, "%s", words);
    int count = split(buffer, name);
    for (int k = 0; k < count; k++) {
        if (strcmp(name[k], word) == 0)
            return k;
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s",
                 k == 0 ? "" : k == count - 1 ? " or " : ", ", name[k]);
    }
    const char *near = text_nearest(word, name, count);
    return err_set(e, ERR_USAGE, NULL, "%s %s: %s was expected%s%s%s", what, word, list,
                   near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

/* ---- what each type of flag takes -------------------------------------------------------------*/
static int take_on(const struct flag *f, const char *value, void *field, struct err *e)
{
    *(bool *)field = true;
    return 0;
}

static int take_off(const struct flag *f, const char *value, void *field, struct err *e)
{
    *(bool *)field = false;
    return 0;
}

static int take_text(const struct flag *f, const char *value, void *field, struct err *e)
{
    if (!*value)
        return err_set(e, ERR_USAGE, NULL, "%s: a name was expected", f->name);
    *(const char **)field = value;
    return 0;
}

/* Where something is written: links that the user names are followed, those beyond are not. */
static int take_path(const struct flag *f, const char *value, void *field, struct err *e)
{
    char path[FILE_PATH_MAX], **out = field;
    const char *text;
    int code = take_text(f, value, &text, e);
    if (!code)
        code = file_real(path, value, e);
    if (code)
        return code;
    memory_free(*out);
    *out = memory_text(path, e);
    return *out ? 0 : ERR_MEMORY;
}

static int take_count(const struct flag *f, const char *value, void *field, struct err *e)
{
    int64_t number;
    if (!text_to_int64(value, &number) || number < 1 || number > COUNT_MAX)
        return err_set(e, ERR_USAGE, NULL, "%s %s: a number from 1 to %d was expected", f->name,
                       value, COUNT_MAX);
    *(int *)field = (int)number;
    return 0;
}

static int take_many(const struct flag *f, const char *value, void *field, struct err *e)
{
    int64_t number;
    if (!text_to_int64(value, &number) || number < 1 || number > MANY_MAX)
        return err_set(e, ERR_USAGE, NULL, "%s %s: a number from 1 to %d was expected", f->name,
                       value, MANY_MAX);
    *(int *)field = (int)number;
    return 0;
}

static int take_choice(const struct flag *f, const char *value, void *field, struct err *e)
{
    int index = choose(f->value, f->name, value, e);
    *(int *)field = index;
    return index < 0 ? index : 0;
}

static int take_settings(const struct flag *f, const char *value, void *field, struct err *e)
{
    struct settings *s = field;
    if (!strchr(value, '=') || value[0] == '=')
        return err_set(e, ERR_USAGE, NULL, "%s %s: %s was expected", f->name, value, f->value);
    int code = memory_grow(s->word, (size_t)s->count + 1, e);
    if (!code)
        s->word[s->count++] = value;
    return code;
}

static int take_shard(const struct flag *f, const char *value, void *field, struct err *e)
{
    char first[24];
    const char *slash = strchr(value, '/');
    int64_t index, count;
    int length = snprintf(first, sizeof first, "%.*s", (int)strcspn(value, "/"), value);
    if (!slash || length >= (int)sizeof first || !text_to_int64(first, &index) ||
        !text_to_int64(slash + 1, &count) || count < 1 || count > SHARDS_MAX || index < 0 ||
        index >= count)
        return err_set(e, ERR_USAGE, NULL,
                       "%s %s: I/M with 0 <= I < M was expected; shards count from 0", f->name,
                       value);
    *(struct shard *)field = (struct shard){(int)index, (int)count};
    return 0;
}

static const struct flag flag_table[FLAGS] = {
    [FLAG_HELP] = {"--help", NULL, "print this; also -h", take_on, 0},
#define FLAG_ROW(id, field, type, text, words, sentence)                                           \
    [FLAG_##id] = {text, words, sentence, take_##type, offsetof(struct arguments, field)},
    FLAG_LIST(FLAG_ROW, FLAG_ROW)
};

const struct flag *command_flag(const struct command *c, int index)
{
    if (index == FLAGS || (index > 0 && c->flag[index - 1] == FLAG_HELP))
        return NULL;
    return &flag_table[c->flag[index]];
}

/* ---- parsing ----------------------------------------------------------------------------------*/
/* Whether a key's last part begins so: --step means --set train.steps=. */
static bool key_called(const char *word, char *out, size_t size)
{
    enum { LEAST = 4 };
    struct spec_key *key = NULL;
    int count = 0;
    bool found = false;
    if (strlen(word) < LEAST || spec_keys(&key, &count, NULL))
        return false;
    for (int k = 0; k < count && !found; k++) {
        const char *dot = strrchr(key[k].key, '.');
        found = dot && !key[k].kind && !strncmp(dot + 1, word, strlen(word));
        if (found)
            snprintf(out, size, "%s", key[k].key);
    }
    memory_free(key);
    return found;
}

/* The flag of c that `word` names, up to its '=' if there is one. */
static const struct flag *find_flag(const struct command *c, const char *word, struct err *e)
{
    char bare[64];
    const char *names[NAMES_MAX];
    int count = 0;
    snprintf(bare, sizeof bare, "%.*s", (int)strcspn(word, "="), word);
    for (const struct flag *f; (f = command_flag(c, count)); count++) {
        if (strcmp(f->name, bare) == 0)
            return f;
        names[count] = f->name;
    }
    for (int k = 0; k < FLAGS; k++)
        if (strcmp(flag_table[k].name, bare) == 0)
            err_set(e, ERR_USAGE, NULL, "`%s` does not take %s", c->name, bare);
    const char *near = text_nearest(bare, names, count), *value = strchr(word, '=');
    char key[96];
    if (key_called(bare + strspn(bare, "-"), key, sizeof key))
        err_set(e, ERR_USAGE, NULL, "unknown option %s; did you mean --set %s=%s?", bare, key,
                value ? value + 1 : "VALUE");
    else if (near)
        err_set(e, ERR_USAGE, NULL, "unknown option %s; did you mean %s?", bare, near);
    else
        err_set(e, ERR_USAGE, NULL, "unknown option %s; see `urpe-probe %s --help`", bare, c->name);
    return NULL;
}

/* Takes word[*at] and, where it has a value of its own word, the next. */
static int take_option(struct arguments *a, const struct command *c, int count, char **word,
                       int *at, struct err *e)
{
    const char *value = strchr(word[*at], '=');
    const struct flag *f = find_flag(c, word[*at], e);
    if (!f)
        return ERR_USAGE;
    if (!f->value && value)
        return err_set(e, ERR_USAGE, NULL, "%s takes no value", f->name);
    if (value)
        value++;
    else if (f->value && *at + 1 < count)
        value = word[++*at];
    else if (f->value)
        return err_set(e, ERR_USAGE, NULL, "%s: %s is missing", f->name, f->value);
    return f->take(f, value, (char *)a + f->offset, e);
}

static int check_operands(const struct arguments *a, const struct command *c, struct err *e)
{
    const char *wanted = c->operands;
    bool some = *wanted && *wanted != '[', many = strstr(wanted, "...") != NULL;
    if (some && a->operands == 0)
        return err_set(e, ERR_USAGE, NULL, "%s is missing; usage: urpe-probe %s [OPTIONS] %s",
                       wanted, c->name, wanted);
    if (!many && a->operands > (*wanted != '\0'))
        return err_set(e, ERR_USAGE, NULL,
                       "unexpected argument %s; usage: urpe-probe %s [OPTIONS] %s",
                       a->operand[*wanted != '\0'], c->name, wanted);
    return 0;
}

/* Whether --help stands among the options; nothing else counts then. */
static bool asks_for_help(int count, char **word)
{
    for (int k = 0; k < count && strcmp(word[k], "--") != 0; k++)
        if (strcmp(word[k], "--help") == 0 || strcmp(word[k], "-h") == 0)
            return true;
    return false;
}

int arguments_parse(struct arguments *a, const struct command *c, int count, char **word,
                    bool *help, struct err *e)
{
    bool options = true;
    *a = (struct arguments){.shard.count = 1};
    *help = asks_for_help(count, word);
    if (*help)
        return 0;
    a->operand = memory_alloc((size_t)count, sizeof *a->operand, e);
    int code = a->operand ? 0 : ERR_MEMORY;
    for (int k = 0; !code && k < count; k++) {
        if (options && strcmp(word[k], "--") == 0)
            options = false;
        else if (options && word[k][0] == '-' && word[k][1])
            code = take_option(a, c, count, word, &k, e);
        else
            a->operand[a->operands++] = word[k];
    }
    return code ? code : check_operands(a, c, e);
}

void arguments_close(struct arguments *a)
{
    for (int k = 0; k < FLAGS; k++) {
        char **path = (char **)((char *)a + flag_table[k].offset);
        if (flag_table[k].take != take_path)
            continue;
        memory_free(*path);
        *path = NULL; /* another row may be about the same field */
    }
    memory_free(a->set.word);
    memory_free(a->operand);
    *a = (struct arguments){0};
}

void arguments_blame(const struct arguments *a, const struct command *c, struct err *e)
{
    char where[sizeof e->where];
    const struct flag *f;
    for (int k = 0; (f = command_flag(c, k)); k++) {
        const char *path = f->take == take_path ? *(char *const *)((const char *)a + f->offset) : NULL;
        if (!path || strcmp(path, e->where) != 0)
            continue;
        snprintf(where, sizeof where, "%s %s", f->name, path);
        memcpy(e->where, where, sizeof where);
        return;
    }
}

/* ---- help -------------------------------------------------------------------------------------*/
/* Lines that are longer than the default are hard to read. */
static int help_width(void)
{
    int width = terminal_width();
    return width < HELP_WIDTH ? width : HELP_WIDTH;
}

static void append_entry(struct text *out, const char *name, const char *value, const char *help)
{
    char left[128];
    int indent = help_width() < NARROW ? NARROW_INDENT : HELP_INDENT;
    snprintf(left, sizeof left, "  %s%s%s", name, value ? " " : "", value ? value : "");
    if ((int)strlen(left) < indent) {
        text_append_format(out, "%-*s", indent, left);
    } else {
        text_append(out, "  ");
        append_wrapped(out, left + 2, 4, help_width());
        text_append_format(out, "\n%*s", indent, "");
    }
    append_wrapped(out, help, indent, help_width());
    text_append(out, "\n");
}

int help_command(const struct command *c, struct text *out, struct err *e)
{
    char usage[128], summary[160];
    snprintf(usage, sizeof usage, "urpe-probe %s [OPTIONS] %s", c->name, c->operands);
    text_append(out, "usage: ");
    append_wrapped(out, usage, (int)strlen("usage: "), help_width());
    text_append(out, "\n\n");
    snprintf(summary, sizeof summary, "%s.", c->summary);
    append_wrapped(out, summary, 0, help_width());
    text_append(out, "\n\n");
    for (const char *at = c->details; *at;) {
        char paragraph[1024];
        size_t length = strcspn(at, "\n");
        snprintf(paragraph, sizeof paragraph, "%.*s", (int)length, at);
        append_wrapped(out, paragraph, 0, help_width());
        text_append(out, "\n");
        at += length + (at[length] == '\n');
    }
    text_append(out, "\noptions:\n");
    const struct flag *f;
    for (int k = 0; (f = command_flag(c, k)); k++)
        append_entry(out, f->name, f->value, f->help);
    return text_check(out, e);
}

const char program_summary[] =
    "What can a Transformer with a given positional encoding express?  What is provably impossible "
    "(the floor) and what training finds (the error), side by side.";

const struct exit_meaning exit_table[] = {
    {"0", "all well (a diverged cell is a result)"},
    {"1", "a cell failed or a claim did not hold"},
    {"2", "usage or spec error, before anything is trained or written"},
    {"3", "input/output failure or out of memory"},
    {"129, 130, 143", "interrupted (128 + the signal); the same command, without --force, resumes"},
    {NULL, NULL}};

int help_program(struct text *out, struct err *e)
{
    text_append(out, "usage: urpe-probe COMMAND [OPTIONS] ...\n\n");
    append_wrapped(out, program_summary, 0, help_width());
    text_append(out, "\n\ncommands:\n");
    for (int k = 0; command_table[k]; k++)
        append_entry(out, command_table[k]->name, command_table[k]->operands,
                     command_table[k]->summary);
    text_append(out, "\n");
    append_entry(out, "--version", NULL, "print versions, kernels, BLAS and CPU");
    append_entry(out, "COMMAND --help", NULL, "print the options of one command");
    text_append(out, "\nexit status:\n");
    for (int k = 0; exit_table[k].status; k++)
        append_entry(out, exit_table[k].status, NULL, exit_table[k].meaning);
    return text_check(out, e);
}

const struct command *command_find(const char *name, struct err *e)
{
    const char *names[NAMES_MAX];
    int count = 0;
    for (; command_table[count]; count++) {
        if (strcmp(command_table[count]->name, name) == 0)
            return command_table[count];
        names[count] = command_table[count]->name;
    }
    const char *near = text_nearest(name, names, count);
    if (file_exists(name))
        err_set(e, ERR_USAGE, NULL, "unknown command %s; did you mean `urpe-probe run %s`?", name,
                name);
    else if (near)
        err_set(e, ERR_USAGE, NULL, "unknown command %s; did you mean %s?", name, near);
    else
        err_set(e, ERR_USAGE, NULL, "unknown command %s; see `urpe-probe --help`", name);
    return NULL;
}
