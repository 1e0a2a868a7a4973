#!/usr/bin/env bash
# submit.sh: puts a job into SLURM's queue and prints its number, and nothing else, on standard
# output. See `usage` below.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
    cat <<END
submit.sh compress CORPUS... -o ARCHIVE.h5     [OPTION...] [-- CORPRESS-OPTION...]
submit.sh extract  ARCHIVE.h5 [PATH...] [-C DIR] [--shards 3,7-9]  [OPTION...] [-- ...]
submit.sh verify   ARCHIVE.h5                  [OPTION...] [-- ...]
submit.sh audit    ARCHIVE.h5                  [OPTION...] [-- ...]

Submits a batch job to SLURM and prints its number. The job's output is appended to
ARCHIVE.h5.slurm-NUMBER.out; an audit's table goes to ARCHIVE.h5.audit.txt (.csv, .json).
A job that is stopped by its time limit, loses a node or a rank starts itself again and goes on.

  --nodes N  --ntasks-per-node N  --ntasks N  --time LIMIT  --partition P  --account A
  --dependency WHAT  --begin WHEN  --qos Q  --constraint C  --mem SIZE  --mem-per-cpu SIZE
  --cpus-per-task N  --job-name NAME  --nodelist LIST  --exclude LIST  --reservation R
  --comment TEXT  --mail-type T  --mail-user U  --licenses L
                        as sbatch has them
  --launcher mpirun|srun
  --signal-seconds N    how long before the time limit the job is asked to save its state: 1 to
                        65535
  --dry-run             print the batch script instead of submitting it

What is the same for all jobs of a site is in
  $(shown "$here/site.conf")
and in the file that CORPRESS_SITE names, which counts more, by default
  $(shown "$own")
END
}

# shown TEXT: as a terminal can take it: ASCII as it is, anything else in the shell's quoting.
shown() {
    local LC_ALL=C
    case $1 in
    *[!\ -~]*) printf '%q' "$1" ;;
    *) printf '%s' "$1" ;;
    esac
}

# unprintable TEXT: it is not UTF-8, or has characters that steer a terminal, change the order of
# others or hide; as shard/base/printable.h has them, in bytes.
unprintable() {
    local LC_ALL=C steers=$'[\x01-\x1f\x7f]|\xc2[\x80-\x9f]|\xd8\x9c' hides
    hides=$'\xe2\x80[\x8b\x8e\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf|\xf3\xa0[\x80\x81]'
    [[ $1 =~ $steers|$hides ]] || ! iconv -f UTF-8 -t UTF-8 <<<"$1" >/dev/null 2>&1
}

bad() {
    printf '%s\n' "submit.sh: $(shown "$*"); try submit.sh --help" >&2
    exit 3
}

SITE_SBATCH=() SITE_ENVIRONMENT=() SITE_DEPENDENCY=() SITE_COMPRESS=()
# shellcheck source=site.conf
. "$here/site.conf"
own=${CORPRESS_SITE:-${XDG_CONFIG_HOME:-${HOME:-/nowhere}/.config}/corpress/site.conf}
if [ -n "${CORPRESS_SITE:-}" ] || [ -f "$own" ]; then
    # shellcheck disable=SC1090
    . "$own"
fi

[ "$#" -gt 0 ] || bad "no command given"
case $1 in
compress | extract | verify | audit) command=$1 ;;
-h | --help)
    usage
    exit 0
    ;;
*) bad "no command '$1'" ;;
esac
shift

# ---- the command line --------------------------------------------------------------------------

declare -A slurm=(
    [nodes]=$SITE_NODES [ntasks-per-node]=$SITE_NTASKS_PER_NODE [time]=$SITE_TIME
    [partition]=$SITE_PARTITION [account]=$SITE_ACCOUNT
)
paths=() options=() archive='' output='' dry_run=''
while [ "$#" -gt 0 ]; do
    name=$1
    shift
    case $name in
    --)
        options+=("$@")
        break
        ;;
    --dry-run)
        dry_run=yes
        continue
        ;;
    -h | --help)
        usage
        exit 0
        ;;
    --*=*)
        value=${name#*=}
        name=${name%%=*}
        ;;
    -?*)
        [ "$#" -gt 0 ] || bad "$name wants a value"
        value=$1
        shift
        ;;
    *)
        paths+=("$name")
        continue
        ;;
    esac
    case $name in
    --nodes | --ntasks-per-node | --ntasks | --time | --partition | --account | --dependency | \
        --begin | --qos | --constraint | --mem | --mem-per-cpu | --cpus-per-task | --job-name | \
        --nodelist | --exclude | --reservation | --comment | --mail-type | --mail-user | --licenses)
        # squeue and others print these as they are.
        ! unprintable "$value" || bad "$name takes nothing that cannot be printed, not '$value'"
        slurm[${name#--}]=$value
        ;;
    --launcher) SITE_LAUNCHER=$value ;;
    --signal-seconds) SITE_SIGNAL_SECONDS=$value ;;
    -o | --output)
        [ "$command" = compress ] || bad "$command has no $name"
        archive=$value
        ;;
    -C | --directory)
        [ "$command" = extract ] || bad "$command has no $name"
        output=$value
        ;;
    --shards)
        [ "$command" = extract ] || bad "$command has no $name"
        options+=(--shards "$value")
        ;;
    *) bad "no option $name (options of corpress come behind --)" ;;
    esac
done

arguments=("$command")
if [ "$command" = compress ]; then
    [ -n "$archive" ] || bad "no archive given (-o ARCHIVE.h5)"
    arguments+=("${SITE_COMPRESS[@]}" -o "$archive")
else
    [ "${#paths[@]}" -gt 0 ] || bad "no archive given"
    archive=${paths[0]}
    [ -z "$output" ] || arguments+=(-C "$output")
fi
arguments+=("${options[@]}")

# A job has none of the pipes of this shell, nor its standard input. A job that starts again could
# not read a FIFO twice.
if [ "$command" = compress ]; then
    for path in "${paths[@]}"; do
        case $path in
        - | /dev/stdin | /dev/fd/* | /proc/self/fd/*) bad "a job cannot read '$path'" ;;
        esac
        [ ! -p "$path" ] || bad "a job cannot read the pipe '$path'"
    done
    case " ${options[*]} " in
    *' --files-from - '* | *' --files-from=- '*) bad "a job cannot read a list from '-'" ;;
    esac
fi

# The job's files beside the archive change while it runs; a corpus must not.
if [ "$command" = compress ]; then
    beside=$(dirname -- "$archive"; echo .)
    beside=$(realpath -m -- "${beside%$'\n'.}"; echo .)
    for path in "${paths[@]}"; do
        inside=$(realpath -m -- "$path"; echo .)
        [[ ${beside%$'\n'.}/ != "${inside%$'\n'.}"/* ]] ||
            bad "the archive must be outside of the corpus, not in '$path'"
    done
fi

case $SITE_LAUNCHER in
mpirun) launcher=("${SITE_MPIRUN[@]}") ;;
srun) launcher=("${SITE_SRUN[@]}") ;;
*) bad "the launcher is mpirun or srun, not '$SITE_LAUNCHER'" ;;
esac
# With 0 sbatch would take it, and SLURM warn nobody.
if ! [[ $SITE_SIGNAL_SECONDS =~ ^0*[1-9][0-9]{0,4}$ ]] || [ "$SITE_SIGNAL_SECONDS" -gt 65535 ]; then
    bad "--signal-seconds wants 1 to 65535, which is the most that sbatch takes"
fi

# An installed tree takes the program in it, a checkout the one on the PATH.
program=$SITE_CORPRESS
if [ -z "$program" ] && [[ $here = */share/corpress ]] && [ -x "$here/../../bin/corpress" ]; then
    program=$here/../../bin/corpress
fi
[ -n "$program" ] || program=$(type -P corpress || true)
[ -n "$program" ] || program=$here/../build/release/corpress
[ -x "$program" ] || bad "no program '$program' (SITE_CORPRESS)"
program=$(realpath -- "$program")

report=''
if [ "$command" = audit ]; then
    report=$archive.audit.txt
    case " ${options[*]} " in
    *' --format csv '* | *' --format=csv '*) report=$archive.audit.csv ;;
    *' --format json '* | *' --format=json '*) report=$archive.audit.json ;;
    esac
fi

# ---- the batch script --------------------------------------------------------------------------

sbatch_options() {
    local name
    printf '%s\0' --job-name="${slurm[job-name]:-corpress-$command}"
    for name in nodes ntasks ntasks-per-node cpus-per-task time partition account qos constraint \
        mem mem-per-cpu nodelist exclude reservation licenses dependency begin comment mail-type \
        mail-user; do
        [ -z "${slurm[$name]:-}" ] || printf '%s\0' "--$name=${slurm[$name]}"
    done
    [ -z "${slurm[dependency]:-}" ] || [ "${#SITE_DEPENDENCY[@]}" -eq 0 ] ||
        printf '%s\0' "${SITE_DEPENDENCY[@]}"
    printf '%s\0' --signal="B:USR1@$SITE_SIGNAL_SECONDS" --requeue --open-mode=append
    [ "${#SITE_SBATCH[@]}" -eq 0 ] || printf '%s\0' "${SITE_SBATCH[@]}"
}

# directive OPTION: a line of #SBATCH, in sbatch's own quoting, which has no way to write some bytes.
directive() {
    case $1 in
    *[$'\n\\']*) return 0 ;;
    esac
    printf '#SBATCH %s\n' "$(LC_ALL=C sed 's/[^A-Za-z0-9_=,.:@%+/\x80-\xff-]/\\&/g' <<<"$1")"
}

# assign NAME VALUE..., list NAME VALUE...: as the shell reads it back, whatever bytes are in it.
assign() {
    local LC_ALL=C
    printf '%s=%q\n' "$1" "$2"
}
list() {
    local LC_ALL=C name=$1
    shift
    printf '%s=(' "$name"
    [ "$#" -eq 0 ] || printf ' %q' "$@"
    printf ' )\n'
}

mapfile -d '' -t sbatch < <(sbatch_options)

# SLURM replaces %j and the like in the name of the output file. There are names that it has no
# way to write, and such that it should print nowhere; then the batch shell opens the file itself.
log=$archive.slurm-
[[ $log = /* ]] || log=$PWD/$log
if [[ $log = *\\* ]] || unprintable "$log"; then
    opens_log=yes
    sbatch+=(--output=/dev/null)
else
    opens_log=
    sbatch+=("--output=${log//%/%%}%j.out")
fi

script() {
    local option LC_ALL=C
    echo '#!/bin/bash'
    for option in "${sbatch[@]}"; do directive "$option"; done
    echo
    [ -z "$opens_log" ] || printf 'exec >>%q"$SLURM_JOB_ID.out" 2>&1\n' "$log"
    assign job_command "$command"
    assign job_directory "$PWD"
    assign job_archive "$archive"
    assign job_output "${output:-.}"
    assign job_report "$report"
    assign job_attempts "$SITE_ATTEMPTS"
    list job_environment "${SITE_ENVIRONMENT[@]}"
    list job_launcher "${launcher[@]}"
    list job_program "$program"
    list job_arguments "${arguments[@]}"
    list job_paths "${paths[@]}"
    echo
    declare -f site_setup
    echo
    cat "$here/slurm/$command.sh"
    echo
    cat "$here/slurm/supervise.sh"
}

if [ -n "$dry_run" ]; then
    script
    exit 0
fi
# Options are given on the command line, too, where any byte can be in them.
script | sbatch --parsable "${sbatch[@]}" | cut -d ';' -f 1
