/* test_files.h - a directory of its own for each test, and files in it. */
#ifndef TEST_FILES_H
#define TEST_FILES_H

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* cmocka setup: makes a directory and goes there; *state is its path. */
static inline int enter_test_directory(void **state)
{
    const char *base = getenv("TMPDIR");
    char path[512];
    snprintf(path, sizeof path, "%s/corpress-test-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(path) == NULL || chdir(path) != 0)
        return -1;
    *state = strdup(path);
    return 0;
}

/* rm -r, for paths of any length. */
static inline void remove_tree(int above, const char *name)
{
    const int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *item; directory != NULL && (item = readdir(directory)) != NULL;)
        if (strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0 &&
            unlinkat(fd, item->d_name, 0) != 0)
            remove_tree(fd, item->d_name);
    if (directory != NULL)
        closedir(directory);
    unlinkat(above, name, AT_REMOVEDIR);
}

/* cmocka teardown. */
static inline int leave_test_directory(void **state)
{
    char *path = *state;
    const int done = chdir("/");
    remove_tree(AT_FDCWD, path);
    free(path);
    return done;
}

static inline void put_file(const char *path, const void *data, size_t bytes)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
}

static inline void put_text(const char *path, const char *text)
{
    put_file(path, text, strlen(text));
}

/* The whole file, malloc()ed, with a NUL behind it. */
static inline char *get_file(const char *path, size_t *bytes)
{
    struct stat facts;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &facts), 0);
    char *data = malloc((size_t)facts.st_size + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, (size_t)facts.st_size, file), (size_t)facts.st_size);
    data[facts.st_size] = '\0';
    assert_int_equal(fclose(file), 0);
    if (bytes != NULL)
        *bytes = (size_t)facts.st_size;
    return data;
}

static inline void assert_file(const char *path, const void *data, size_t bytes)
{
    size_t found;
    char *content = get_file(path, &found);
    assert_int_equal(found, bytes);
    assert_memory_equal(content, data, bytes);
    free(content);
}

static inline int is_there(const char *path)
{
    struct stat facts;
    return lstat(path, &facts) == 0;
}

/* Repeatable bytes. */
static inline uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

#define FILE_TEST(function)                                                                        \
    cmocka_unit_test_setup_teardown(function, enter_test_directory, leave_test_directory)

#endif
