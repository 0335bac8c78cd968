import { type IrcLine, tag } from './message.ts';

export interface Batch {
  readonly type: string;
  readonly params: readonly string[];
  /** The label of our command that the batch answers; inherited by batches inside it. */
  readonly label: string | undefined;
  /** Whether the label stands on this batch itself, so that its end ends the answer. */
  readonly ownsLabel: boolean;
}

export interface Batches {
  /** Takes a BATCH line; the batch that it opened or closed. */
  handle(line: IrcLine): { readonly batch: Batch; readonly open: boolean } | undefined;
  /** The batch that a line is part of; `unknown` where the server never opened it or we have let go of it. */
  of(line: IrcLine): Batch | 'unknown' | undefined;
}

/** A server that opens batches and never closes them costs no more than this. */
const MOST_OPEN = 64;

/** https://ircv3.net/specs/extensions/batch */
export function batches(): Batches {
  const open = new Map<string, Batch>();
  const find = (line: IrcLine): Batch | 'unknown' | undefined => {
    const id = tag(line, 'batch');
    return id === undefined ? undefined : (open.get(id) ?? 'unknown');
  };
  return {
    of: find,
    handle(line) {
      const [reference = '', type = '', ...params] = line.params;
      const id = reference.slice(1);
      if (reference.startsWith('-')) {
        const batch = open.get(id);
        open.delete(id);
        return batch && { batch, open: false };
      }
      if (!reference.startsWith('+') || id === '') return undefined;
      const parent = find(line);
      const own = tag(line, 'label');
      const label = own ?? (typeof parent === 'object' ? parent.label : undefined);
      const batch: Batch = { type: type.toLowerCase(), params, label, ownsLabel: own !== undefined };
      open.set(id, batch);
      for (const oldest of open.keys()) {
        if (open.size <= MOST_OPEN) break;
        open.delete(oldest);
      }
      return { batch, open: true };
    },
  };
}
