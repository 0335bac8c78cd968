#!/bin/sh
# The last step of a CI job: ci-notify.sh TARGET JOB RESULT [SECONDS]
# The same job and result go out once, however often the step is tried again. A chat that is away for now does not
# fail the build: the message is queued (75) and goes out later.
set -u
imux send --timeout "${4:-20}" --id "ci-$2-$3" "$1" -m "job $2: $3"
code=$?
[ "$code" -eq 75 ] && echo "queued: $1 hears of it later" >&2 && exit 0
exit "$code"
