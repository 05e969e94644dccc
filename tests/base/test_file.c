/* Files: whole or not at all; locks: gone with their owner; hashes: known answers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/help_folder.h"
#include "base/memory.h"

enum { PATH_SIZE = FOLDER_MAX + 64 };

static int make_folder(void **state)
{
    static char folder[FOLDER_MAX];
    help_folder_make(folder);
    *state = folder;
    return 0;
}

static int delete_folder(void **state)
{
    help_folder_delete(*state);
    return 0;
}

static void in_folder(char path[PATH_SIZE], void **state, const char *name)
{
    assert_int_equal(file_join(path, PATH_SIZE, *state, name, NULL), 0);
}

/* The folder holds `count` names, so no temporary file. */
static void assert_names(void **state, size_t count)
{
    char **names;
    size_t found;
    assert_int_equal(file_list(*state, &names, &found, NULL), 0);
    assert_int_equal(found, count);
    file_free_names(names, found);
}

static void assert_content(const char *path, const char *expected, size_t count)
{
    char *bytes;
    size_t size;
    assert_int_equal(file_read(path, 1 << 20, &bytes, &size, NULL), 0);
    assert_int_equal(size, count);
    assert_memory_equal(bytes, expected, count);
    assert_int_equal(bytes[size], 0);
    memory_free(bytes);
}

static void write_and_read(void **state)
{
    char path[PATH_SIZE];
    in_folder(path, state, "a");
    assert_int_equal(file_write(path, "one\0two", 7, NULL), 0);
    assert_content(path, "one\0two", 7);
    assert_int_equal(file_write(path, "", 0, NULL), 0);
    assert_content(path, "", 0);
    assert_int_equal(file_write(path, "three", 5, NULL), 0);
    assert_content(path, "three", 5);
    assert_names(state, 1);

    struct err e = {0};
    char *bytes;
    size_t size;
    assert_int_equal(file_read(path, 4, &bytes, &size, &e), ERR_FORMAT);
    assert_non_null(strstr(e.msg, "larger than the 4 bytes"));
    assert_int_equal(file_read(path, 5, &bytes, &size, NULL), 0);
    memory_free(bytes);
    size = 0;
    assert_int_equal(file_size(path, &size, NULL), 0);
    assert_int_equal(size, 5);
    in_folder(path, state, "absent");
    assert_int_equal(file_size(path, &size, NULL), ERR_IO);
}

/* Runs file_write in a process of its own; its code. */
static int write_apart(const char *path, const void *bytes, size_t count, void (*before)(void))
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct err e = {0};
        before();
        int rc = file_write(path, bytes, count, &e);
        _exit(rc == 0 || strstr(e.msg, "cannot be written") != NULL ? -rc : 100);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return -WEXITSTATUS(status);
}

static void limit_size(void)
{
    struct rlimit limit = {4096, 4096};
    setrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, SIG_IGN);
}

static void become_nobody(void)
{
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
        _exit(101);
}

static void a_full_disk_leaves_the_old_file(void **state)
{
    static char large[100000];
    char path[PATH_SIZE];
    in_folder(path, state, "a");
    assert_int_equal(file_write(path, "old", 3, NULL), 0);
    assert_int_equal(write_apart(path, large, 4096, limit_size), 0);
    assert_int_equal(file_write(path, "old", 3, NULL), 0);
    assert_int_equal(write_apart(path, large, sizeof large, limit_size), ERR_IO);
    assert_content(path, "old", 3);
    assert_names(state, 1);
}

static void an_unwritable_folder_leaves_the_old_file(void **state)
{
    char path[PATH_SIZE];
    in_folder(path, state, "a");
    assert_int_equal(file_write(path, "old", 3, NULL), 0);
    assert_int_equal(chmod(*state, 0555), 0);
    int rc = write_apart(path, "new", 3, become_nobody);
    assert_int_equal(chmod(*state, 0755), 0);
    if (rc == -101)
        skip();
    assert_int_equal(rc, ERR_IO);
    assert_content(path, "old", 3);
    assert_names(state, 1);
}

static void only_plain_files_are_replaced(void **state)
{
    struct err e = {0};
    char path[PATH_SIZE];
    assert_int_equal(file_write(*state, "x", 1, &e), ERR_IO);
    assert_non_null(strstr(e.msg, "not a plain file"));
    e = (struct err){0};
    in_folder(path, state, "pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(file_write(path, "x", 1, &e), ERR_IO);
    assert_non_null(strstr(e.msg, "not a plain file"));
    assert_int_equal(file_remove(path, NULL), 0);
}

/* A folder "victim" with a file "a" of content "old", and path = name, a link to `target`. */
static void make_link(void **state, char path[PATH_SIZE], const char *name, const char *target)
{
    in_folder(path, state, "victim");
    assert_int_equal(file_make_folder(path, NULL), 0);
    in_folder(path, state, "victim/a");
    assert_int_equal(file_write(path, "old", 3, NULL), 0);
    in_folder(path, state, name);
    assert_int_equal(symlink(target, path), 0);
}

static void assert_unharmed(void **state)
{
    char path[PATH_SIZE], **names;
    size_t count;
    in_folder(path, state, "victim/a");
    assert_content(path, "old", 3);
    in_folder(path, state, "victim");
    assert_int_equal(file_list(path, &names, &count, NULL), 0);
    assert_int_equal(count, 1);
    file_free_names(names, count);
}

static void no_link_is_followed(void **state)
{
    char path[PATH_SIZE];
    struct err e = {0};
    struct file_lock lock;
    make_link(state, path, "file", "victim/a");
    assert_int_equal(file_write(path, "new", 3, &e), ERR_IO);
    assert_non_null(strstr(e.msg, "symbolic link"));
    assert_int_equal(file_lock(&lock, path, NULL), ERR_IO);
    assert_int_equal(file_remove(path, NULL), 0); /* the link, not what it names */
    make_link(state, path, "dangling", "victim/b");
    assert_int_equal(file_write(path, "new", 3, NULL), ERR_IO);
    assert_int_equal(file_lock(&lock, path, NULL), ERR_IO);
    make_link(state, path, "folder", "victim");
    assert_int_equal(file_make_folder(path, NULL), ERR_IO);
    in_folder(path, state, "folder/b");
    e = (struct err){0};
    assert_int_equal(file_write(path, "new", 3, &e), ERR_IO);
    assert_non_null(strstr(e.msg, "symbolic link"));
    assert_int_equal(file_make_folder(path, NULL), ERR_IO);
    assert_int_equal(file_lock(&lock, path, NULL), ERR_IO);
    in_folder(path, state, "folder/a");
    assert_int_equal(file_remove(path, NULL), ERR_IO);
    assert_unharmed(state);
}

/* The names that a temporary file could have are links already. */
static void temporary_names_are_no_way_out(void **state)
{
    char path[PATH_SIZE], name[64];
    for (int k = 0; k < 3; k++) {
        snprintf(name, sizeof name, ".tmp-urpe-%ld-%d", (long)getpid(), k);
        make_link(state, path, name, "victim/a");
    }
    in_folder(path, state, "file");
    assert_int_equal(file_write(path, "new", 3, NULL), 0);
    assert_content(path, "new", 3);
    assert_unharmed(state);
}

static void a_user_may_name_a_link(void **state)
{
    char path[PATH_SIZE], real[FILE_PATH_MAX], expected[PATH_SIZE];
    struct err e = {0};
    static const char *const name[][2] = {{"folder/a", "victim/a"},
                                          {"folder/b", "victim/b"},
                                          {"folder/b/c", "victim/b/c"},
                                          {"folder", "victim"},
                                          {"absent/../b", "absent/../b"},
                                          {"victim//a", "victim//a"}};
    make_link(state, path, "folder", "victim");
    for (size_t k = 0; k < sizeof name / sizeof *name; k++) {
        in_folder(path, state, name[k][0]);
        in_folder(expected, state, name[k][1]);
        assert_int_equal(file_real(real, path, &e), 0);
        assert_string_equal(real, expected);
    }
    make_link(state, path, "dangling", "nothing");
    assert_int_equal(file_real(real, path, &e), ERR_IO);
    assert_non_null(strstr(e.msg, "a symbolic link to nothing"));
    char *longer = memory_alloc(FILE_PATH_MAX + 1, 1, NULL);
    memset(longer, 'a', FILE_PATH_MAX);
    assert_int_equal(file_real(real, longer, NULL), ERR_IO);
    memory_free(longer);
    assert_int_equal(file_real(real, "relative/x", NULL), 0);
    assert_string_equal(real, "relative/x");
}

/* What a killed process left is removed, what a living one writes is not. */
static void left_over_files_are_swept(void **state)
{
    char path[PATH_SIZE];
    in_folder(path, state, ".tmp-urpe-1-0");
    assert_int_equal(help_shell("echo half >'%s'", path), 0);
    in_folder(path, state, ".tmp-urpe-1-1");
    struct file_lock alive;
    assert_int_equal(file_lock(&alive, path, NULL), 0);
    in_folder(path, state, "file");
    assert_int_equal(file_write(path, "new", 3, NULL), 0);
    assert_names(state, 2); /* file, .tmp-urpe-1-1 */
    file_unlock(&alive);
    assert_int_equal(file_write(path, "newer", 5, NULL), 0);
    assert_names(state, 1);
}

static void rights_are_kept(void **state)
{
    char path[PATH_SIZE];
    struct stat status;
    in_folder(path, state, "file");
    assert_int_equal(file_write(path, "old", 3, NULL), 0);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(file_write(path, "new", 3, NULL), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void errors_name_the_path(void **state)
{
    struct err e = {0};
    char path[PATH_SIZE], *bytes, **names;
    size_t size;
    in_folder(path, state, "absent/a");
    assert_int_equal(file_read(path, 10, &bytes, &size, &e), ERR_IO);
    assert_string_equal(e.where, path);
    assert_non_null(strstr(e.msg, "No such file"));
    assert_int_equal(file_write(path, "x", 1, NULL), ERR_IO);
    assert_int_equal(file_list(path, &names, &size, NULL), ERR_IO);
    assert_int_equal(file_read(*state, 10, &bytes, &size, NULL), ERR_IO);
    assert_int_equal(file_remove(path, NULL), 0);
    assert_int_equal(file_join(path, 10, *state, "a", NULL), ERR_IO);
}

static void pipes_are_read(void **state)
{
    char path[PATH_SIZE], *bytes;
    size_t size;
    in_folder(path, state, "pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(file_read(path, 1 << 20, &bytes, &size, NULL), ERR_IO); /* before a writer could meet it */
    assert_int_equal(help_shell("(yes | head -c 50000 > '%s') &", path), 0);
    assert_int_equal(file_read_stream(path, 1 << 20, &bytes, &size, NULL), 0);
    assert_int_equal(size, 50000);
    assert_memory_equal(bytes + 49990, "y\ny\ny\ny\ny\n", 11);
    memory_free(bytes);
}

static void folders(void **state)
{
    char path[PATH_SIZE], **names;
    size_t count;
    struct err e = {0};
    assert_names(state, 0);
    in_folder(path, state, "x/y//z/");
    assert_int_equal(file_make_folder(path, NULL), 0);
    assert_int_equal(file_make_folder(path, NULL), 0);
    assert_true(file_exists(path));
    static const char *const made[] = {"b", "B", "a.c", ".hidden"};
    for (int i = 0; i < 4; i++) {
        in_folder(path, state, made[i]);
        assert_int_equal(file_write(path, "", 0, NULL), 0);
    }
    assert_int_equal(file_make_folder(path, &e), ERR_IO); /* .hidden is a file */
    assert_int_equal(file_list(*state, &names, &count, NULL), 0);
    static const char *const expected[] = {".hidden", "B", "a.c", "b", "x"};
    assert_int_equal(count, 5);
    for (int i = 0; i < 5; i++)
        assert_string_equal(names[i], expected[i]);
    file_free_names(names, count);
    assert_int_equal(file_remove(path, NULL), 0);
    assert_false(file_exists(path));
    assert_int_equal(file_remove(path, NULL), 0);
    in_folder(path, state, "x");
    assert_int_equal(file_remove(path, NULL), ERR_IO); /* not empty */
}

/* A process that takes the lock, says so and waits to be killed. */
static pid_t lock_apart(const char *path)
{
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct file_lock lock;
        if (file_lock(&lock, path, NULL) != 0 || write(ends[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    return child;
}

static void nothing(int number)
{
}

static void locks_die_with_their_owner(void **state)
{
    char path[PATH_SIZE];
    struct file_lock lock;
    struct err e = {0};
    bool held = true;
    in_folder(path, state, "lock");
    pid_t child = lock_apart(path);
    assert_int_equal(file_try_lock(&lock, path, &held, NULL), 0);
    assert_false(held);
    assert_int_equal(lock.fd, -1);

    struct sigaction action = {.sa_handler = nothing}; /* without SA_RESTART */
    /* Again and again: the first may come before the wait has begun. */
    struct itimerval often = {{.tv_usec = 200000}, {.tv_usec = 200000}}, never = {0};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    assert_int_equal(file_lock(&lock, path, &e), ERR_INTERRUPTED);
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_DFL);

    kill(child, SIGKILL);
    assert_int_equal(file_lock(&lock, path, NULL), 0); /* waits for the death if need be */
    assert_int_equal(waitpid(child, NULL, 0), child);
    struct file_lock second;
    assert_int_equal(file_try_lock(&second, path, &held, NULL), 0);
    assert_false(held); /* the lock keeps out other opens of this process too */
    file_unlock(&lock);
    file_unlock(&lock);
    assert_int_equal(file_try_lock(&second, path, &held, NULL), 0);
    assert_true(held);
    assert_int_equal(file_try_lock(&lock, path, &held, NULL), 0);
    assert_false(held);
    file_unlock(&second);
    in_folder(path, state, "absent/lock");
    assert_int_equal(file_lock(&lock, path, NULL), ERR_IO);
}

/* Who waited for a lock whose file was deleted meanwhile must end with a lock on the new file. */
static void a_deleted_lock_file_is_made_anew(void **state)
{
    char path[PATH_SIZE];
    struct file_lock lock;
    in_folder(path, state, "lock");
    assert_int_equal(file_lock(&lock, path, NULL), 0);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(lock.fd); /* the inherited descriptor is the parent's lock */
        struct file_lock mine;
        bool good = write(ends[1], "x", 1) == 1 && file_lock(&mine, path, NULL) == 0;
        struct stat held, named;
        good = good && fstat(mine.fd, &held) == 0 && stat(path, &named) == 0;
        _exit(good && held.st_ino == named.st_ino ? 0 : 1);
    }
    char byte;
    assert_int_equal(read(ends[0], &byte, 1), 1);
    usleep(100000); /* the child is in flock by now; were it not, the test would pass for less */
    assert_int_equal(file_remove(path, NULL), 0);
    file_unlock(&lock);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(ends[0]);
    close(ends[1]);
}

/* Source: FIPS 180-4 examples. */
static void hashes(void **state)
{
    char out[HASH_TEXT];
    hash_text(out, "abc", 3);
    assert_string_equal(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hash_text(out, NULL, 0);
    assert_string_equal(out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    hash_text(out, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56);
    assert_string_equal(out, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    unsigned char bytes[32];
    hash_bytes(bytes, "abc", 3);
    assert_true(bytes[0] == 0xba && bytes[31] == 0xad);
}

/* The C library's, which fails for folders where a test says so. */
static int folder_sync_error;
int fsync(int fd)
{
    struct stat status;
    if (folder_sync_error && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
        errno = folder_sync_error;
        return -1;
    }
    return fdatasync(fd);
}

static void a_folder_need_not_be_synchronised(void **state)
{
    char path[PATH_SIZE];
    static const int refusal[] = {EINVAL, ENOTSUP};
    in_folder(path, state, "file");
    for (int k = 0; k < 2; k++) {
        folder_sync_error = refusal[k];
        assert_int_equal(file_write(path, "new", 3, NULL), 0);
    }
    assert_content(path, "new", 3);
    struct err e = {0};
    folder_sync_error = EIO;
    assert_int_equal(file_write(path, "newer", 5, &e), ERR_IO);
    assert_non_null(strstr(e.msg, "synchronised"));
    folder_sync_error = 0;
}

static void texts_are_written_whole(void **state)
{
    char path[PATH_SIZE];
    struct text t = {0};
    in_folder(path, state, "file");
    text_append(&t, "line\n");
    assert_int_equal(file_write_text(*state, "file", &t, NULL), 0);
    assert_content(path, "line\n", 5);
    text_clear(&t);
    t.failed = true; /* as after an append without memory: nothing is written */
    assert_int_equal(file_write_text(*state, "file", &t, NULL), ERR_MEMORY);
    assert_content(path, "line\n", 5);
    text_close(&t);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, delete_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(write_and_read),
        IN_FOLDER(a_full_disk_leaves_the_old_file),
        IN_FOLDER(an_unwritable_folder_leaves_the_old_file),
        IN_FOLDER(a_folder_need_not_be_synchronised),
        IN_FOLDER(texts_are_written_whole),
        IN_FOLDER(only_plain_files_are_replaced),
        IN_FOLDER(no_link_is_followed),
        IN_FOLDER(temporary_names_are_no_way_out),
        IN_FOLDER(a_user_may_name_a_link),
        IN_FOLDER(left_over_files_are_swept),
        IN_FOLDER(rights_are_kept),
        IN_FOLDER(errors_name_the_path),
        IN_FOLDER(pipes_are_read),
        IN_FOLDER(folders),
        IN_FOLDER(locks_die_with_their_owner),
        IN_FOLDER(a_deleted_lock_file_is_made_anew),
        cmocka_unit_test(hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
