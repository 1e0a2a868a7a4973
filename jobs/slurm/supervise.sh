# shellcheck shell=bash disable=SC2154
# supervise.sh: the batch shell of a job. jobs/submit.sh puts it at the end of the batch script,
# behind the variables that it fills in (job_*) and behind COMMAND.sh, which may define
#   done_so_far   prints a number that grows when an attempt brings the job forward
#   again         an array: arguments for every attempt but the first
# The launcher runs in the background, because a shell that waits for a command in the foreground
# is deaf to signals, and SLURM sends its warning to nobody else.

# Lists of nodes and the like are ASCII; what is not does not go into the log.
say() {
    local LC_ALL=C text="job $SLURM_JOB_ID: $*"
    echo "$(date +%FT%T) ${text//[!\ -~]/?}" >&2
}

# Attempts without progress and the most that was done, kept from one attempt to the next.
state=$job_archive.slurm-$SLURM_JOB_ID.attempts

leave() {
    rm -f -- "$state"
    exit "$1"
}

# is_ended: SLURM ends this job, and not because of its time limit, of which it warns by USR1. Then
# it was cancelled, or SLURM itself puts it back. `scontrol requeue` would revive even a cancelled job.
is_ended() {
    [ "$asked" != USR1 ] || return 1
    case " $(scontrol show job -o "$SLURM_JOB_ID") " in
    *' JobState=RUNNING '*) return 1 ;;
    esac
}

# start_again WHY: puts this job back into the queue, or gives up.
start_again() {
    local best=0 futile=0 now
    if is_ended; then
        say "$1; ended by SLURM or cancelled. Submit it again to go on"
        leave "$code"
    fi
    now=$(done_so_far)
    now=${now:-0}
    read -r best futile <"$state"
    [[ "$best $futile" =~ ^[0-9]+\ [0-9]+$ ]] || best=0 futile=0
    if [ "$now" -gt "$best" ]; then
        best=$now
        futile=0
    else
        futile=$((futile + 1))
    fi
    if [ "$futile" -ge "$job_attempts" ]; then
        say "$1; giving up after $job_attempts attempts without progress"
        leave "$code"
    fi
    echo "$best $futile" >"$state"
    say "$1; starting again"
    # SLURM ends this attempt when it has put the job back.
    trap - TERM
    if ! scontrol requeue "$SLURM_JOB_ID"; then
        say "SLURM does not put the job back into the queue; submit it again to continue"
        leave "$code"
    fi
    for _ in $(seq 300); do sleep 1; done
    exit "$code"
}

cd -- "$job_directory" || exit 2
site_setup || exit 2
for setting in "${job_environment[@]}"; do export "${setting?}"; done
attempt=${SLURM_RESTART_COUNT:-0}
if [ "$attempt" -gt 0 ]; then job_arguments+=("${again[@]}"); fi
if [ "$attempt" -eq 0 ] || [ ! -s "$state" ]; then
    before=$(done_so_far)
    echo "${before:-0} 0" >"$state"
fi
say "$job_command, attempt $((attempt + 1)), on $SLURM_JOB_NODELIST"

asked=
launcher=
signalled=
pass_on() {
    signalled=yes
    [ -n "$asked" ] || say "asked to stop by $1, saving the state"
    asked=${asked:-$1}
    [ -z "$launcher" ] || kill -USR1 "$launcher" 2>/dev/null
}
trap 'pass_on USR1' USR1
trap 'pass_on TERM' TERM

# Only corpress knows how it ended: a launcher that could start nothing ends with 1, too. Each
# attempt has a file of its own, which the ranks of a lost one do not write to.
ended=$job_archive.slurm-$SLURM_JOB_ID.exit-$attempt
rm -f -- "$ended"
export CORPRESS_EXIT_FILE=$ended
run=("${job_launcher[@]}" "${job_program[@]}" "${job_arguments[@]}" -- "${job_paths[@]}")
if [ -n "$asked" ]; then
    # No time to begin.
    (exit 75) &
    echo 75 >"$ended"
elif [ -n "$job_report" ]; then
    "${run[@]}" </dev/null >"$job_report.tmp" &
else
    "${run[@]}" </dev/null &
fi
launcher=$!
code=0
while :; do
    signalled=
    code=0
    wait "$launcher" || code=$?
    # A signal ends `wait`, not the launcher.
    [ -n "$signalled" ] || break
done
trap '' USR1 TERM
verdict=lost
if [ -s "$ended" ]; then
    read -r verdict <"$ended"
fi
if [[ $verdict =~ ^[0-9]{1,3}$ ]]; then
    code=$verdict
elif [ "$code" -eq 0 ]; then
    code=2
fi
rm -f -- "$ended"

case $verdict in
0 | 1)
    if [ -n "$job_report" ]; then mv -f -- "$job_report.tmp" "$job_report"; fi
    # For SLURM, and for jobs that wait for this one, warnings are a success.
    if [ "$code" -eq 0 ]; then say "done"; else say "done, with warnings"; fi
    leave 0
    ;;
[2345])
    say "$job_command ended with $code; to start it again would not help"
    leave "$code"
    ;;
75) start_again "stopped, the state is saved" ;;
*) start_again "lost a rank or a node (the launcher ended with $code)" ;;
esac
