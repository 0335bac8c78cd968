import { type Anchor, type Conversation, indexOf } from './conversation.ts';
import { type Laid, layMessage, type MessageFrame } from './message-rows.ts';
import { truncate, widthOf } from './width.ts';

/** The part of a conversation that is in view. Only messages in it are laid out. */
export interface View {
  readonly rows: readonly string[];
  /** Messages below the view. */
  readonly below: number;
  /** The first loaded message is in view: time to load older ones. */
  readonly atTop: boolean;
}

export function viewOf(conversation: Conversation, height: number, frame: MessageFrame): View {
  const { messages } = conversation;
  const start = startOf(conversation);
  let { index } = start;
  let { hidden } = start;
  const below = messages.length - 1 - index + (hidden > 0 ? 1 : 0);
  const rows: string[] = [];
  for (; index >= 0 && rows.length < height; index--) {
    const block = blockOf(conversation, index, frame);
    for (let i = block.length - 1 - hidden; i >= 0 && rows.length < height; i--) rows.push(block[i] ?? '');
    hidden = 0;
  }
  return { rows: rows.reverse(), below, atTop: index < 0 };
}

function startOf(conversation: Conversation): { readonly index: number; readonly hidden: number } {
  const last = { index: conversation.messages.length - 1, hidden: 0 };
  if (!conversation.anchor) return last;
  const index = indexOf(conversation, conversation.anchor.id);
  return index < 0 ? last : { index, hidden: conversation.anchor.hidden };
}

/** Where the view stands after moving up by some rows (down, where negative); undefined: at the end. */
export function scrolled(
  conversation: Conversation,
  up: number,
  height: number,
  frame: MessageFrame,
): Anchor | undefined {
  const last = conversation.messages.length - 1;
  let { index, hidden } = startOf(conversation);
  hidden += up;
  while (hidden < 0 && index < last) {
    index++;
    hidden += blockOf(conversation, index, frame).length;
  }
  if (hidden < 0 || last < 0) return undefined;
  let size = blockOf(conversation, index, frame).length;
  while (hidden >= size && index > 0) {
    hidden -= size;
    index--;
    size = blockOf(conversation, index, frame).length;
  }
  // Above the first message there is nothing to see: the view stays full.
  let above = size - hidden;
  for (let i = index - 1; i >= 0 && above < height; i--) above += blockOf(conversation, i, frame).length;
  let missing = height - above;
  while (missing > 0) {
    if (missing <= hidden) {
      hidden -= missing;
      break;
    }
    if (index === last) return undefined;
    missing -= hidden;
    index++;
    hidden = blockOf(conversation, index, frame).length;
  }
  const message = conversation.messages[index];
  return message && (index < last || hidden > 0) ? { id: message.id, hidden } : undefined;
}

/** Puts a message in the middle of the view, as a search does. */
export function anchorAt(
  conversation: Conversation,
  id: string,
  height: number,
  frame: MessageFrame,
): Anchor | undefined {
  let index = indexOf(conversation, id);
  if (index < 0) return undefined;
  let below = Math.floor(height / 2);
  while (index < conversation.messages.length - 1 && below > 0) {
    index++;
    below -= blockOf(conversation, index, frame).length;
  }
  const message = conversation.messages[index];
  return message && index < conversation.messages.length - 1 ? { id: message.id, hidden: 0 } : undefined;
}

/** A message with the lines that belong above it: the day, and where the unread begin. */
function blockOf(conversation: Conversation, index: number, frame: MessageFrame): readonly string[] {
  const message = conversation.messages[index];
  if (!message) return [];
  const laid = layMessage(message, frame);
  const before = conversation.messages[index - 1];
  const newDay = dayBefore(before && layMessage(before, frame)) !== laid.day;
  const isNew = conversation.newFrom === message.id;
  if (!newDay && !isNew) return laid.rows;
  const lines: string[] = [];
  if (newDay) lines.push(frame.theme.faint(ruled(dayName(laid.day), frame.width)));
  if (isNew) lines.push(frame.accent(ruled('new', frame.width)));
  return [...lines, ...laid.rows];
}

const dayBefore = (laid: Laid | undefined): number => laid?.day ?? 0;

/** A thin line with a word in its middle. */
export function ruled(word: string, width: number): string {
  const text = ` ${truncate(word, Math.max(1, width - 6))} `;
  const left = Math.max(1, Math.floor((width - widthOf(text)) / 2));
  return `${'─'.repeat(left)}${text}${'─'.repeat(Math.max(0, width - left - widthOf(text)))}`;
}

const names = new Map<number, string>();
let format: Intl.DateTimeFormat | undefined;

/** `Friday 20 November`. */
function dayName(day: number): string {
  const known = names.get(day);
  if (known) return known;
  format ??= new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long' });
  const date = new Date(Math.floor(day / 10_000), (Math.floor(day / 100) % 100) - 1, day % 100);
  const name = format.format(date).replace(',', '');
  names.set(day, name);
  return name;
}
