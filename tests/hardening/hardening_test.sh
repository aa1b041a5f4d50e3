#!/bin/bash
# Checks how the programs given were built and linked.
set -uo pipefail

failed=0
# expect WHAT PATTERN TEXT: a line of the text matches.
expect() {
  grep -qE -- "$2" <<<"$3" && return
  echo "$program: $1" >&2
  failed=1
}

for program in "$@"; do
  segments=$(readelf -lW "$program") || exit 1
  dynamic=$(readelf -dW "$program") || exit 1
  symbols=$(readelf -sW "$program") || exit 1
  header=$(readelf -hW "$program") || exit 1
  expect "is always loaded at the same address (no PIE)" 'Type: +DYN' "$header"
  expect "what the loader fills in stays writable (no RELRO)" 'GNU_RELRO' \
    "$segments"
  # What is static is never bound later.
  if grep -q INTERP <<<"$segments"; then
    expect "is not bound when it is loaded (no BIND_NOW)" 'FLAGS_1.*NOW' \
      "$dynamic"
  fi
  expect "its stack can be executed" 'GNU_STACK .* RW +0x' "$segments"
  expect "has no stack protector" '__stack_chk_fail' "$symbols"
  expect "does not check the bounds of what it copies (no _FORTIFY_SOURCE)" \
    '__(mem|str|v?s?n?printf|read|poll)[a-z]*_chk' "$symbols"
  if grep -qE 'LOAD .* RWE ' <<<"$segments"; then
    echo "$program: has memory that is both writable and executable" >&2
    failed=1
  fi
  if grep -qE 'TEXTREL|RPATH|RUNPATH' <<<"$dynamic"; then
    echo "$program: its text is relocated, or it looks for libraries in odd" \
      "places" >&2
    failed=1
  fi
done
exit $failed
