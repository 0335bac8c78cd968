import { exit } from './exit.ts';
import { type Io, readArgs, usage } from './verb.ts';

export const help = `Usage: imux [--profile NAME]

Opens the screen: the contacts of all accounts in one list, the conversation, the prompt.
F1, or ? on an empty prompt, helps; Ctrl-D on an empty prompt leaves, the hub stays.
`;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { positionals } = readArgs(args, {});
  if (positionals.length > 0) throw usage(`what is "${positionals[0]}"? imux --help lists the verbs`);
  if (!io.stdin.isTTY || !io.stdout.isTTY)
    throw usage('the screen needs a terminal; imux --help lists what a script can use');
  const { openScreen } = await import('../tui/index.ts');
  return (
    (await openScreen({ connect: (start) => io.hub(start), stdin: io.stdin, stdout: io.stdout, signal: io.signal })) ??
    exit.ok
  );
}
