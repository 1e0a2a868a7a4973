# A run that is killed at random moments and started again makes the archive of an undisturbed run.
# shellcheck source=tests/mpi/_kill.sh
. "$TESTS/mpi/_kill.sh"
kill_corpus fast
kill_tests 8 "${CPR_SEED:-1}"
