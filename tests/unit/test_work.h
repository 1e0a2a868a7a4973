/* test_work.h - a work directory for tests. */
#ifndef TEST_WORK_H
#define TEST_WORK_H

#include "test_files.h"
#include "work.h"

/* That of a.h5 in the directory of the test; made if it is not there. */
static inline cpr_work_dir *open_work(void)
{
    cpr_error error = {""};
    cpr_work_dir *work;
    if (cpr_work_dir_open("a.h5", true, &work, &error) != CPR_OK)
        fail_msg("%s", error.text);
    return work;
}

#endif
