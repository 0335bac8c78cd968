import { presenceMark } from './contacts.ts';
import { exit } from './exit.ts';
import { chatJson, jsonLine } from './json.ts';
import { localTime } from './plain.ts';
import { table } from './table.ts';
import { type Io, readArgs } from './verb.ts';

export const help = `Usage: imux chats [--unread] [--json]

The conversations of all accounts, the latest first, with what is unread in each.

      --unread   only those with something unread
      --json     one JSON object a line

Example:
  imux chats --unread
`;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values } = readArgs(args, { unread: { type: 'boolean' }, json: { type: 'boolean' } });
  const link = await io.hub();
  try {
    const { contacts } = await link.call('contacts', {}, io.signal);
    const chats = contacts
      .filter((chat) => chat.last !== undefined && (!values.unread || chat.unread > 0))
      .sort((a, b) => ((a.last ?? '') < (b.last ?? '') ? 1 : -1));
    const rows = chats.map((chat) => [
      presenceMark(chat),
      chat.name,
      chat.account,
      chat.target,
      chat.unread > 0 ? `${chat.unread}${chat.mentions > 0 ? '@' : ''}` : '',
      localTime(chat.last ?? ''),
    ]);
    for (const line of values.json ? chats.map((chat) => jsonLine(chatJson(chat))) : table(rows, io.stdout.columns))
      await io.print(line);
    return exit.ok;
  } finally {
    link.close();
  }
}
