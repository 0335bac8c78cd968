/**
 * The capabilities that imux asks for and honours (https://ircv3.net/irc/). `inspircd.org/poison` and its like stand in
 * a server's list to catch clients that ask for everything, so only what is named here is ever requested.
 */
export const WANTED: ReadonlySet<string> = new Set([
  'account-notify',
  'account-tag',
  'away-notify',
  'batch',
  'cap-notify',
  'chghost',
  'draft/chathistory',
  'draft/message-redaction',
  'draft/read-marker',
  'echo-message',
  'extended-join',
  'extended-monitor',
  'invite-notify',
  'labeled-response',
  'message-tags',
  'multi-prefix',
  'server-time',
  'setname',
  'standard-replies',
  'userhost-in-names',
  'znc.in/playback',
  'znc.in/self-message',
  'znc.in/server-time-iso',
]);
