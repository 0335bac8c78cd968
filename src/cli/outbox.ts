import type { LinkClient } from '../link/client.ts';
import type { MessageView } from '../link/messages.ts';
import { exit } from './exit.ts';
import { jsonLine, messageJson } from './json.ts';
import { localTime } from './plain.ts';
import { readText } from './stdin.ts';
import { type Io, readArgs, usage } from './verb.ts';

export const help = `Usage: imux outbox [list] [--account NAME] [--json]
       imux outbox retry ID… | discard ID… | edit ID [TEXT…]

What you sent and the network has not taken: queued, on its way, failed, or unknown
(it may have gone out, and the network cannot be asked).

  list      the messages, in the order of sending, with their ids (default)
  retry     send a failed or unknown one again, at its old place; an unknown one may
            then arrive twice where the network cannot be asked
  discard   drop one that is not on its way just now
  edit      give a queued or failed one another text (standard input where there is no
            TEXT); a failed one then needs a retry

Exit codes: 0 done · 65 nothing to retry · 67 no such message · 77 it is on its way.

Examples:
  imux outbox
  imux outbox --json | jq -r 'select(.state == "failed") | .id' | xargs -r imux outbox retry
  imux outbox edit 1207 'what I meant to say'
`;

const options = { account: { type: 'string' }, json: { type: 'boolean' } } as const;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = readArgs(args, options);
  const [what = 'list', ...rest] = positionals;
  switch (what) {
    case 'list':
      if (rest.length > 0) throw usage(`what is "${rest[0]}"?`);
      return await withHub(io, (link) => list(link, values.account, values.json ?? false, io));
    case 'retry':
    case 'discard':
      if (rest.length === 0) throw usage(`imux outbox ${what} ID…`);
      return await withHub(io, async (link) => {
        for (const message of rest) await link.call(`outbox.${what}`, { message }, io.signal);
        return exit.ok;
      });
    case 'edit':
      return await edit(rest, values.json ?? false, io);
    default:
      throw usage('it is: outbox list, retry, discard or edit');
  }
}

async function withHub(io: Io, work: (link: LinkClient) => Promise<number>): Promise<number> {
  const link = await io.hub();
  try {
    return await work(link);
  } finally {
    link.close();
  }
}

async function list(link: LinkClient, account: string | undefined, json: boolean, io: Io): Promise<number> {
  const { messages } = await link.call('outbox.list', {}, io.signal);
  for (const message of messages) {
    if (account !== undefined && message.account !== account) continue;
    await io.print(json ? jsonLine(messageJson(message)) : plain(message));
  }
  return exit.ok;
}

async function edit([message, ...words]: readonly string[], json: boolean, io: Io): Promise<number> {
  if (message === undefined) throw usage('imux outbox edit ID [TEXT…]');
  if (words.length === 0 && io.stdin.isTTY) throw usage('no text: write it after the id, or pipe it in');
  const text = words.length > 0 ? words.join(' ') : await readText(io.stdin, io.signal);
  return await withHub(io, async (link) => {
    const edited = await link.call('outbox.edit', { message, text }, io.signal);
    if (json) await io.print(jsonLine(messageJson(edited.message)));
    return exit.ok;
  });
}

/** `1207 queued 2026-11-20 12:03 work:alice@example.org: text`; why it failed stands below. */
function plain({ id, state = 'queued', at, target, text, files = [], error }: MessageView): string {
  const what = [text.replaceAll('\n', '\n      '), ...files.map((file) => `[${file.name}]`)].filter(Boolean).join(' ');
  const why = error ? `\n      ${error.message.replaceAll('\n', ' ')}` : '';
  return `${id} ${state} ${localTime(at)} ${target}: ${what}${why}`;
}
