#!/bin/sh
# A bot: bot.sh ACCOUNT. It answers !help, !uptime and !say WORDS, in private and in rooms.
# What a program wrote (style "notice") is never answered, nor what was said while it was away.
set -u
tab=$(printf '\t')
imux watch --json --no-self --account "$1" |
  jq --unbuffered -r 'select(.type == "message" and .style != "notice" and .live != false)
    | [.target, .text] | @tsv' |
  while IFS="$tab" read -r target text; do
    case $text in
      '!help') imux send "$target" -m '!help, !uptime, !say WORDS' ;;
      '!uptime') uptime | imux send "$target" ;;
      '!say '*) imux send "$target" -m "${text#!say }" ;;
    esac
  done
