import { AdapterError, type ErrorCode } from '../../errors.ts';
import { type Json, object, text, whole } from './json.ts';

/** The Bot API's own answer behind an AdapterError, as its cause; its texts hold no token. */
export class BotApiError extends Error {
  override readonly name = 'BotApiError';
  readonly status: number;
  readonly description: string;
  /** The group became this supergroup: the call is to be made there. */
  readonly migrateTo: number | undefined;

  constructor(status: number, description: string, migrateTo?: number) {
    super(`${status} ${description}`);
    this.status = status;
    this.description = description;
    this.migrateTo = migrateTo;
  }
}

/** Answers with 400 that mean something else than "refused"; matched on the description, as there is no finer code. */
const badRequests: readonly (readonly [RegExp, ErrorCode])[] = [
  [/too (?:long|big|large)|MESSAGE_TOO_LONG|CAPTION_TOO_LONG/i, 'too-long'],
  [
    /(?:chat|user|thread|topic|message|file|member|PEER|connection)\b.*(?:not found|ID_INVALID|is empty$)/i,
    'not-found',
  ],
  [/PEER_ID_INVALID|USERNAME_INVALID|invalid user_id|wrong file_id|invalid file_id/i, 'not-found'],
  [/not supported|METHOD_INVALID/i, 'unsupported'],
];

const plain: readonly (readonly [RegExp, string])[] = [
  [/chat not found/i, 'no such chat, or the bot is not in it: a bot can write only to people who wrote to it first'],
  [/bot was blocked/i, 'they have blocked this bot'],
  [/user is deactivated/i, 'that person has deleted their account'],
  [/can't initiate conversation/i, 'a bot may not write first: the person has to start the conversation'],
  [/bot was kicked|bot is not a member/i, 'the bot is not a member there'],
  [/bots can't send messages to bots|can't send messages to bots/i, 'a bot may not write to another bot'],
];

/** @param scrub takes the token out of what the server says. */
export function faultOf(answer: Json, httpStatus: number, scrub: (text: string) => string): AdapterError {
  const status = whole(answer.error_code) ?? httpStatus;
  const description = scrub(text(answer.description) ?? 'no reason given').slice(0, 300);
  const parameters = object(answer.parameters);
  const cause = new BotApiError(status, description, whole(parameters?.migrate_to_chat_id));
  const words = plain.find(([pattern]) => pattern.test(description))?.[1] ?? `Telegram says: ${description}`;
  const code = codeOf(status, description);
  if (code === 'auth')
    return new AdapterError('auth', 'Telegram knows no bot with this token; it may have been revoked', { cause });
  if (code === 'rate-limited') {
    const retryAfter = Math.max(1, whole(parameters?.retry_after) ?? 5);
    return new AdapterError(code, `Telegram asks to wait ${retryAfter} s`, { cause, retryAfter });
  }
  // An error of the server may have come after the work was done.
  return new AdapterError(code, words, { cause, certain: status < 500 });
}

function codeOf(status: number, description: string): ErrorCode {
  if (status === 401) return 'auth';
  // A token of the wrong shape leads to no route at all.
  if (status === 404 && /^not found$/i.test(description)) return 'auth';
  if (status === 404) return /method/i.test(description) ? 'unsupported' : 'not-found';
  if (status === 403 || status === 409) return 'refused';
  if (status === 413) return 'too-long';
  if (status === 429) return 'rate-limited';
  if (status >= 500) return 'unreachable';
  if (status === 400) return badRequests.find(([pattern]) => pattern.test(description))?.[1] ?? 'refused';
  return 'protocol';
}

export function isConflict(error: unknown): error is AdapterError & { readonly cause: BotApiError } {
  return error instanceof AdapterError && error.cause instanceof BotApiError && error.cause.status === 409;
}

export function migration(error: unknown): number | undefined {
  return error instanceof AdapterError && error.cause instanceof BotApiError ? error.cause.migrateTo : undefined;
}
