#!/bin/sh
# A hook, for "hooks" in accounts.json:
#   { "run": ["/home/me/on-mention.sh"], "on": ["mention"], "words": ["status"] }
# The event is one line of JSON on standard input. An answer goes out only because this says so.
set -u
event=$(cat)
[ "$(printf '%s' "$event" | jq -r '.style // ""')" = notice ] && exit
imux send "$(printf '%s' "$event" | jq -r .target)" -m 'all is well here'
