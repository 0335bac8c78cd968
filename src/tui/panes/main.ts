import type { MessageView } from '../../link/messages.ts';
import { type App, editorIn, type Mode, type PageLine } from '../app.ts';
import { commandIn } from '../commands/command.ts';
import { clockOf } from '../message-rows.ts';
import { matchesOf } from '../switcher.ts';
import { fit, tameLine, truncate, widthOf, wrap } from '../width.ts';
import { questionOf } from '../wizard.ts';
import { drawConversation } from './conversation.ts';
import { drawList, nameOf } from './list.ts';

type ModeOf<K extends Mode['kind']> = Extract<Mode, { kind: K }>;

/** What stands in the place of the conversation; `folded`: there is no list beside it. */
export function drawMain(app: App, width: number, height: number, folded: boolean): readonly string[] {
  const { mode } = app;
  switch (mode.kind) {
    case 'answer':
      if (mode.within) return drawWizard(app, mode.within, width);
      return app.store.focus === undefined ? drawWelcome(app, width) : drawConversation(app, width, height);
    case 'chat':
    case 'ask':
      if (app.store.focus === undefined) return drawWelcome(app, width);
      return drawConversation(app, width, height);
    case 'list':
      return folded ? drawList(app, width, height, 0).rows : drawConversation(app, width, height);
    case 'switch':
      return drawSwitch(app, mode, width, height);
    case 'search':
      return drawSearch(app, mode, width, height);
    case 'wizard':
      return drawWizard(app, mode, width);
    case 'page':
      return drawPage(app, mode, width, height);
  }
}

export const WELCOME: readonly string[] = ['Add an account', 'Look around first', 'Import'];

function drawWelcome(app: App, width: number): string[] {
  const { theme, store, link } = app;
  if (link !== 'up') return [];
  if (store.accounts.size > 0) {
    const lines = ['Nobody is chosen yet.', 'Ctrl-K goes to a contact; Alt-↓ walks the list.'];
    return ['', ...lines.map((line) => `  ${theme.soft(truncate(line, width - 3))}`)];
  }
  const about = [
    'XMPP · IRC · Telegram · more',
    'leave with Ctrl-D and run `imux demo`: built-in networks, nothing leaves this machine',
    'what was said in Pidgin, Profanity, WeeChat, irssi, Telegram: add an account, leave with Ctrl-D, run `imux import FOLDER`',
  ];
  const lines = WELCOME.flatMap((title, i) =>
    wrap(about[i] ?? '', Math.max(20, width - 28)).map(
      (row, y) => `  ${fit(y === 0 ? `[${i + 1}] ${title}` : '', 24)}${theme.soft(row)}`,
    ),
  );
  return ['', `  ${theme.strong('Welcome to imux.')}`, '', ...lines];
}

/** Commands that fit what is typed in the switcher; with a leading / nothing else is meant. */
export function switchCommands(app: App, query: string): readonly string[] {
  const text = query.trim();
  if (!text) return [];
  const { command, near } = commandIn(app.commands, text.startsWith('/') ? text : `/${text}`);
  const found = command ? [command] : near;
  return found.map((one) => one.name);
}

function drawSwitch(app: App, mode: ModeOf<'switch'>, width: number, height: number): string[] {
  const { theme } = app;
  const query = editorIn(app).text;
  const rows = query.startsWith('/') ? [] : matchesOf(app, query);
  const commands = switchCommands(app, query);
  const from = Math.max(0, Math.min(mode.index - height + 2, rows.length + commands.length - height));
  const lines: string[] = [];
  for (let i = from; i < rows.length + commands.length && lines.length < height; i++) {
    const row = rows[i]?.row;
    const accent = theme.accent(app.store.accents.get(row?.contact.account ?? '') ?? 0);
    const line = row
      ? ` ${fit(nameOf(row), Math.floor(width / 3))} ${accent(fit(row.contact.account, 10))} ${theme.faint(truncate(tameLine(row.contact.id), Math.max(0, width - Math.floor(width / 3) - 14)))}`
      : commandLine(app, commands[i - rows.length] ?? '', width);
    lines.push(i === mode.index ? theme.selected(line) : line);
  }
  return lines.length > 0 ? lines : [theme.faint(' nobody, and no command, fits')];
}

function commandLine(app: App, name: string, width: number): string {
  const command = app.commands.find((one) => one.name === name);
  return command ? truncate(` ${fit(command.usage, Math.floor(width / 3))} ${command.about}`, width) : '';
}

function drawSearch(app: App, mode: ModeOf<'search'>, width: number, height: number): string[] {
  const { theme, store } = app;
  if (mode.results.length === 0) return mode.query ? [theme.faint(' nothing found')] : [];
  const from = Math.max(0, mode.index - height + 2);
  return mode.results.slice(from, from + height).map((message, i) => {
    const row = store.rows.get(message.conversation);
    const where = fit(row ? nameOf(row) : message.target, 12);
    const accent = theme.accent(store.accents.get(message.account) ?? 0);
    const room = Math.max(4, width - 26);
    const line = ` ${theme.faint(whenOf(new Date(message.at)))} ${accent(where)} ${truncate(foundText(message, mode.query, room), room)}`;
    return from + i === mode.index ? theme.selected(line) : line;
  });
}

/** The hour of what is of today, else the day; ten columns. */
function whenOf(at: Date): string {
  if (at.toDateString() === new Date().toDateString()) return clockOf(at).padStart(10);
  return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, '0')}-${String(at.getDate()).padStart(2, '0')}`;
}

/** A text from a little before the first word that was looked for, so that it is in view. */
function foundText(message: MessageView, query: string, room: number): string {
  const who = message.from.self ? 'you: ' : message.kind === 'person' ? '' : `${tameLine(message.from.name)}: `;
  const text = message.text.slice(0, 4000);
  const words = query.split(/[\s"]+/).filter((word) => word !== '' && !word.includes(':'));
  const at = Math.max(0, text.toLowerCase().indexOf(words[0]?.toLowerCase() ?? ''));
  if (at + widthOf(who) + (words[0]?.length ?? 0) < room) return who + tameLine(text.slice(0, 1000));
  const start = text.lastIndexOf(' ', Math.max(0, at - 10)) + 1;
  return `${who}${start > 0 ? '…' : ''}${tameLine(text.slice(start, start + 1000))}`;
}

function drawWizard(app: App, mode: ModeOf<'wizard'>, width: number): string[] {
  const { theme } = app;
  const question = questionOf(mode.wizard);
  const done = [
    ...(mode.wizard.network ? [['network', mode.wizard.network.title]] : []),
    ...(mode.wizard.name ? [['name', mode.wizard.name]] : []),
    ...Object.entries(mode.wizard.settings),
  ].map(([term = '', value = '']) => `  ${theme.faint(fit(term, 12))} ${truncate(tameLine(value), width - 18)}`);
  const about = question.about.flatMap((line) => wrap(tameLine(line), width - 4).map((row) => `  ${row}`));
  const choices = question.choices.flatMap((one, i) =>
    wrap(tameLine(one), width - 8).map((row, y) => `  ${y === 0 ? `[${i + 1}]` : '   '} ${row}`),
  );
  const fault = mode.fault ? ['', ...wrap(tameLine(mode.fault), width - 4).map((row) => `  ${theme.alert(row)}`)] : [];
  const busy = mode.busy ? ['', `  ${theme.soft('signing in …')}`] : [];
  const title = mode.wizard.secretOnly ? 'A secret' : 'Add an account';
  return ['', `  ${theme.strong(title)}`, ...done, '', ...about, '', ...choices, ...fault, ...busy];
}

function drawPage(app: App, mode: ModeOf<'page'>, width: number, height: number): string[] {
  const lines = pageRows(app, mode.lines, width);
  mode.top = Math.max(0, Math.min(mode.top, lines.length - (height - 2)));
  return [
    ` ${app.theme.strong(truncate(tameLine(mode.title), width - 2))}`,
    '',
    ...lines.slice(mode.top, mode.top + height - 2),
  ];
}

function pageRows(app: App, lines: readonly PageLine[], width: number): string[] {
  const longest = Math.max(0, ...lines.map((line) => widthOf(tameLine(line.term ?? ''))));
  const column = Math.min(longest, Math.floor(width * 0.4));
  return lines.flatMap((line) => {
    const paint = line.tone ? app.theme[line.tone] : (text: string) => text;
    if (line.term === undefined) return wrap(tameLine(line.text), width - 2).map((row) => ` ${paint(row)}`);
    const rows = wrap(tameLine(line.text), Math.max(8, width - column - 4));
    return rows.map((row, i) => ` ${fit(i === 0 ? tameLine(line.term ?? '') : '', column)}  ${paint(row)}`);
  });
}
