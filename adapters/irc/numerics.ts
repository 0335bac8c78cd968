import { AdapterError, type ErrorCode } from '../errors.ts';
import type { IrcLine } from './transport/message.ts';

/** Numerics that refuse a command (https://modern.ircdocs.horse/#numerics), in the contract's words. */
const REFUSALS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  '263': ['rate-limited', 'the server asks to try again later'],
  '401': ['not-found', 'nobody with that nick is online'],
  '402': ['not-found', 'no such server'],
  '403': ['not-found', 'no such channel'],
  '404': ['refused', 'the channel does not let you write'],
  '405': ['refused', 'you are in as many channels as the server allows'],
  '406': ['not-found', 'nobody with that nick was ever here'],
  '407': ['refused', 'too many recipients'],
  '408': ['refused', 'the channel allows no colours or no such text'],
  '411': ['refused', 'no recipient'],
  '412': ['refused', 'no text to send'],
  '415': ['refused', 'the channel is for registered users'],
  '417': ['too-long', 'the server finds the line too long'],
  '437': ['rate-limited', 'that name is held back for now'],
  '439': ['rate-limited', 'too many recipients in a short time'],
  '441': ['not-found', 'they are not in that channel'],
  '442': ['refused', 'you are not in that channel'],
  '443': ['refused', 'they are in that channel already'],
  '461': ['refused', 'the server misses a parameter'],
  '470': ['refused', 'the channel sends newcomers to another one'],
  '471': ['refused', 'the channel is full'],
  '472': ['refused', 'the server does not know that mode'],
  '473': ['refused', 'the channel is for invited people only'],
  '474': ['refused', 'you are banned from that channel'],
  '475': ['refused', 'the channel needs its key'],
  '476': ['bad-data', 'that is no name for a channel'],
  '477': ['refused', 'the channel is for people with a registered nick'],
  '479': ['bad-data', 'that is no name for a channel'],
  '481': ['refused', 'only operators of the server may do that'],
  '482': ['refused', 'only operators of the channel may do that'],
  '486': ['refused', 'they accept messages from registered users only'],
  '489': ['refused', 'the channel is for people connected by TLS'],
  '492': ['refused', 'they accept no CTCP'],
  '519': ['refused', 'the channel is for administrators'],
  '520': ['refused', 'the channel is for operators of the server'],
  '531': ['refused', 'they do not accept messages from you'],
  '707': ['rate-limited', 'too many recipients in a short time'],
  '716': ['refused', 'they accept messages from people of their list only'],
};

/** The numerics that name no target: they answer whatever was asked last. */
const NAMELESS: ReadonlySet<string> = new Set(['407', '411', '412', '417']);

/** What a line refuses, or undefined where it refuses nothing. */
export function refusal(line: IrcLine): AdapterError | undefined {
  if (line.command === 'FAIL') {
    // https://ircv3.net/specs/extensions/standard-replies
    const [, code = '', ...rest] = line.params;
    return new AdapterError(standardCode(code), `the server refused: ${rest.at(-1) ?? code}`);
  }
  const known = REFUSALS[line.command];
  if (!known) return undefined;
  const [code, words] = known;
  const theirs = line.params.at(-1);
  return new AdapterError(code, theirs ? `${words} (${theirs})` : words);
}

function standardCode(code: string): ErrorCode {
  if (/NOT_FOUND|NO_SUCH|UNKNOWN_MSGID|INVALID_TARGET/.test(code)) return 'not-found';
  if (/RATE|TEMPORAR/.test(code)) return 'rate-limited';
  if (/TOO_LONG|MAX_/.test(code)) return 'too-long';
  return 'refused';
}

/** Whether a refusal is about one of these (folded) names, or about that command. */
export function concerns(
  line: IrcLine,
  command: string,
  names: readonly string[],
  fold: (text: string) => string,
): boolean {
  if (line.command === 'FAIL') return line.params[0] === command;
  if (NAMELESS.has(line.command)) return true;
  return line.params.slice(1).some((param) => param === command || names.includes(fold(param)));
}

/** Why the server ended the connection, from its ERROR line or a numeric during sign-in. */
export function closingError(reason: string): AdapterError {
  const text = reason.replace(/^Closing link:?\s*/i, '');
  if (/throttl|too (fast|many)|reconnect/i.test(text)) {
    return new AdapterError('rate-limited', `the server turned us away: ${text}`, { retryAfter: 60 });
  }
  if (/[kgzdq]-?lined?\b|bann?ed|akill|kill(ed)?\b|not authori[sz]ed|access denied/i.test(text)) {
    return new AdapterError('refused', `the server turned us away: ${text}`);
  }
  return new AdapterError('unreachable', text === '' ? 'the server closed the connection' : `the server left: ${text}`);
}
