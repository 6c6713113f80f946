#!/bin/sh
# A client of the tool-events transport in shell and curl: tool-events.sh URL KEY TOOL ARGS.
# It prints the list of tools, then what the call came to. Written from docs/tool-events.md alone.
set -eu
url=$1/sse key=$2 tool=$3 args=$4
dir=$(mktemp -d)
trap 'kill "$stream" 2>/dev/null || true; rm -rf "$dir"' EXIT
mkfifo "$dir/events"
curl -sN -H 'Accept: text/event-stream' -H "api_key: $key" "$url" >"$dir/events" &
stream=$!
exec 3<"$dir/events"

# The data of the next event of this name.
next() {
  name=
  while IFS= read -r line; do
    line=$(printf %s "$line" | tr -d '\r')
    case $line in
      "event: "*) name=${line#event: } ;;
      "data: "*) if [ "$name" = "$1" ]; then printf '%s\n' "${line#data: }"; return; fi ;;
    esac
  done
  return 1
}

endpoint=$(next endpoint <&3)
next tools <&3
session=$(printf %s "$endpoint" | sed 's/.*[?&]session_id=\([^&]*\).*/\1/')
body="{\"session_id\":\"$session\",\"tool\":\"$tool\",\"args\":$args}"
curl -sN -H 'Content-Type: application/json' -H "api_key: $key" -d "$body" "$url" | next result
