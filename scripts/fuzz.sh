#!/bin/sh
# Runs every fuzz target of the tree for the time given (default 30s), one after the other.
set -e
time=${1:-30s}
grep -rl --include='*_test.go' '^func Fuzz' . | grep -v node_modules | while read -r file; do
  dir=$(dirname "$file")
  grep -ho '^func Fuzz[A-Za-z0-9_]*' "$file" | sed 's/^func //' | while read -r target; do
    echo "== $dir $target"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$dir" </dev/null
  done
done
