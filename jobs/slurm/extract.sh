# shellcheck shell=bash disable=SC2034,SC2154
# What earlier attempts extracted is kept.
again=(--continue)

# Kilobytes in the directory that the files go to.
done_so_far() {
    [ ! -d "$job_output" ] || du -sk -- "$job_output" | cut -f 1
}
