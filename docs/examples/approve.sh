#!/bin/sh
# Asks a person before something happens: approve.sh TARGET WHAT [SECONDS] && deploy
# Exits with 0 for a yes and with 1 for anything else; with 75 where nobody answered in time.
set -u
answer=$(imux ask --timeout "${3:-900}" "$1" "$2? Answer yes or no.") || exit
case $answer in
  [Yy] | [Yy]es) echo "approved by $1" ;;
  *) echo "not approved: $answer" >&2 && exit 1 ;;
esac
