# shellcheck shell=bash disable=SC2034,SC2154
# Which shards are intact is remembered from the first attempt on, beside the archive.
case " ${job_arguments[*]} " in
*' --continue '* | *' --state'* | *' --coded-only '*) ;;
*) job_arguments+=(--continue) ;;
esac
again=()

# Bytes of what is remembered.
done_so_far() { cat -- "$job_archive".verified* 2>/dev/null | wc -c; }
