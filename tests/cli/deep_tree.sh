# Directories nested so deep that paths are longer than the system takes, with few descriptors. Going
# to each of them from the top, each run would take seconds.
python3 - <<'END'
import os
os.mkdir("corpus")
os.chdir("corpus")
for i in range(1000):
    if i % 100 == 0:
        os.makedirs("side/in", exist_ok=True)
        with open("side/in/file", "w") as f:
            f.write(f"{i}\n" * 20)
    os.mkdir("deep")
    os.utime(".", (i, i))
    os.chdir("deep")
END
facts() { (cd "$1" && find . -printf '%P\t%y\t%m\t%s\t%T@\n' | sort | md5sum); }
expect 0 corpress compress -q -p fast corpus -o archive.h5
(ulimit -n 64 && expect 0 corpress extract -q archive.h5 -C out)
facts corpus >wanted
facts out/corpus | cmp - wanted
(ulimit -n 64 && expect 0 corpress extract -q --continue archive.h5 -C out)
facts out/corpus | cmp - wanted
(ulimit -n 64 && expect 0 corpress extract -q --force archive.h5 -C out)
facts out/corpus | cmp - wanted
