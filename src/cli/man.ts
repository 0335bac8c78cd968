import { VERSION } from '../version.ts';
import { type Block, type HelpPage, readHelp } from './help-page.ts';
import { verbs } from './verbs.ts';

export interface ManPage {
  /** `imux-send.1` */
  readonly name: string;
  readonly roff: string;
}

/** One page for imux itself and one for each verb, made of their help texts. */
export async function manPages(): Promise<readonly ManPage[]> {
  const { help } = await import('./help.ts');
  const all = Object.entries(verbs).filter(([name]) => !name.startsWith('_') && name !== 'screen');
  const about = new Map(
    Array.from(help.matchAll(/^ {2}imux ([a-z]+)\b.*? {2,}(.*)$/gm), ([, verb, text]) => [verb, text]),
  );
  const pages = all.map(async ([verb, load]) => ({
    name: `imux-${verb}.1`,
    roff: verbPage(verb, about.get(verb), readHelp((await load()).help)),
  }));
  return [
    {
      name: 'imux.1',
      roff: mainPage(
        help,
        all.map(([verb]) => verb),
      ),
    },
    ...(await Promise.all(pages)),
  ];
}

function verbPage(verb: string, known: string | undefined, { usage, blocks }: HelpPage): string {
  const said = blocks.find(({ kind }) => kind === 'text');
  const about =
    known ?? (said?.kind === 'text' ? (said.text.split(/[.,:;]\s/, 1)[0] ?? verb) : verb).replace(/\s+/g, ' ');
  const texts = blocks.filter(({ kind }) => kind !== 'examples');
  const examples = blocks.filter(({ kind }) => kind === 'examples');
  return lines(
    heading(`imux-${verb}`),
    '.SH NAME',
    `imux\\-${verb} \\- ${roffOf(about)}`,
    '.SH SYNOPSIS',
    ...usage.flatMap((line, at) => [...(at > 0 ? ['.br'] : []), `.B imux ${verb}`, roffOf(line)]),
    '.SH DESCRIPTION',
    ...texts.flatMap(block),
    ...(examples.length > 0 ? ['.SH EXAMPLES', ...examples.flatMap(block)] : []),
    '.SH SEE ALSO',
    '.BR imux (1)',
  );
}

function mainPage(help: string, names: readonly string[]): string {
  const { blocks } = readHelp(help.replace(/^.*\n\n/, ''));
  const title = /^imux: (.*)$/m.exec(help)?.[1] ?? '';
  return lines(
    heading('imux'),
    '.SH NAME',
    `imux \\- ${roffOf(title)}`,
    '.SH SYNOPSIS',
    '.B imux',
    roffOf('[--profile NAME] [VERB] [OPTIONS]'),
    '.SH DESCRIPTION',
    ...blocks.flatMap(block),
    ...sections.flatMap(([name, text]) => [`.SH ${name}`, ...text.flatMap(block)]),
    '.SH SEE ALSO',
    ...names.map((name, at) => `.BR imux\\-${name} (1)${at < names.length - 1 ? ' ,' : ''}`),
  );
}

/** What concerns all verbs. */
const sections: readonly (readonly [string, readonly Block[]])[] = [
  [
    'TARGETS',
    [
      {
        kind: 'text',
        text: 'ACCOUNT:ADDRESS, split at the first colon: work:alice@example.org, libera:#imux, libera:bob, tg:@name. Without an account: the name of a contact, if only one account has it.',
      },
    ],
  ],
  [
    'ENVIRONMENT',
    [
      {
        kind: 'list',
        items: [
          { term: 'IMUX_HOME', text: 'holds config/, data/ and run/, in place of the XDG folders' },
          { term: 'IMUX_PROFILE', text: 'as --profile: a set of accounts of its own' },
          {
            term: 'IMUX_PASSPHRASE_COMMAND',
            text: 'a command line that prints the passphrase of the encrypted file of secrets; the hub must have it',
          },
          { term: 'IMUX_DEBUG', text: 'more in hub.log' },
          { term: 'NO_COLOR', text: 'no colours' },
        ],
      },
    ],
  ],
  [
    'FILES',
    [
      {
        kind: 'list',
        items: [
          { term: '~/.config/imux/accounts.json', text: 'the accounts, aliases, hooks; never a secret' },
          { term: '~/.local/share/imux/archive.db', text: 'messages' },
          { term: '~/.local/share/imux/hub.log', text: 'what the hub did' },
          { term: '$XDG_RUNTIME_DIR/imux/hub.sock', text: 'where the verbs find the hub' },
        ],
      },
    ],
  ],
  [
    'EXIT STATUS',
    [
      {
        kind: 'list',
        items: [
          { term: '0', text: 'done as asked' },
          { term: '64', text: 'usage, or the network cannot do that' },
          { term: '65', text: 'the text, or a malformed or ambiguous target' },
          { term: '67', text: 'no such contact, room or account' },
          { term: '68', text: 'host unknown' },
          { term: '69', text: 'account or hub down' },
          { term: '70', text: 'a fault of imux itself' },
          { term: '74', text: 'disk or pipe' },
          { term: '75', text: 'not now: queued, out of time, rate limit, outcome unknown' },
          { term: '76', text: 'protocol or TLS' },
          { term: '77', text: 'wrong credentials, or forbidden' },
          { term: '78', text: 'accounts file' },
          { term: '130, 143', text: 'interrupted, ended' },
        ],
      },
    ],
  ],
];

const heading = (name: string): string => `.TH ${name.toUpperCase().replace('-', '\\-')} 1 "" "imux ${VERSION}" "imux"`;

function block(part: Block): readonly string[] {
  switch (part.kind) {
    case 'text':
      return ['.PP', ...part.text.split('\n').map(roffOf)];
    case 'list':
      return part.items.flatMap(({ term, text }) => ['.TP', `.B ${roffOf(term)}`, roffOf(text)]);
    case 'examples':
      return ['.PP', '.nf', '.RS 2', ...part.lines.map(roffOf), '.RE', '.fi'];
  }
}

/** https://man7.org/linux/man-pages/man7/groff_char.7.html: hyphens, quotes and carets that programs take literally. */
function roffOf(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replace(
      /[^\x00-\x7f]/gu,
      (char) => `\\[u${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
    )
    .replace(/^\./, '\\&.');
}

const lines = (...all: readonly string[]): string => `${all.join('\n')}\n`;
