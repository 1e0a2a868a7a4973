/* pattern.h - shell patterns for the paths in an archive. */
#ifndef CPR_PATTERN_H
#define CPR_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

/* What names members: a path, or a pattern. Either names a directory with everything below it.
 *
 * In a pattern, '*' stands for any characters but '/', '?' for one of them, [a-z] for one of these,
 * [!a-z] for one that is none of these; '**' as a component stands for any number of directories.
 * '\' takes the character behind it as it is, but \n and \xHH are what `corpress list` prints so. A
 * character is one of UTF-8, or a byte that is not UTF-8. */
typedef struct pattern {
    const char *text; /* without leading "/" and "./", without trailing "/" */
    size_t length;
    bool special;   /* it has characters that mean something else in patterns */
    bool is_path;   /* they mean nothing */
    bool anywhere;  /* a name, in any directory; else it begins at the root of the archive */
    bool directory; /* a '/' stands behind it: directories only */
} pattern;

/* Makes a pattern of a command-line word, which it shortens and keeps. A word without '/' is a name
 * to be found anywhere if it has a special character, or if `names_anywhere`. */
pattern pattern_make(char *word, bool names_anywhere);

/* Makes a pattern stand for the path that its text is: a member's path goes before a meaning. */
void pattern_take_as_path(pattern *p);

/* Whether a member, or a directory that it lies in, matches. */
bool pattern_matches(const pattern *p, const char *member, bool is_directory);

/* The same, if the text is taken as a path. */
bool pattern_is_path_of(const pattern *p, const char *member, bool is_directory);

#endif
