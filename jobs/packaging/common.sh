# shellcheck shell=bash
# common.sh: what scripts of this folder share.

# project_version: the version in the CMakeLists.txt on standard input.
project_version() { sed -n 's/^project(corpress VERSION \([0-9.]*\) .*/\1/p'; }

# only_folder DEFAULT [FOLDER]: prints the script's one argument, or the default, as a whole path.
# Ends with 3 if it is an option.
only_folder() {
    case ${2:-} in
    -*)
        echo "usage: jobs/packaging/${0##*/} [FOLDER]" >&2
        exit 3
        ;;
    esac
    realpath -m -- "${2:-$1}"
}
