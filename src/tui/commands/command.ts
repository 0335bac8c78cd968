import type { Ability } from '../../link/messages.ts';
import { type App, can, focusedRow, tell } from '../app.ts';

export interface Command {
  readonly name: string;
  readonly usage: string;
  readonly about: string;
  /** Without it in the open conversation's network, the command is greyed and refuses. */
  readonly needs?: Ability;
  /** Words that Tab offers for each place of the arguments. */
  readonly words?: readonly Words[];
  /** `rest`: what follows the name, trimmed. @throws Error with a text for the person, who then keeps what was typed. */
  run(app: App, rest: string): void;
}

export type Words = 'account' | 'target' | readonly string[];

export interface Found {
  readonly command: Command | undefined;
  readonly rest: string;
  /** Where the name is not finished: what it may become. */
  readonly near: readonly Command[];
}

export function commandIn(commands: readonly Command[], text: string): Found {
  const [, name = '', rest = ''] = /^\/(\S*)\s*([\s\S]*)$/.exec(text) ?? [];
  const command = commands.find((one) => one.name === name);
  return { command, rest: rest.trim(), near: command ? [] : commands.filter((one) => one.name.startsWith(name)) };
}

/** True where it ran, and the prompt may be emptied. */
export function runCommand(app: App, text: string): boolean {
  const { command, rest, near } = commandIn(app.commands, text);
  const chosen = command ?? (near.length === 1 ? near[0] : undefined);
  if (!chosen) {
    tell(app, `no such command: ${text.split(/\s/)[0]} (/help lists them)`, true);
    return false;
  }
  const row = focusedRow(app);
  if (chosen.needs && row && !can(app, row.contact, chosen.needs)) {
    tell(app, `${row.contact.account}: /${chosen.name} is not possible on ${row.contact.network}`, true);
    return false;
  }
  try {
    chosen.run(app, rest);
    return true;
  } catch (error) {
    tell(app, error instanceof Error ? error.message : String(error), true);
    return false;
  }
}
