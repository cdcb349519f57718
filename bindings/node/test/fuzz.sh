#!/usr/bin/env bash
# Fuzzes the addon and the faces, each for half of SECONDS, from a new seed, which a failure names.
#
#   bindings/node/test/fuzz.sh SECONDS
#   FUZZ_SEED=1 bindings/node/test/fuzz.sh SECONDS    the same values again
set -euo pipefail
export FUZZ_SECONDS=$((${1:?how many seconds} / 2)) FUZZ_SEED=${FUZZ_SEED:-$RANDOM}
TESTS=fuzz exec bash "$(dirname "${BASH_SOURCE[0]}")/../test.sh"
