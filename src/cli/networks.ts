import type { Field } from '../../adapters/contract.ts';
import type { NetworkView } from '../link/messages.ts';
import { exit } from './exit.ts';
import { jsonLine } from './json.ts';
import { table } from './table.ts';
import { type Io, readArgs, usage, VerbError } from './verb.ts';

export const help = `Usage: imux networks [NETWORK] [--json]

Each network: what it can do here, what it cannot, and what an account needs.

      --json   one JSON object a line

Examples:
  imux networks
  imux networks irc
  imux networks --json | jq -r '.network + ": " + (.fields[].key)'
`;

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = readArgs(args, { json: { type: 'boolean' } });
  const [only, ...more] = positionals;
  if (more.length > 0) throw usage(`one network at a time, not "${more[0]}" too`);
  const link = await io.hub();
  try {
    const { networks } = await link.call('networks', {}, io.signal);
    const shown = networks.filter(({ network }) => only === undefined || network === only);
    if (shown.length === 0 && only !== undefined) {
      throw new VerbError(
        exit.usage,
        `no network "${only}"; there are ${networks.map((view) => view.network).join(', ')}`,
      );
    }
    const lines = values.json
      ? shown.map((view) => jsonLine({ v: 1, type: 'network', ...view }))
      : shown.flatMap((view, at) => [...(at > 0 ? [''] : []), ...describeNetwork(view)]);
    for (const line of lines) await io.print(line);
    return exit.ok;
  } finally {
    link.close();
  }
}

function describeNetwork({ network, title, fields, can, cannot, addressExample }: NetworkView): readonly string[] {
  return [
    `${network}: ${title}; an address is written like ${addressExample}`,
    ...can.map((what) => `  + ${what}`),
    ...cannot.map((what) => `  - ${what}`),
    '  settings of an account:',
    ...table(fields.map((field) => [`    ${field.key}`, kindOf(field), about(field)])),
    `  imux account add ${network} NAME ${fields.filter(isNeeded).map(argumentOf).join(' ')}`.trimEnd(),
  ];
}

const isNeeded = ({ optional, preset }: Field): boolean => !optional && preset === undefined;
const kindOf = (field: Field): string => (field.secret ? 'secret' : isNeeded(field) ? 'needed' : '');
const argumentOf = ({ key, secret }: Field): string => (secret ? '--secret-stdin' : `--set ${key}=…`);

function about({ label, hint, choices, preset, secret, optional }: Field): string {
  const more = [
    ...(secret && !optional ? ['needed'] : []),
    ...(choices ? [choices.join(' | ')] : []),
    ...(hint ? [hint] : []),
    ...(preset === undefined ? [] : [`${preset} where nothing is said`]),
  ];
  return more.length === 0 ? label : `${label} (${more.join('; ')})`;
}
