/* What only Linux can do, with a portable twin of each function in the same file (system.c): a build
 * with -DPORTABLE_ONLY uses plain POSIX. */
#ifndef BASE_SYSTEM_H
#define BASE_SYSTEM_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Opens the folder `name` in the folder `at` for the calls that end in "at", following no link in
 * its last part.  Linux needs no right to read it, only to pass through.  -1 with errno. */
int system_open_folder(int at, const char *name);
/* From now on this process gets signal `number` when `parent`, which has forked it, has ended. */
void system_follow(pid_t parent, int number);

/* Closes all descriptors from `first` on but `kept`. */
void system_close_from(int first, int kept);

/* Starts the program anew, with the same words, in its present environment; returns only when that
 * cannot be done. */
void system_restart(char *const *word);

/* The folder of the program's own file, without symbolic links; `word` is what it was called by.  false:
 * it is not known. */
bool system_program_folder(const char *word, char *out, size_t size);

/* Cores that this process may use. */
int system_cores(void);
/* The machine's CPU model name (a token without spaces or commas is not guaranteed). */
void system_cpu_name(char *out, size_t size);
/* Bytes that could be allocated now without swapping, from the files below `root` ("": this
 * machine's), without the process's own limit; 0: unknown. */
size_t system_memory(const char *root);
/* Bytes of a core's second-level cache; 0: unknown. */
size_t system_cache(void);
/* Asks for pages larger than usual for those of these bytes that are not touched yet: fewer of them are
 * looked up while a step walks over all its activations. */
void system_large_pages(void *at, size_t size);
/* The largest resident size of this process so far. */
double system_peak_mib(void);

#endif
