/* The list that flags, the fields they set, --help, completion and the man page are made of: a new
 * flag is one line here, and its name in the commands that take it.
 *
 *   X(ID, field, type, "--name", value, help)     a flag, and its field in struct arguments
 *   SAME(ID, field, type, "--name", value, help)  another row for a field that is there: the
 *                                                 opposite, or what the flag means to one command
 *
 * A command names FLAG_ID.  `value` is what help calls the value, NULL for a switch; that of a choice
 * is the words themselves, in the order of their enum, the default first. */
#ifndef URPE_PROBE_FLAGS_H
#define URPE_PROBE_FLAGS_H

#define FLAG_LIST(X, SAME)                                                                         \
    X(SET, set, settings, "--set", "KEY=VALUE",                                                    \
      "override a key of the spec; VALUE is YAML, a list makes an axis; may be given again")       \
    X(OUT, out, path, "--out", "DIR", "folder for what is written")                                \
    X(CSV, csv, path, "--csv", "FILE",                                                             \
      "add this call's rows to FILE, which other calls may use at the same time")                  \
    SAME(BENCH_CSV, csv, path, "--csv", "FILE", "write all figures to FILE, over what is in it")   \
    X(CERTIFICATE, certificate, path, "--certificate", "DIR",                                      \
      "write a certificate of each row's floor, DIR/CELL/LENGTH-SUBSET.txt, for urpe-probe-check") \
    X(NETWORKS, networks, path, "--networks", "DIR",                                               \
      "write the random networks that show what is possible, with the samples that they tell apart") \
    X(BATTERY, battery, text, "--battery", "FILE",                                                 \
      "the spec whose targets and inputs are gone through; default: the one that came along")      \
    X(INPUT, input, text, "--input", "FILE", "safetensors to read")                                \
    X(PREDICTIONS, predictions, text, "--predictions", "FILE", "safetensors with y")               \
    SAME(CARD_PREDICTIONS, predictions, text, "--predictions", "DIR",                              \
         "a folder of --samples with predictions of models from elsewhere, which are judged")      \
    X(SAMPLES, samples, path, "--samples", "DIR",                                                  \
      "write the battery's samples, for models that are trained elsewhere, and no card")           \
    X(NAME, name, text, "--name", "NAME", "name of the model in rows; default: the spec's")        \
    X(TRAIN, train, many, "--train", "N", "write N training samples too")                          \
    X(OUTPUT, output, path, "--output", "FILE", "safetensors to write")                            \
    X(ATTENTION, attention, path, "--attention", "FILE", "write attention weights, as safetensors") \
    X(JOBS, jobs, count, "--jobs", "N", "cells that are worked on at the same time; default: cores")       \
    X(THREADS, threads, count, "--threads", "N",                                                   \
      "threads in each cell; default: 1, or the cores that --jobs leaves over")                    \
    SAME(WITNESS_THREADS, threads, count, "--threads", "N", "threads; default: cores")             \
    SAME(BENCH_THREADS, threads, count, "--threads", "N",                                          \
         "threads of the steps that are timed again after one thread; default: 2")                 \
    X(SHARD, shard, shard, "--shard", "I/M",                                                       \
      "only every M-th cell, from the I-th (I counts from 0); claims are left to `report`")        \
    X(NO_CLAIMS, no_claims, on, "--no-claims", NULL, "do not judge the spec's claims")             \
    X(FORMAT, format, choice, "--format", "table|csv|json", "form of the rows; default: table")    \
    X(CELL, cell, text, "--cell", "ID", "the cell whose id starts with ID")                        \
    X(SUBSET, subset, text, "--subset", "NAME",                                                    \
      "inputs of one kind, as the column subset names them; default: those of the verdict")        \
    X(SAMPLE, sample, many, "--sample", "K", "the K-th sample of the set, from 1")                 \
    X(FORM, form, choice, "--format", "text|json|svg", "form of the explanation; default: text")   \
    X(COLOR, color, choice, "--color", "auto|always|never",                                        \
      "verdicts and claims in colour; auto (default): on a terminal, unless NO_COLOR is set")      \
    X(QUIET, quiet, on, "--quiet", NULL, "print errors only")                                      \
    X(NO_PROGRESS, no_progress, on, "--no-progress", NULL, "draw no progress line")                \
    X(FORCE, force, on, "--force", NULL,                                                           \
      "train again what is finished, and replace its rows in --csv FILE")                          \
    X(FAIL_FAST, fail_fast, on, "--fail-fast", NULL, "stop at the first cell that fails")          \
    SAME(KEEP_GOING, fail_fast, off, "--keep-going", NULL,                                         \
         "train the other cells when one fails (default)")                                         \
    X(ALL, all, on, "--all", NULL, "every encoding with every normaliser and mask")                \
    SAME(CARD_ALL, all, on, "--all", NULL, "every setting of the battery, every normaliser too")   \
    X(KINDS, kinds, on, "--kinds", NULL,                                                           \
      "instead: each normaliser against softmax, each mask against none, formulas against built-in encodings") \
    X(SECONDS, seconds, count, "--seconds", "N", "of steps for each line; default: 6, of a pair 21") \
    X(GNUPLOT, gnuplot, on, "--gnuplot", NULL,                                                     \
      "keep gnuplot's scripts, with their data, beside the figures")                               \
    X(PNG, png, on, "--png", NULL, "draw each figure as PNG, too")

struct settings {
    const char **word; /* (count) "KEY=VALUE" */
    int count;
};
struct shard {
    int index, count; /* 0, 1: not given */
};
/* The field that each type sets. */
#define FLAG_FIELD_on bool               /* a switch; off is its opposite */
#define FLAG_FIELD_text const char *     /* NULL: not given */
#define FLAG_FIELD_path char *           /* without symbolic links (file_real); NULL: not given */
#define FLAG_FIELD_count int             /* from 1 to 4096; 0: not given */
#define FLAG_FIELD_many int              /* from 1 to 10 million; 0: not given */
#define FLAG_FIELD_choice int            /* index among the words */
#define FLAG_FIELD_settings struct settings
#define FLAG_FIELD_shard struct shard

#endif
