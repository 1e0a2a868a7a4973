#!/usr/bin/env bash
# test.sh [CTEST-ARGUMENT...]: installs what is missing, builds, passes all tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash jobs/packages.sh test
cmake --preset release -DBUILD_TESTING=ON >/dev/null
cmake --build --preset release | tail -n 1
ctest --preset release -j "$(nproc)" "$@"
