import { type App, type Command, can, focusedRow, tell, type Words } from '../app.ts';

export type { Command, Words };

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
