/** What stands in a verb's `--help`, read out of its text: the man pages and the completion have no other source. */
export interface HelpPage {
  /** Each without the leading `imux VERB`. */
  readonly usage: readonly string[];
  readonly blocks: readonly Block[];
}

export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly Item[] }
  | { readonly kind: 'examples'; readonly lines: readonly string[] };

/** `-m, --message TEXT` or a word, and what is said of it. */
export interface Item {
  readonly term: string;
  readonly text: string;
}

export interface Option {
  /** With its dashes. */
  readonly names: readonly string[];
  /** The name of its value, where it takes one: `TEXT`. */
  readonly value: string | undefined;
  readonly text: string;
}

/** One way to call a verb: the word that chooses it, if any, and what it takes, such as `TARGET` or `TARGET…`. */
export interface Form {
  readonly word: string | undefined;
  readonly takes: readonly string[];
}

export function readHelp(help: string): HelpPage {
  const [head = '', ...rest] = help.trimEnd().split(/\n\n+/);
  const usage = head.split('\n').map((line) => line.replace(/^(Usage:)?\s*imux ?/, '').replace(/^(?!\[)\S+ ?/, ''));
  return { usage, blocks: rest.map(readBlock) };
}

function readBlock(text: string): Block {
  const [first = '', ...lines] = text.split('\n');
  if (/^Examples?:$/.test(first)) return { kind: 'examples', lines: lines.map((line) => line.replace(/^ {2}/, '')) };
  if (!first.startsWith('  ')) return { kind: 'text', text };
  const items: { term: string; text: string }[] = [];
  for (const line of [first, ...lines]) {
    const [, term, about = ''] = /^ {2,6}(\S.*?)(?: {2,}(.*))?$/.exec(line) ?? [];
    const last = items.at(-1);
    if (term !== undefined) items.push({ term, text: about });
    else if (last) last.text += ` ${line.trim()}`;
  }
  return { kind: 'list', items };
}

export function optionsOf({ blocks }: HelpPage): readonly Option[] {
  return blocks
    .flatMap((block) => (block.kind === 'list' ? block.items : []))
    .filter(({ term }) => term.startsWith('-'))
    .map(({ term, text }) => ({
      names: term.match(/(?<![\w-])--?[\w-]+/g) ?? [],
      value: /\s([A-Z][A-Z=]*)$/.exec(term)?.[1],
      text,
    }));
}

export function formsOf({ usage }: HelpPage): readonly Form[] {
  return usage.flatMap((line) => {
    const bare = line.replace(/\[-[^\]]*\]|\[OPTIONS\]/g, '').trim();
    if (!/^\[?[a-z]/.test(bare)) return [{ word: undefined, takes: takesOf(bare) }];
    return bare.split('|').map((way) => {
      const [, word, more = ''] = /^\s*\[?([a-z]+)\]?(.*)$/.exec(way) ?? [];
      return { word, takes: takesOf(more) };
    });
  });
}

const takesOf = (text: string): readonly string[] => text.match(/[A-Z]+…?/g) ?? [];
