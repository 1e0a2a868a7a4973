-- The module corpress for Lmod. recipes.sh fills in what stands between @ signs, and names it
-- corpress/VERSION.lua. What the program was built with must be loaded, too: name the site's
-- modules in `needs`, or leave it empty where the linker finds the libraries by itself.
local version = "@VERSION@"
local root = "@PREFIX@"
local needs = {} -- such as {"openmpi/4.1", "hdf5/1.10", "openblas"}

help([[
corpress compresses text corpora losslessly. `corpress --help` lists its commands.

  mpirun -n 64 corpress compress CORPUS -o ARCHIVE.h5

share/corpress/submit.sh below $CORPRESS_ROOT submits jobs to SLURM. Each rank is one core: corpress
sets OPENBLAS_NUM_THREADS=1 where nobody has set it.
]])
whatis("Name: corpress")
whatis("Version: " .. version)
whatis("Description: lossless compressor for text corpora")

conflict("corpress")
for _, name in ipairs(needs) do
    depends_on(name)
end

setenv("CORPRESS_ROOT", root)
prepend_path("PATH", pathJoin(root, "bin"))
prepend_path("MANPATH", pathJoin(root, "share/man"))
append_path("MANPATH", "") -- and what man looks into without it
prepend_path("PYTHONPATH", pathJoin(root, "lib/python3/dist-packages"))
prepend_path("CMAKE_PREFIX_PATH", root)
for _, place in ipairs({"lib", "lib64"}) do
    local folder = pathJoin(root, place)
    if isFile(pathJoin(folder, "libcorpress.so")) then
        prepend_path("LD_LIBRARY_PATH", folder)
        prepend_path("PKG_CONFIG_PATH", pathJoin(folder, "pkgconfig"))
    end
end
