#!/bin/sh
# What is shipped is hardened and runs from where it is installed.
set -eu
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
passed=0 failed=0

# case "what it says" command...
case_of() {
    if what=$1 && shift && "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED ${program##*/} $what"
    fi
}

has() {
    readelf -W "$1" "$program" 2>/dev/null | grep -Eq -- "$2"
}

has_not() {
    [ -x "$program" ] && ! has "$@"
}

answers() {
    "$program" --version >/dev/null 2>&1
}

cmake --install "$ENC_BUILD" --prefix "$prefix" >/dev/null
for program in "$prefix/bin/enclaved" "$prefix/bin/encctl"; do
    case_of "is position independent" has -h 'Type: +DYN'
    case_of "binds at start" has -d 'Flags:.* NOW'
    case_of "has read-only relocations" has -l GNU_RELRO
    case_of "has no executable stack" has -l 'GNU_STACK .* RW +0x'
    case_of "has no segment both writable and executable" has_not -l 'LOAD .* RWE '
    case_of "checks its stack" has --dyn-syms __stack_chk_fail
    case_of "checks its buffers" has --dyn-syms '__[a-z]+_chk@'
    case_of "has BoringSSL under other names" has -d 'NEEDED.*libbssl_enc.so'
    case_of "does not load the other libcrypto" has_not -d 'NEEDED.*libcrypto.so.0'
    case_of "finds its libraries relative to itself" has -d 'RUNPATH.*\$ORIGIN'
    case_of "runs where it is installed" answers
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
