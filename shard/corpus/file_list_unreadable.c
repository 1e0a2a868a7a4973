/* file_list_unreadable.c - inputs that cannot be read or are not there: all of them are found while
 * the corpus is listed, before anything is done with it. */
#include "file_list.h"

#include <stdio.h>

void cpr_unreadable_add(cpr_unreadable *unreadable, const char *text)
{
    if (unreadable->count < CPR_UNREADABLE_NAMED)
        snprintf(unreadable->text[unreadable->count], sizeof unreadable->text[0], "%s", text);
    unreadable->count++;
}

/* Warns of those that are named, and of how many more there are. */
static void name_them(const cpr_unreadable *unreadable, const char *before,
                      const cpr_list_options *options)
{
    char text[sizeof unreadable->text[0] + 32];
    for (uint64_t i = 0; options->warn != NULL && i < unreadable->count; i++) {
        if (i < CPR_UNREADABLE_NAMED)
            snprintf(text, sizeof text, "%s%s", before, unreadable->text[i]);
        else
            snprintf(text, sizeof text, "%sand %llu more", before,
                     (unsigned long long)(unreadable->count - i));
        options->warn(options->warn_context, text);
        if (i >= CPR_UNREADABLE_NAMED)
            break;
    }
}

cpr_status cpr_file_list_check_unreadable(const cpr_file_list *list,
                                          const cpr_list_options *options, bool skip,
                                          cpr_error *error)
{
    const cpr_unreadable *unreadable = options->unreadable;
    if (unreadable->count == 0)
        return CPR_OK;
    if (!skip && unreadable->count == 1)
        return cpr_fail(error, CPR_ERR_IO, "%s; --skip-unreadable leaves it out",
                        unreadable->text[0]);
    name_them(unreadable, skip ? "left out: " : "", options);
    if (!skip)
        return cpr_fail(error, CPR_ERR_IO,
                        "%llu inputs cannot be read; --skip-unreadable leaves them out",
                        (unsigned long long)unreadable->count);
    for (uint64_t i = 0; i < cpr_file_list_count(list); i++)
        if (cpr_file_list_get(list, i).type != CPR_FILE_DIRECTORY)
            return CPR_OK;
    return cpr_fail(error, CPR_ERR_NOT_FOUND, "nothing that can be read is left of the corpus");
}
