# stage.cmake: CPack runs it between `install` and the making of packages. It makes of each
# component's tree below CPACK_TEMPORARY_DIRECTORY what Debian's policy asks of a package's.
#
# Environment: SOURCE_DATE_EPOCH, the time of all files; DEBFULLNAME and DEBEMAIL, the maintainer.

# stage_command(COMMAND...): runs it, or ends.
function(stage_command)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE result)
    if(NOT result EQUAL 0)
        message(FATAL_ERROR "stage.cmake: ${ARGN}: ${result}")
    endif()
endfunction()

# stage_compressed(FILE...): as gzip makes them, without a time.
function(stage_compressed)
    if(ARGN)
        stage_command(gzip -9nf ${ARGN})
    endif()
endfunction()

string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(READ ${CPACK_CORPRESS_LICENSE} license)
string(REGEX MATCH "Copyright[^\n]*\n" holder "${license}")
string(REGEX REPLACE "Copyright \\(c\\) ([0-9-]+), ([^\n]*)\n" "\\1 \\2" holder "${holder}")
string(REGEX REPLACE "^[^\n]*\n+Copyright[^\n]*\n+" "" license "${license}")
string(STRIP "${license}" license)
string(REGEX REPLACE "\n\n" "\n.\n" license "${license}")
string(REGEX REPLACE "\n" "\n " license " ${license}")
set(copyright "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: corpress

Files: *
Copyright: ${holder}
License: BSD-3-Clause
${license}
")

foreach(component IN LISTS CPACK_COMPONENTS_ALL)
    string(TOUPPER ${component} key)
    set(package ${CPACK_DEBIAN_${key}_PACKAGE_NAME})
    set(tree ${CPACK_TEMPORARY_DIRECTORY}/${component})
    set(documents ${tree}/usr/share/doc/${package})
    file(WRITE ${documents}/copyright "${copyright}")
    file(WRITE ${documents}/changelog.Debian "corpress (${CPACK_CORPRESS_VERSION}) unstable; urgency=medium

  * Packages of this version, made by CPack.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
    stage_compressed(${documents}/changelog.Debian)
    file(GLOB pages ${tree}/usr/share/man/man*/*.[1-9])
    stage_compressed(${pages})
endforeach()

# The license stands in `copyright`. What an administrator changes lies below /etc; submit.sh reads
# it beside itself.
set(tree ${CPACK_TEMPORARY_DIRECTORY}/program)
file(REMOVE ${tree}/usr/share/doc/corpress/LICENSE)
file(MAKE_DIRECTORY ${tree}/etc/corpress)
file(RENAME ${tree}/usr/share/corpress/site.conf ${tree}/etc/corpress/site.conf)
file(CREATE_LINK /etc/corpress/site.conf ${tree}/usr/share/corpress/site.conf SYMBOLIC)

# Debian's places for what the installation has elsewhere.
if(EXISTS ${tree}/usr/share/zsh/site-functions)
    file(RENAME ${tree}/usr/share/zsh/site-functions ${tree}/usr/share/zsh/vendor-completions)
endif()
if(EXISTS ${tree}/usr/share/doc/corpress/CHANGES.md)
    file(RENAME ${tree}/usr/share/doc/corpress/CHANGES.md ${tree}/usr/share/doc/corpress/changelog)
    stage_compressed(${tree}/usr/share/doc/corpress/changelog)
endif()

stage_command(chmod -R u=rwX,go=rX ${CPACK_TEMPORARY_DIRECTORY})
stage_command(find ${CPACK_TEMPORARY_DIRECTORY} -exec touch -h -d @$ENV{SOURCE_DATE_EPOCH} {} +)
