#!/usr/bin/env python3
"""The recipes for Spack and EasyBuild do what those ask: check_recipes.py FOLDER VERSION SHA256 URL

Runs both with as little of Spack and EasyBuild as they use, and looks at what they declare. URL is
the folder of the tarball.
"""
import sys
import types


class Declared:
    """What a package for Spack declares: pairs of directive and arguments."""

    def __init__(self):
        self.calls = []

    def directive(self, name):
        def note(*arguments, **named):
            self.calls.append((name, arguments, named))
        return note

    def of(self, name):
        return [(arguments, named) for call, arguments, named in self.calls if call == name]


def spack_package(path):
    """The class in package.py, and what it declares."""
    declared = Declared()
    spack = types.ModuleType("spack")
    package = types.ModuleType("spack.package")
    package.CMakePackage = type("CMakePackage", (), {})
    for name in ("license", "version", "variant", "generator", "depends_on"):
        setattr(package, name, declared.directive(name))
    sys.modules.update({"spack": spack, "spack.package": package})
    with open(path, encoding="utf-8") as text:
        names = {}
        exec(compile(text.read(), path, "exec"), names)  # pylint: disable=exec-used
    return names["Corpress"], declared


def easyconfig(path):
    with open(path, encoding="utf-8") as text:
        names = {}
        exec(compile(text.read(), path, "exec"), names)  # pylint: disable=exec-used
    return names


def main():
    folder, version, sha256, url = sys.argv[1:]
    tarball = f"corpress-{version}.tar.xz"
    package, declared = spack_package(f"{folder}/spack/packages/corpress/package.py")
    assert package.url == f"{url}/{tarball}", package.url
    assert declared.of("version") == [((version,), {"sha256": sha256})], declared.of("version")
    needed = {arguments[0].split("@")[0] for arguments, _ in declared.of("depends_on")}
    libraries = {"mpi", "hdf5", "openblas", "lz4", "xxhash", "zstd", "xz", "bzip2", "snappy"}
    assert libraries <= needed, libraries - needed
    assert package.__doc__

    config = easyconfig(f"{folder}/corpress-{version}-foss-2023a.eb")
    assert (config["name"], config["version"]) == ("corpress", version)
    assert config["source_urls"] == [url], config["source_urls"]
    assert config["sources"][0] % {"name": "corpress", "version": version} == tarball
    assert config["checksums"] == [sha256]
    assert all(len(pair) == 2 for pair in config["dependencies"] + config["builddependencies"])
    for key in ("easyblock", "homepage", "description", "toolchain", "moduleclass"):
        assert config[key], key


if __name__ == "__main__":
    main()
