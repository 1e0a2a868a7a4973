/* process_lock.h - a lock for what the whole process has only once, and that does not take several
 * threads: HDF5, and the loading of OpenBLAS.
 *
 * fork() waits until the lock is free. So it is free in the child, and what it protects is whole.
 */
#ifndef CPR_PROCESS_LOCK_H
#define CPR_PROCESS_LOCK_H

/* Any thread. Not recursive. */
void cpr_process_lock(void);
void cpr_process_unlock(void);

#endif
