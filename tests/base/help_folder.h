/* A folder for one test, and shell commands whose output nobody wants to see. */
#ifndef HELP_FOLDER_H
#define HELP_FOLDER_H

enum { FOLDER_MAX = 256 };

/* Makes an empty folder and puts its path into `path`; fails the test when that is not possible. */
void help_folder_make(char path[FOLDER_MAX]);
/* Deletes it with all that is in it. */
void help_folder_delete(const char *path);
/* Runs a formatted command; its exit status. */
int help_shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
