"""How the package is built, installed, typed and described."""

import ast
import doctest
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import corpress
from corpress import _library

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "jobs" / "python"
BUILD = os.environ.get("BUILD")
USES = "import corpress; print(corpress.library_path(), corpress.__file__)"


def run(*command, cwd=None, path=None, **environment):
    """What a command says; in the environment, PYTHONPATH is only `path`, and None takes away."""
    env = {name: value for name, value in
           {**os.environ, "PYTHONPATH": path, **environment}.items() if value is not None}
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=env, check=False, timeout=3000,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode()


def test_version():
    """Of CMake's project, of the library, and of the package."""
    text = (ROOT / "CMakeLists.txt").read_text()
    project = re.search(r"^project\(corpress VERSION ([0-9.]+)", text, re.M)[1]
    assert corpress.__version__ == project == _library.lib.version().decode()


def test_layout():
    """Structures are where the C compiler has them."""
    said = subprocess.run([os.environ["CORPRESS_LAYOUT"]], check=True, stdout=subprocess.PIPE)
    wanted = dict(line.split() for line in said.stdout.decode().splitlines())
    found = {}
    for structure in (_library.ErrorText, _library.Hash128, _library.Facts, _library.Entry,
                      _library.InputFacts, _library.ShardInfo, _library.Texts, _library.Watch):
        name = structure.__doc__
        found[name] = str(_library.ctypes.sizeof(structure))
        for member, _ in structure._fields_:
            found[f"{name}.{member}"] = str(getattr(structure, member).offset)
    assert found == wanted


def test_old_pythons_can_read_it():
    for path in PACKAGE.rglob("*.py"):
        ast.parse(path.read_text(), str(path), feature_version=(3, 9))


def test_types(tmp_path):
    pytest.importorskip("mypy")
    for version in ("3.9", "3.11"):
        code, said = run(sys.executable, "-m", "mypy", "--strict", "--python-version", version,
                         "--cache-dir", tmp_path, "-p", "corpress", cwd=PACKAGE)
        assert code == 0, said


def pip(*arguments, **environment):
    return run(sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments,
               PIP_NO_INDEX="1", PIP_BREAK_SYSTEM_PACKAGES="1", **environment)


@pytest.mark.skipif(pip("--version")[0] != 0, reason="no pip")
@pytest.mark.parametrize("option", [[], ["-e"]])
def test_pip(tmp_path, option):
    """Without network, and without setuptools; the sources stay as they are."""
    before = sorted(PACKAGE.rglob("*"))
    code, said = pip("install", *option, PACKAGE, "--target", tmp_path)
    assert code == 0, said
    assert sorted(PACKAGE.rglob("*")) == before
    code, said = run(sys.executable, "-c", "import site, sys; site.addsitedir(sys.argv[1]); " + USES,
                     tmp_path, cwd="/")
    assert code == 0, said
    assert said.split()[1].startswith(str(PACKAGE if option else tmp_path))
    if not option:
        assert (tmp_path / "corpress" / "py.typed").exists()


def test_source_archive(tmp_path):
    """From it, the same wheel is made."""
    make = "import corpress_wheel, sys; print(getattr(corpress_wheel, sys.argv[1])(sys.argv[2]))"
    code, name = run(sys.executable, "-c", make, "build_sdist", tmp_path, path=str(PACKAGE))
    assert code == 0, name
    shutil.unpack_archive(tmp_path / name.strip(), tmp_path, filter="data") \
        if sys.version_info >= (3, 12) else shutil.unpack_archive(tmp_path / name.strip(), tmp_path)
    code, first = run(sys.executable, "-c", make, "build_wheel", tmp_path, path=str(PACKAGE))
    (tmp_path / "again").mkdir()
    _, second = run(sys.executable, "-c", make, "build_wheel", tmp_path / "again",
                    path=str(tmp_path / name.strip()[:-len(".tar.gz")]))
    assert code == 0 and first == second
    assert ((tmp_path / first.strip()).read_bytes() ==
            (tmp_path / "again" / second.strip()).read_bytes())


@pytest.fixture
def installed(tmp_path):
    """What cmake --install makes, moved."""
    if BUILD is None:
        pytest.skip("no build directory was given")
    code, said = run("cmake", "--install", BUILD, "--prefix", tmp_path / "first")
    assert code == 0, said
    (tmp_path / "first").rename(tmp_path / "moved")
    return tmp_path / "moved"


def test_cmake_install(installed):
    """The package finds the library that was installed with it, wherever the tree is."""
    place = installed / "lib" / "python3" / "dist-packages"
    code, said = run(sys.executable, "-c", USES, path=str(place), cwd="/", CORPRESS_LIBRARY=None)
    assert code == 0, said
    library, package = said.split()
    assert package == str(place / "corpress" / "__init__.py")
    assert Path(library).samefile(next(installed.rglob("libcorpress.so.1")))
    # A package elsewhere finds it by the linker's path, or beside the command.
    for environment in ({"LD_LIBRARY_PATH": str(Path(library).parent)},
                        {"PATH": f"{installed / 'bin'}:{os.environ['PATH']}"}):
        code, said = run(sys.executable, "-c", USES, path=str(PACKAGE), cwd="/",
                         CORPRESS_LIBRARY=None, **environment)
        assert code == 0, said


def test_no_library(tmp_path):
    """It says what it has looked for, and what is wrong with what it has found."""
    code, said = run(sys.executable, "-c", USES, path=str(PACKAGE), PATH="/usr/bin:/bin",
                     CORPRESS_LIBRARY=str(tmp_path / "none.so"))
    assert code == 1
    assert re.search(r"ImportError: there is no libcorpress. Looked for:\n +\S+/none.so "
                     r"\(\$CORPRESS_LIBRARY\): .*\nSet CORPRESS_LIBRARY", said), said
    other = sysconfig.get_config_var("MULTIARCH")
    code, said = run(sys.executable, "-c", USES, path=str(PACKAGE),
                     CORPRESS_LIBRARY=f"/lib/{other}/libc.so.6")
    assert code == 1
    assert "libc.so.6 is no libcorpress of version" in said and "it has no cpr_" in said, said


def test_readme(tmp_path):
    """Its examples give what it says: first the shell's, then Python's."""
    text = (PACKAGE / "README.md").read_text()
    shell = re.search(r"```sh\n(.*?)```", text, re.S)[1]
    path = f"{Path(os.environ['CORPRESS']).parent}:{os.environ['PATH']}"
    code, said = run("bash", "-euc", shell, cwd=tmp_path, PATH=path)
    assert code == 0, said
    here = os.getcwd()
    os.chdir(tmp_path)
    try:
        failed, tried = doctest.testfile(str(PACKAGE / "README.md"), module_relative=False,
                                         optionflags=doctest.ELLIPSIS)
    finally:
        os.chdir(here)
    assert tried > 10 and failed == 0
