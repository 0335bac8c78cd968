import type { ContactView } from '../link/messages.ts';
import { exit } from './exit.ts';
import { contactJson, jsonLine } from './json.ts';
import { table } from './table.ts';
import { type Io, readArgs } from './verb.ts';

export const help = `Usage: imux contacts [--account NAME] [--online] [--json]

The contacts and rooms of all accounts in one list, each with its account.

      --account NAME   of one account only
      --online         those who are here, and rooms
      --json           one JSON object a line

Examples:
  imux contacts --online
  imux contacts --json | jq -r 'select(.unread > 0) | .target'
`;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values } = readArgs(args, {
    account: { type: 'string' },
    online: { type: 'boolean' },
    json: { type: 'boolean' },
  });
  const link = await io.hub();
  try {
    const { contacts } = await link.call(
      'contacts',
      values.account === undefined ? {} : { account: values.account },
      io.signal,
    );
    const shown = contacts.filter((contact) => contact.listed && (!values.online || isHere(contact)));
    const rows = shown.map((contact) => [
      presenceMark(contact),
      contact.name,
      contact.via ? `${contact.via}@${contact.account}` : contact.account,
      contact.target,
      contact.unread > 0 ? String(contact.unread) : '',
    ]);
    const lines = values.json ? shown.map((contact) => jsonLine(contactJson(contact))) : table(rows, io.stdout.columns);
    for (const line of lines) await io.print(line);
    return exit.ok;
  } finally {
    link.close();
  }
}

function isHere({ kind, presence }: ContactView): boolean {
  return kind === 'room' || presence === 'online' || presence === 'away' || presence === 'busy';
}

/** The same shapes as on the screen, so that they read without colour. */
export function presenceMark({ kind, presence }: ContactView): string {
  if (kind === 'room') return '#';
  switch (presence) {
    case 'online':
      return '●';
    case 'away':
      return '◐';
    case 'busy':
      return '⊘';
    case 'offline':
      return '○';
    case 'unknown':
      return ' ';
  }
}
