#!/bin/sh
# Fetches Elasticsearch's and OpenSearch's clients for JavaScript and Python below the folder that is named first, where that can be
# done, and runs the tests of store/rest/clients with them. What cannot be had is skipped, and the test says so.
set -e
dir="$1"
mkdir -p "$dir/js"
dir=$(cd "$dir" && pwd)

if command -v npm >/dev/null 2>&1 && [ ! -d "$dir/js/node_modules/os3" ]; then
  (cd "$dir/js" && echo '{"private":true}' >package.json &&
    npm install --no-audit --no-fund --save-exact es8@npm:@elastic/elasticsearch@8 es9@npm:@elastic/elasticsearch@9 os3@npm:@opensearch-project/opensearch@3 >/dev/null) ||
    echo "clients: the JavaScript clients cannot be fetched" >&2
fi
if command -v python3 >/dev/null 2>&1; then
  for c in "py8 elasticsearch==8.*" "py9 elasticsearch==9.*" "pyos opensearch-py"; do
    name=${c%% *}
    [ -x "$dir/$name/bin/python" ] && "$dir/$name/bin/python" -c 'import elasticsearch' 2>/dev/null && continue
    [ -x "$dir/$name/bin/python" ] && "$dir/$name/bin/python" -c 'import opensearchpy' 2>/dev/null && continue
    { python3 -m venv "$dir/$name" && "$dir/$name/bin/pip" install -q "${c#* }"; } || echo "clients: ${c#* } for Python cannot be fetched" >&2
  done
fi
WEIR_CLIENTS="$dir" ${GO:-go} test -tags clients -vet=off -count=1 -timeout 10m -v ./store/rest/clients
