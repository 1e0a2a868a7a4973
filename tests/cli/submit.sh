# What submit.sh hands to SLURM, without a SLURM: a stand-in for sbatch keeps what it is given.
cat >../bin/sbatch <<'END'
#!/bin/sh
cat >script
printf '%s\0' "$@" >options
echo '17;cluster'
END
chmod +x ../bin/sbatch
export CORPRESS_SITE=$PWD/site.conf
cat >site.conf <<'END'
SITE_PARTITION=big SITE_ACCOUNT='a b' SITE_SBATCH=(--exclusive)
SITE_ENVIRONMENT=("X=it's \$x")
SITE_MPIRUN=(./launcher)
site_setup() { set_up=yes; }
END
submit() { bash "$JOBS/submit.sh" "$@"; }
refute() { ! grep -zqxF -- "$1" options || fail "$1 in $(tr '\0' ' ' <options)"; }
given() { grep -zqxF -- "$1" options || fail "no $1 in $(tr '\0' ' ' <options)"; }

# The number alone is printed; options are sbatch's.
name=$'a \'b\' "c" $d %j `e`\\ f\ng\xff'
mkdir "$name" "$name/corpus"
text 1000 >"$name/corpus/file"
[ "$(submit compress "$name/corpus" --nodes=3 -o "$name/x.h5" --time 1:00:00 \
    --dependency afterok:3 -- -p fast)" = 17 ] || fail "not the number"
given --nodes=3
given --time=1:00:00
given --partition=big
given '--account=a b'
given --exclusive
given --requeue
given --open-mode=append
given --signal=B:USR1@120
given --dependency=afterok:3
given --kill-on-invalid-dep=yes
submit compress corpus -o 'x%j.h5' >/dev/null
refute --kill-on-invalid-dep=yes
given "--output=$PWD/x%%j.h5.slurm-%j.out"

# A site that forbids the option, and the longest warning that sbatch takes.
cp site.conf usual.conf
echo 'SITE_DEPENDENCY=()' >>site.conf
submit compress corpus -o x.h5 --dependency afterok:3 --signal-seconds 65535 >/dev/null
given --dependency=afterok:3
given --signal=B:USR1@65535
refute --kill-on-invalid-dep=yes
submit compress corpus -o x.h5 --dependency afterok:3 --dry-run >job.sh
if grep -q kill-on-invalid job.sh; then fail "the option is in the script"; fi

# What every `compress` of a site gets, and nothing else does.
echo 'SITE_COMPRESS=(--decode-inputs)' >>site.conf
submit compress corpus -o x.h5 --dry-run >job.sh
grep -q -e '--decode-inputs' job.sh || fail "compress lacks the site's option"
submit verify x.h5 --dry-run >job.sh
if grep -q -e '--decode-inputs' job.sh; then fail "verify has an option of compress"; fi
mv usual.conf site.conf
submit compress corpus -o x.h5 --dependency afterok:3 --signal-seconds 1 --dry-run >job.sh
grep -qx '#SBATCH --kill-on-invalid-dep=yes' job.sh
grep -qx '#SBATCH --signal=B:USR1@1' job.sh
for wrong in '' 0 00 -1 +5 1.5 65536 99999 120s 99999999999999999999; do
    expect 3 submit verify a.h5 --signal-seconds "$wrong" 2>said
    grep -q -e '--signal-seconds wants 1 to 65535' said
done

# --dry-run prints the script; it does the work, from wherever it is run.
rm options
submit compress "$name/corpus" -o "$name/x.h5" --dry-run -- -q -p fast >job.sh
absent options
grep -qx '#SBATCH --partition=big' job.sh
cat >launcher <<'END'
#!/bin/sh
echo "$X" >launched
exec "$@"
END
chmod +x launcher
(cd / && SLURM_JOB_ID=5 SLURM_JOB_NODELIST=here bash "$OLDPWD/job.sh")
corpress compress -q -p fast "$name/corpus" -o direct.h5
cmp direct.h5 "$name/x.h5"
[ "$(cat launched)" = "it's \$x" ] || fail "$(cat launched)"
grep -q 'done$' "$name/x.h5.slurm-5.out"
restarts=0
run_job() {
    SLURM_JOB_ID=5 SLURM_JOB_NODELIST=here SLURM_RESTART_COUNT=$restarts bash job.sh 2>said
}
submit extract "$name/x.h5" "$name/corpus/file" -C "$name/out" --dry-run -- -q >job.sh
run_job
cmp "$name/corpus/file" "$name/out/$name/corpus/file"

# An audit's table goes to a file. Failures that corpress itself tells of are final.
submit audit direct.h5 --dry-run -- --format json >job.sh
run_job
corpress audit --format json direct.h5 | cmp - direct.h5.audit.json
submit verify absent.h5 --dry-run >job.sh
expect 2 run_job

# A launcher that starts nothing: tried again, and given up after three attempts without progress.
cat >../bin/scontrol <<'END'
#!/bin/sh
if [ "$1" = show ]; then
    echo "JobId=5 JobState=$(cat state) Restarts=0"
    exit
fi
echo "$@" >>requeued
kill -TERM $PPID
END
chmod +x ../bin/scontrol
printf '#!/bin/sh\nexit 1\n' >launcher
submit verify direct.h5 --dry-run -- -q >job.sh
echo COMPLETING >state
expect 1 run_job
grep -q 'ended by SLURM or cancelled' said
absent requeued
echo RUNNING >state
for restarts in 0 1; do expect 143 run_job; done
restarts=2
expect 1 run_job
grep -q 'giving up after 3 attempts without progress' said
[ "$(sort requeued | uniq -c | xargs)" = '2 requeue 5' ] || fail "$(cat requeued)"
if compgen -G '*slurm-5.attempts' || compgen -G '*slurm-5.exit*'; then fail "something is left"; fi

for wrong in '' nothing 'compress a' verify 'verify a --shards 1' 'audit a --no' \
    'audit a --launcher ssh' 'compress . -o x.h5' 'compress ../cwd -o a/x.h5' 'audit a --nodes' \
    'compress - -o b/x.h5' 'compress /dev/fd/9 -o b/x.h5' 'compress a -o b/x.h5 -- --files-from -'; do
    # shellcheck disable=SC2086
    expect 3 submit $wrong 2>said
    grep -q 'submit.sh --help' said
done
submit --help | grep -q 'submit.sh compress'
