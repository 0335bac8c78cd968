export const help = `imux: all your chat accounts in one terminal

Usage: imux [--profile NAME] [VERB] [OPTIONS]

  imux                 the screen: one list of all contacts, one conversation, one prompt
  imux demo            the same on small built-in networks; nothing leaves this machine
  imux account …       add, list, show, set, remove, enable, disable, check
  imux networks        what each network can and cannot do here, and what an account needs
  imux contacts        the merged list
  imux chats           conversations, the latest first
  imux send …          sends a text, standard input, its lines, or a file
  imux ask …           sends, and prints the answer
  imux watch …         what happens, as it comes
  imux history …       the last messages of a conversation, from this machine
  imux search …        messages of all accounts, from this machine
  imux unread          how many are unread, for status bars
  imux outbox …        what did not go out: list, retry, discard, edit
  imux export          the archive and the accounts (never secrets), one JSON object a line
  imux import …        what imux export wrote, and the logs of other programs
  imux hub …           the background process: run, start, stop, status, install
  imux doctor          what is wrong here, and what to do about it
  imux completion …    for bash, zsh and fish

imux VERB --help explains each with examples. imux --version.
Folders: XDG, or all under IMUX_HOME. NO_COLOR is obeyed.
`;
