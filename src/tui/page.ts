import type { App, PageLine } from './app.ts';
import { can, focusedRow } from './app.ts';
import { KEY_HELP } from './keys.ts';

/** A page of text in place of the conversation, until Esc. */
export function showPage(app: App, title: string, lines: readonly PageLine[]): void {
  app.mode = { kind: 'page', title, lines, top: 0 };
  app.redraw('key');
}

/** Help for where one is: what the open conversation's network cannot do is greyed. */
export function showHelp(app: App): void {
  const row = focusedRow(app);
  const commands = app.commands.map((command): PageLine => {
    const missing = command.needs && row && !can(app, row.contact, command.needs);
    return {
      term: command.usage,
      text: missing ? `${command.about} (not on ${row.contact.network})` : command.about,
      ...(missing ? { tone: 'faint' as const } : {}),
    };
  });
  showPage(app, 'Help', [
    { text: 'Keys', tone: 'strong' },
    ...KEY_HELP.map(([term, text]) => ({ term, text })),
    { text: '' },
    { text: 'Commands', tone: 'strong' },
    ...commands,
    { text: '' },
    { text: 'Marks', tone: 'strong' },
    { term: '● ◐ ⊘ ○ #', text: 'here, away, busy, off; a room' },
    { term: '◷ · ✓ ✓✓', text: 'queued, sent, accepted, delivered; underlined: read' },
    { term: '✗ ?', text: 'failed; not known whether it went out' },
  ]);
}
