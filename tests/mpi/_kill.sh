# shellcheck shell=bash
# _kill.sh: runs that are killed at random moments and started again until they are done.

# kill_corpus PROFILE: 6 MB in ./corpus, and what an undisturbed run makes of it; how long that
# takes is $lasts.
kill_corpus() {
    local i
    mkdir corpus
    for i in 1 2 3 4; do text 1500000 "$i" >"corpus/$i"; done
    compress_options=(-q -p "$1" --shard-size 1M --snapshot-interval 1s)
    lasts=$EPOCHREALTIME
    ranks 2 corpress compress "${compress_options[@]}" corpus -o undisturbed.h5
    lasts=$(awk -v from="$lasts" -v to="$EPOCHREALTIME" 'BEGIN { print to - from }')
    [ "$(corpress list --shards undisturbed.h5 | grep -c '^ *[0-9]')" -ge 6 ] || fail "fewer than 6 shards"
}

# lesson_corpus FILE BYTES: that file is the corpus, and a lesson of so many bytes is to be struck.
lesson_corpus() {
    mkdir corpus
    cp "$1" corpus
    compress_options=(-p strong --lesson-bytes "$2" --snapshot-interval 1s)
    expect 0 ranks 2 corpress compress -q "${compress_options[@]}" corpus -o undisturbed.h5
    lesson_bytes=$(sed -n 's/.*"event":"lesson".*"sample_bytes":\([0-9]*\).*/\1/p' undisturbed.h5.log.jsonl)
    [ -n "$lesson_bytes" ] || fail "no lesson"
}

# children PID: all processes below it.
children() {
    local child
    for child in $(cat "/proc/$1/task/"*/children 2>/dev/null); do
        echo "$child"
        children "$child"
    done
}

# ranks_of PID: the processes of corpress below it, and itself.
ranks_of() {
    local process
    for process in "$1" $(children "$1"); do
        if [ "$(readlink "/proc/$process/exe" 2>/dev/null)" = "$(type -P corpress)" ]; then
            echo "$process"
        fi
    done
}

# Moments to strike at. None of them waits longer than the run lasts.
moment_time() { sleep "$(awk -v r="$RANDOM" -v most="$lasts" 'BEGIN { print r / 32768 * most }')"; }
# Where hold_at() said, and a little later.
moment_lesson() {
    await test -s hold
    rm -f hold
    sleep "$(awk -v r="$RANDOM" 'BEGIN { print r / 32768 / 5 }')"
}
moment_snapshot() { await more_files_than "$1"; }
moment_publish() { await compgen -G 'archive.h5.work/archive-*.tmp'; }
# Each rank writes its shard to a temporary file; one more is a snapshot.
more_files_than() { [ "$(compgen -G 'archive.h5.work/.tmp-*' | wc -l)" -gt "$1" ]; }
await() {
    until "$@" >/dev/null || ! kill -0 "$launched" 2>/dev/null; do sleep 0.005; done
}

# strike HOW: on the run that was launched as $launched.
strike() {
    local -a alive
    mapfile -t alive < <(ranks_of "$launched")
    case $1 in
    one) [ "${#alive[@]}" -eq 0 ] || kill -KILL "${alive[RANDOM % ${#alive[@]}]}" ;;
    all) [ "${#alive[@]}" -eq 0 ] || kill -KILL "${alive[@]}" ;;
    launcher) kill -KILL "$launched" ;;
    rank_term) [ "${#alive[@]}" -eq 0 ] || kill -TERM "${alive[RANDOM % ${#alive[@]}]}" ;;
    term) kill -TERM "$launched" ;;
    usr1) kill -USR1 "$launched" ;;
    esac 2>/dev/null || true
}

# attempt RANKS MOMENT HOW: starts or resumes the run; at that moment it is struck that way. Sets
# $code to how it ended, and $struck to "no" if it was done before.
attempt() {
    local -a alive
    local process
    bash "$JOBS/mpirun_local.sh" "$1" corpress compress "${compress_options[@]}" corpus \
        -o archive.h5 >said 2>&1 &
    launched=$!
    "moment_$2" "$1"
    struck=no
    if kill -0 "$launched" 2>/dev/null; then
        struck=yes
        mapfile -t alive < <(ranks_of "$launched")
        strike "$3"
    fi
    ended_in 900 "$launched" || {
        mapfile -t alive < <(ranks_of "$launched")
        kill -KILL "$launched" "${alive[@]}" 2>/dev/null || true
        fail "$1 ranks hang after $3 at $2: $(cat said)"
    }
    code=0
    wait "$launched" 2>/dev/null || code=$?
    [ "$struck" = yes ] || return 0
    # Ranks whose launcher was killed notice and end, but not where they are just starting MPI; until
    # then they are another job at work.
    for process in "${alive[@]}"; do
        ended_in 30 "$process" || {
            echo "rank lives on: $(ps -o pid,stat,time,etime,wchan:20 -p "$process" | tail -n 1)"
            kill -KILL "$process" 2>/dev/null || true
        }
    done
}

ended_in() {
    local end=$((SECONDS + $1))
    while kill -0 "$2" 2>/dev/null && [ "$(process_state "$2")" != Z ]; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.05
    done
}
process_state() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -c 1; }

# kill_tests COUNT SEED: strikes COUNT times. Whenever the run is done the archive must be the
# undisturbed one, and the next run starts from nothing.
kill_tests() {
    local kills=0 stops=0 runs=0 ranks moment how
    local -a hows=(one all launcher rank_term term usr1)
    local -a moments=(time time snapshot publish)
    RANDOM=$2
    while [ "$kills" -lt "$1" ]; do
        ranks=$((1 << (RANDOM % 3)))
        moment=${moments[RANDOM % ${#moments[@]}]}
        how=${hows[kills % ${#hows[@]}]}
        attempt "$ranks" "$moment" "$how"
        # mpirun has codes of its own for ranks and for itself, so what corpress says counts.
        if [ "$code" -eq 0 ] || [ -e archive.h5 ] && [ ! -e archive.h5.work ]; then
            kill_check
        elif grep -q '^corpress: stopped on request' said; then
            stops=$((stops + 1))
        elif [ "$struck" = no ] || grep -q '^corpress' said; then
            fail "$how at $moment, $ranks ranks: ended with $code: $(cat said)"
        fi
        if [ "$struck" = yes ]; then
            kills=$((kills + 1))
            printf '%d\t%s\t%s\t%d ranks\tended with %d\n' "$kills" "$moment" "$how" "$ranks" "$code"
        fi
    done
    launched=
    expect 0 ranks 2 corpress compress "${compress_options[@]}" --force corpus -o archive.h5
    kill_check
    echo "$kills times killed, $stops times stopped at a snapshot, $runs times done"
}

# lesson_kill_tests COUNT SEED: strikes lessons COUNT times by SIGKILL, when up to half of their text
# has been read: one rank, all, the launcher. Each time another number of ranks goes on. A lesson
# that was over is no such strike; what it gave is compared, and the next run starts from nothing.
lesson_kill_tests() {
    local tries kills=0 resumed=0 runs=0 ranks how
    local -a hows=(one all launcher)
    RANDOM=$2
    for ((tries = 0; kills < $1; tries++)); do
        ranks=$(((tries + 1) % 4 + 1))
        how=${hows[tries % ${#hows[@]}]}
        hold_at $((1 + lesson_bytes * RANDOM / ranks / 65536))
        attempt "$ranks" lesson "$how"
        end_hold
        if grep '^corpress: the lesson goes on after' said; then resumed=$((resumed + 1)); fi
        if [ "$struck" = yes ] && [ ! -e archive.h5 ] && [ ! -e archive.h5.work/weights.cps ]; then
            kills=$((kills + 1))
            printf '%d\t%s\t%d ranks\tended with %d\n' "$kills" "$how" "$ranks" "$code"
        else
            lesson_finish "$ranks"
        fi
    done
    lesson_finish 3
    echo "$kills lessons killed, $resumed went on from a checkpoint, $runs archives were the same"
}

# lesson_finish RANKS: what is left of the run, to the right archive.
lesson_finish() {
    if [ ! -e archive.h5 ] || [ -e archive.h5.work ]; then
        expect 0 ranks "$1" corpress compress "${compress_options[@]}" corpus -o archive.h5 >said 2>&1
        if grep '^corpress: the lesson goes on after' said; then resumed=$((resumed + 1)); fi
    fi
    kill_check
}

kill_check() {
    cmp undisturbed.h5 archive.h5
    absent archive.h5.work
    rm archive.h5
    runs=$((runs + 1))
}
