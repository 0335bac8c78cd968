import type { SQLOutputValue } from 'node:sqlite';
import type { Attachment, MessageId, Nonce, UserId } from '../../adapters/contract.ts';
import type { MessageState } from '../link/messages.ts';
import { numberOf, textOf } from './columns.ts';
import { type Conversations, keyOf } from './conversations.ts';
import type { Row, StoredError } from './types.ts';

export const COLUMNS =
  'row, conversation, id, nonce, sender, sender_name, at, text, style, reply_to, files, state, error, edited, retracted, mention, reactions, script_key';

const NONE: readonly Attachment[] = [];
const NO_REACTIONS: Row['reactions'] = {};

/** A row of `message` as the rest of imux sees it. */
export function decodeRow(value: Record<string, SQLOutputValue>, conversations: Conversations): Row {
  const number = numberOf(value.conversation);
  const [files, reactions] = [textOf(value.files), textOf(value.reactions)];
  return {
    row: numberOf(value.row),
    key: keyOf(number),
    account: conversations.byNumber(number)?.account ?? '',
    from: (textOf(value.sender) as UserId | undefined) ?? 'self',
    fromName: textOf(value.sender_name) ?? '',
    at: numberOf(value.at),
    text: textOf(value.text) ?? '',
    files: files === undefined ? NONE : (JSON.parse(files) as Attachment[]),
    edited: value.edited === 1,
    retracted: value.retracted === 1,
    mention: value.mention === 1,
    reactions: reactions === undefined ? NO_REACTIONS : (JSON.parse(reactions) as Row['reactions']),
    ...optional(value),
  };
}

function optional(value: Record<string, SQLOutputValue>): Partial<Row> {
  const found: { -readonly [K in keyof Row]?: Row[K] } = {};
  const [id, nonce, replyTo] = [textOf(value.id), textOf(value.nonce), textOf(value.reply_to)];
  const [state, error, scriptKey] = [textOf(value.state), textOf(value.error), textOf(value.script_key)];
  if (id !== undefined) found.id = id as MessageId;
  if (nonce !== undefined) found.nonce = nonce as Nonce;
  if (replyTo !== undefined) found.replyTo = replyTo as MessageId;
  if (state !== undefined) found.state = state as MessageState;
  if (error !== undefined) found.error = JSON.parse(error) as StoredError;
  if (scriptKey !== undefined) found.scriptKey = scriptKey;
  if (value.style === 'action' || value.style === 'notice') found.style = value.style;
  return found;
}
