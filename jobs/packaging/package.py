"""The package corpress for Spack 0.23 or later. recipes.sh fills in what stands between @ signs."""

from spack.package import *

try:  # From Spack 1.0 on this lies in the repository of packages.
    from spack_repo.builtin.build_systems.cmake import CMakePackage
except ImportError:
    pass


class Corpress(CMakePackage):
    """Lossless compressor for text corpora, on one machine or, with MPI, on many."""

    url = "@URL@"

    license("BSD-3-Clause")

    version("@VERSION@", sha256="@SHA256@")

    variant("python", default=True, description="Install the Python package")

    generator("ninja")
    depends_on("c", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("cmocka", type="test")

    depends_on("mpi")
    depends_on("hdf5@1.10:")
    # Loaded by its soname when a network is used: the program finds it by its RPATH.
    depends_on("openblas")
    depends_on("lz4")
    depends_on("xxhash@0.8:")
    depends_on("zlib-api")
    depends_on("zstd")
    depends_on("xz")
    depends_on("bzip2")
    depends_on("snappy")
    depends_on("python@3.9:", type="run", when="+python")

    def cmake_args(self):
        return [
            self.define("BUILD_TESTING", self.run_tests),
            self.define_from_variant("CPR_PYTHON", "python"),
        ]

    def check(self):
        """What takes seconds. The whole suite needs a cluster that it starts, and half an hour."""
        with working_dir(self.build_directory):
            ctest("-L", "unit", "--output-on-failure")

    def setup_run_environment(self, env):
        if self.spec.satisfies("+python"):
            env.prepend_path("PYTHONPATH", self.prefix.lib.join("python3/dist-packages"))

    def test_version(self):
        """The program runs, and is of this version."""
        corpress = which(self.prefix.bin.corpress)
        said = corpress("--version", output=str.split, error=str.split)
        assert f"corpress {self.spec.version}," in said
