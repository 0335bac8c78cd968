import { type App, focusedConversation, focusedRow } from '../app.ts';
import { messageOf } from '../conversation.ts';
import type { MessageFrame } from '../message-rows.ts';
import { presenceMark, presenceWord } from '../theme.ts';
import { viewOf } from '../viewport.ts';
import { tameLine, truncate, widthOf } from '../width.ts';
import { nameOf } from './list.ts';

export function frameOf(app: App, width: number): MessageFrame {
  const row = focusedRow(app);
  const conversation = focusedConversation(app);
  return {
    width,
    theme: app.theme,
    accent: app.theme.accent(app.store.accents.get(row?.contact.account ?? '') ?? 0),
    quoted: (id) => conversation && messageOf(conversation, id),
  };
}

/** Who it is, how they are, and the topic. */
export function drawHead(app: App, width: number): string {
  const row = focusedRow(app);
  if (!row) return app.theme.strong(' imux');
  const { contact } = row;
  const name = truncate(`${contact.kind === 'room' ? '#' : ''}${nameOf(row)}`, Math.floor(width / 2));
  const more = [
    ...(contact.kind === 'person' ? [presenceWord(row.presence)] : []),
    ...(contact.via ? [`by ${contact.via}`] : []),
    ...(contact.kind === 'room' && !contact.listed ? ['left'] : []),
    ...(contact.subscription === 'asked' ? ['asked to see their presence'] : []),
    tameLine((contact.kind === 'room' ? contact.topic : row.status) ?? ''),
  ].filter(Boolean);
  const mark = contact.kind === 'person' ? `${presenceMark(app.theme, row.presence)} ` : '';
  const rest = truncate(more.join(' · '), Math.max(0, width - widthOf(name) - 6));
  return ` ${app.theme.strong(name)}   ${mark}${app.theme.soft(rest)}`;
}

export function drawConversation(app: App, width: number, height: number): readonly string[] {
  const conversation = focusedConversation(app);
  if (!conversation) return [];
  if (conversation.messages.length === 0) {
    return conversation.state === 'loaded' ? [app.theme.faint(' No messages yet.')] : [];
  }
  return viewOf(conversation, height, frameOf(app, width)).rows;
}

/** The thin line above the prompt tells who is typing and how much is below. */
export function drawRule(app: App, width: number, height: number): string {
  const conversation = app.mode.kind === 'chat' || app.mode.kind === 'ask' ? focusedConversation(app) : undefined;
  const now = app.now();
  const typing = conversation
    ? [...conversation.typing].filter(([, until]) => until > now).map(([name]) => tameLine(name))
    : [];
  const who =
    typing.length === 0 ? '' : ` ${typing.slice(0, 3).join(', ')} ${typing.length > 1 ? 'are' : 'is'} typing … `;
  const below = conversation?.anchor ? viewOf(conversation, height, frameOf(app, width)).below : 0;
  const more = below > 0 ? ` ↓ ${below} below ` : '';
  const left = truncate(who, Math.max(0, width - widthOf(more) - 6));
  const line = Math.max(0, width - 4 - widthOf(left) - widthOf(more));
  const { theme } = app;
  return `${theme.faint('──')}${theme.soft(left)}${theme.faint('─'.repeat(line))}${theme.strong(more)}${theme.faint('──')}`;
}
