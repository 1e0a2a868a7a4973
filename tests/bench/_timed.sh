# shellcheck shell=bash
# _timed.sh: times of runs, and how much others disturbed them.

# busy_ticks: what all processors have worked since the machine started.
busy_ticks() { awk '/^cpu / { print $2 + $3 + $4 + $7 + $8; exit }' /proc/stat; }

# timed FILE COMMAND...: runs it; appends a line to FILE: seconds, seconds of CPU time, and the CPU
# seconds that everything else on the machine took meanwhile.
timed() {
    local out=$1 start busy said
    shift
    said=$(mktemp)
    busy=$(busy_ticks)
    start=$(date +%s.%N)
    TIMEFORMAT='%U %S'
    { time "$@" 2>&3; } 3>&2 2>"$said"
    awk -v from="$start" -v to="$(date +%s.%N)" -v hz="$(getconf CLK_TCK)" \
        -v busy=$(($(busy_ticks) - busy)) '
        { cpu = $1 + $2; others = busy / hz - cpu
          printf "%.2f %.2f %.2f\n", to - from, cpu, (others > 0 ? others : 0) }' "$said" >>"$out"
    rm "$said"
}

# best FILE: the shortest run's seconds.
best() { sort -n "$1" | awk 'NR == 1 { print $1 }'; }

# each FILE: all runs, as "seconds/seconds of CPU of others".
each() { awk '{ printf "%s%s/%s", (NR > 1 ? " " : ""), $1, $3 }' "$1"; }

# best_cpu FILE: the fewest seconds of CPU time.
best_cpu() { sort -n -k 2 "$1" | awk 'NR == 1 { print $2 }'; }
