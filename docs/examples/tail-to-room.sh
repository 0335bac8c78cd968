#!/bin/sh
# What a log says from now on, line by line, to a room: tail-to-room.sh FILE TARGET [PATTERN]
# imux keeps to the pace that the network allows, and tail waits for it; a log that is rotated is followed.
set -u
tail -n 0 -F "$1" 2>/dev/null | grep --line-buffered -E -- "${3:-.}" | imux send --lines "$2"
