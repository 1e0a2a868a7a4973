/* The lock: one job at a time, and a dead one is not waited for. */
#include "test_work.h"
#include "work_private.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

static void hear(void *context, const char *text)
{
    (void)text;
    (*(unsigned *)context)++;
}

/* Long enough to be told apart, and no longer. */
static const cpr_lock_times times = {.beat = 0.1, .watch = 0.5, .patience = 1.5};

/* Where nothing has to be waited for, or what is waited for comes. */
static const cpr_lock_times hasty = {.beat = 0.1};
static const cpr_lock_times patient = {.beat = 0.1, .watch = 3600, .patience = 3600};

static cpr_status take_timed(cpr_work_dir *work, const cpr_lock_times *how, cpr_work_lock **lock,
                             unsigned *told, cpr_error *error)
{
    *told = 0;
    return cpr_work_lock_take_timed(work, how, hear, told, lock, error);
}

static cpr_status take(cpr_work_dir *work, cpr_work_lock **lock, unsigned *told, cpr_error *error)
{
    return take_timed(work, &times, lock, told, error);
}

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void is_taken_and_released(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_work_owner owner;
    cpr_work_lock *lock;
    unsigned told;
    cpr_work_dir *work = open_work();
    for (int i = 0; i < 3; i++) {
        assert_false(cpr_work_lock_look(work, &owner));
        assert_int_equal(take(work, &lock, &told, &error), CPR_OK);
        assert_int_equal(told, 0);
        assert_true(cpr_work_lock_look(work, &owner));
        assert_int_equal(owner.pid, getpid());
        assert_false(cpr_work_lock_lost(lock));
        cpr_work_lock_release(lock);
    }
    assert_int_equal(cpr_work_dir_remove("a.h5", NULL, &error), CPR_OK);
    assert_int_equal(take(work, &lock, &told, &error), CPR_ERR_NOT_FOUND);
    cpr_work_dir_close(work);
}

/* A child that has the lock until it is killed. */
static pid_t hold_in_child(void)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        cpr_error error = {""};
        cpr_work_lock *lock;
        unsigned told;
        cpr_work_dir *work;
        if (cpr_work_dir_open("a.h5", true, &work, &error) == CPR_OK &&
            take(work, &lock, &told, &error) == CPR_OK && write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return child;
}

static void second_job_is_refused(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_work_lock *lock;
    unsigned told;
    char text[64];
    cpr_work_dir *work = open_work();
    const pid_t child = hold_in_child();
    assert_int_equal(take(work, &lock, &told, &error), CPR_ERR_BUSY);
    assert_null(lock);
    assert_int_equal(told, 1);
    snprintf(text, sizeof text, "process %ld on host ", (long)child);
    assert_non_null(strstr(error.text, text));
    /* Its death frees the lock at once. */
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(take_timed(work, &hasty, &lock, &told, &error), CPR_OK);
    cpr_work_lock_release(lock);
    cpr_work_dir_close(work);
}

/* What a job on another host left behind, which holds no lock that can be seen here. Whoever reads
 * it meanwhile finds it whole. */
static void put_record(unsigned beat)
{
    char record[513];
    memset(record, '\n', sizeof record);
    const int length = snprintf(record, sizeof record,
                                "corpress lock 1\nhost far\npid 17\nkernel another\njob 4711\n"
                                "attempt far-17-0\nturn 5\nbeat %u\n",
                                beat);
    record[length] = '\n';
    const int fd = open("a.h5.work/lock", O_WRONLY | O_CREAT, 0666);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, record, 512, 0), 512);
    close(fd);
}

static void dead_host_is_watched(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_work_lock *lock;
    unsigned told;
    cpr_work_dir *work = open_work();
    put_record(1);
    const double start = now_seconds();
    assert_int_equal(take(work, &lock, &told, &error), CPR_OK);
    assert_true(now_seconds() - start >= times.watch);
    assert_int_equal(told, 1);
    cpr_work_lock_release(lock);
    cpr_work_dir_close(work);
}

static void requeued_job_takes_over(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_work_lock *lock;
    unsigned told;
    cpr_work_dir *work = open_work();
    put_record(1);
    assert_int_equal(setenv("SLURM_JOB_ID", "4711", 1), 0);
    assert_int_equal(take(work, &lock, &told, &error), CPR_OK);
    assert_int_equal(told, 0);
    assert_int_equal(unsetenv("SLURM_JOB_ID"), 0);
    cpr_work_lock_release(lock);
    cpr_work_dir_close(work);
}

static void living_host_keeps_it(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_work_lock *lock;
    unsigned told;
    cpr_work_dir *work = open_work();
    put_record(1);
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child == 0) {
        for (unsigned beat = 2; getppid() == parent; beat++) {
            put_record(beat);
            usleep(1000);
        }
        _exit(0);
    }
    assert_int_equal(take_timed(work, &patient, &lock, &told, &error), CPR_ERR_BUSY);
    assert_non_null(strstr(error.text, "process 17 on host far, SLURM job 4711"));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    cpr_work_dir_close(work);
}

/* Thought to be dead, but only slow: it finds out, and does not touch the other's record. */
static void lost_lock_is_noticed(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_work_lock *lock;
    unsigned told;
    size_t bytes;
    cpr_work_dir *work = open_work();
    assert_int_equal(take(work, &lock, &told, &error), CPR_OK);
    put_record(1);
    while (!cpr_work_lock_lost(lock))
        usleep(10000);
    cpr_work_lock_release(lock);
    char *left = get_file("a.h5.work/lock", &bytes);
    assert_int_equal(bytes, 512);
    assert_memory_equal(left, "corpress lock 1\nhost far\n", 25);
    free(left);
    cpr_work_dir_close(work);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(is_taken_and_released), FILE_TEST(second_job_is_refused),
        FILE_TEST(dead_host_is_watched),  FILE_TEST(requeued_job_takes_over),
        FILE_TEST(living_host_keeps_it),  FILE_TEST(lost_lock_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
