#!/bin/bash
# Fails if the contracts changed and api.txtpb did not, or if a field, a value
# or an rpc lacks a comment.
set -u
committed=$1 actual=$2
shift 2
bad=0

if ! diff -u "$committed" "$actual"; then
  echo 'The API differs from proto/api.txtpb. If that is meant, run'
  echo '  cp "$(bazel info bazel-bin)/proto/api.actual.txtpb" proto/api.txtpb'
  echo 'and say in the commit message what changes for clients.'
  bad=1
fi

# Every declaration needs a comment right above it, except for the request and
# the response of an rpc, which is documented itself.
for proto in $(printf '%s\n' "$@" | sort -u); do
  awk -v file="$proto" '
    /^ *\/\// { comment = 1; next }
    /^ *oneof / { next }
    /^ *rpc / || /^ *[a-zA-Z_.<>, 0-9]+ [a-z_]+ = [0-9]+;/ ||
    /^ *[A-Z_]+ = [1-9][0-9]*;/ || /^message / || /^enum / {
      trivial = $0 ~ /^message [A-Za-z]+(Request|Response) /
      if (!comment && !trivial) { print file ": " $0; bad = 1 }
    }
    { comment = 0 }
    END { exit bad }
  ' "$proto" >undocumented.txt || {
    echo "Say what these mean:"
    cat undocumented.txt
    bad=1
  }
done
exit $bad
