# cpack.cmake: Debian packages of what `install` installs, one for each component. deb.sh builds
# them; it gives the options that a Debian package is built with, and the environment that
# stage.cmake reads.
get_target_property(soversion corpress_shared SOVERSION)
# A package of Debian's own has the revision 1, and takes the place of these.
set(CPR_DEBIAN_REVISION 0upstream1 CACHE STRING "Revision of the Debian packages")
set(full_version ${PROJECT_VERSION}-${CPR_DEBIAN_REVISION})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME corpress)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each package has its own
set(CPACK_PACKAGE_CONTACT "The corpress authors <corpress@example.org>")
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/stage.cmake)
set(CPACK_CORPRESS_PACKAGING ${CMAKE_CURRENT_LIST_DIR})
set(CPACK_CORPRESS_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_CORPRESS_VERSION ${full_version})

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_COMPONENTS_ALL program library mpi_library development)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${CPR_DEBIAN_REVISION})
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
# libcorpress_mpi is linked with libcorpress of the build directory, which is in no package yet;
# the dependency stands below.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_BINARY_DIR})

# corpress_package(COMPONENT NAME SECTION SUMMARY TEXT [DEPENDS package...] [RECOMMENDS package...]
#                  [SUGGESTS package...])
function(corpress_package component name section summary text)
    cmake_parse_arguments(arg "" "" "DEPENDS;RECOMMENDS;SUGGESTS" ${ARGN})
    string(TOUPPER ${component} key)
    set(prefix CPACK_DEBIAN_${key})
    set(${prefix}_PACKAGE_NAME ${name} PARENT_SCOPE)
    set(${prefix}_FILE_NAME DEB-DEFAULT PARENT_SCOPE)
    set(${prefix}_PACKAGE_SECTION ${section} PARENT_SCOPE)
    set(${prefix}_DESCRIPTION "${summary}\n${text}" PARENT_SCOPE)
    foreach(kind DEPENDS RECOMMENDS SUGGESTS)
        list(JOIN arg_${kind} ", " packages)
        set(${prefix}_PACKAGE_${kind} "${packages}" PARENT_SCOPE)
    endforeach()
endfunction()

# OpenBLAS is loaded by its soname, so dpkg-shlibdeps does not see it. libopenblas0 lets the system
# choose between its variants. Archives of two profiles cannot be read without it.
corpress_package(program corpress utils "lossless compressor for text corpora"
"corpress compresses text corpora losslessly, on one machine or, with MPI, on
many. Its archives are smaller than those of general compressors; compressing
and decompressing take longer. Single files can be read from an archive, and
an audit tells what each part of a corpus costs."
    DEPENDS openmpi-bin libopenblas0
    SUGGESTS slurm-client python3-corpress)
corpress_package(library libcorpress${soversion} libs "reads archives of text corpora (library)"
"libcorpress reads archives that corpress has made: documents, files, any range
of bytes. It needs no MPI."
    DEPENDS libopenblas0)
corpress_package(mpi_library libcorpress-mpi${soversion} libs
    "writes archives of text corpora with MPI (library)"
"libcorpress_mpi is what the program corpress does with many processes:
compressing, decompressing, forecasts."
    DEPENDS "libcorpress${soversion} (= ${full_version})"
    RECOMMENDS openmpi-bin)
corpress_package(development libcorpress-dev libdevel
    "reads and writes archives of text corpora (development files)"
"Headers of libcorpress and libcorpress_mpi, with what pkg-config and CMake need
to find them."
    DEPENDS "libcorpress${soversion} (= ${full_version})"
            "libcorpress-mpi${soversion} (= ${full_version})"
    SUGGESTS libopenmpi-dev)
foreach(key PROGRAM LIBRARY MPI_LIBRARY)
    set(CPACK_DEBIAN_${key}_PACKAGE_SHLIBDEPS ON)
endforeach()
set(CPACK_DEBIAN_PROGRAM_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_LIST_DIR}/debian/conffiles)
# What is linked with a library needs its package; the linker's cache learns of it by a trigger.
foreach(component library mpi_library)
    string(TOUPPER ${component} key)
    set(name ${CPACK_DEBIAN_${key}_PACKAGE_NAME})
    string(REGEX REPLACE "^lib(.*[^0-9])[0-9]+$" "\\1" base ${name})
    string(REPLACE - _ base ${base})
    set(control ${CMAKE_BINARY_DIR}/debian/${component})
    file(WRITE ${control}/shlibs "lib${base} ${soversion} ${name} (>= ${PROJECT_VERSION})\n")
    file(WRITE ${control}/triggers "activate-noawait ldconfig\n")
    set(CPACK_DEBIAN_${key}_PACKAGE_CONTROL_EXTRA ${control}/shlibs ${control}/triggers)
endforeach()

# Python compiles modules when they are installed, and removes what it compiled.
if(CPR_PYTHON)
    list(APPEND CPACK_COMPONENTS_ALL python)
    corpress_package(python python3-corpress python "reads archives of text corpora (Python 3)"
"The package corpress reads archives that the program corpress has made:
documents in order or by number, files, any range of bytes, and documents for
the workers of a training."
        DEPENDS "python3:any (>= 3.9)" "libcorpress${soversion} (= ${full_version})")
    set(CPACK_DEBIAN_PYTHON_PACKAGE_CONTROL_EXTRA
        ${CMAKE_CURRENT_LIST_DIR}/debian/postinst ${CMAKE_CURRENT_LIST_DIR}/debian/prerm)
endif()

include(CPack)
