import type { MessageView } from '../link/messages.ts';

const two = (n: number): string => String(n).padStart(2, '0');

/** To the minute, in the reader's zone. */
export function localTime(iso: string): string {
  const at = new Date(iso);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${localHour(iso)}`;
}

export function localHour(iso: string): string {
  const at = new Date(iso);
  return `${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** `12:03 work:alice@example.org Alice: text`; further lines of a text are indented. */
export function plainMessage(message: MessageView, time = localHour): string {
  const { at, target, from, text, style, files, retracted } = message;
  // Offline nobody has asked the network what we are called there.
  const name = from.name || from.id || 'you';
  const who = style === 'action' ? `* ${name} ` : `${name}: `;
  const said = retracted ? '(retracted)' : text.replaceAll('\n', '\n      ');
  const attached = (files ?? []).map((file) => `[${file.name}]`).join(' ');
  return `${time(at)} ${target} ${who}${said}${said && attached && ' '}${attached}`;
}
