/** What a person typed into `imux search`, as data; all of it must hold for a message to be found. */
export interface Query {
  /** Words and "phrases" that stand in the text or in a file's name, whatever their case. */
  readonly terms: readonly string[];
  /** Parts of the sender's name or id; `me`: the account itself. */
  readonly from: readonly string[];
  /** Parts of the conversation's title or address. */
  readonly in: readonly string[];
  readonly account: readonly string[];
  /** Milliseconds since the epoch; `before` is exclusive, `after` inclusive. */
  readonly before: number | undefined;
  readonly after: number | undefined;
  readonly hasFile: boolean;
}

/** A query that makes no sense; the text says what is wrong with it. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
}

const PART = /(?:(from|in|account|before|after|has):)?(?:"([^"]*)"?|(\S+))/giu;
const LONGEST_TERM = 256;
const MOST_TERMS = 32;

/** @throws QueryError */
export function parseQuery(text: string, now = Date.now()): Query {
  const found = { terms: [] as string[], from: [] as string[], in: [] as string[], account: [] as string[] };
  let [before, after, hasFile]: [number | undefined, number | undefined, boolean] = [undefined, undefined, false];
  // Control characters are in no stored text, and FTS5 ends a query at NUL.
  for (const [, key, quoted, bare] of text.replace(/[\0-\x1f\x7f]/g, ' ').matchAll(PART)) {
    const value = (quoted ?? bare ?? '').trim().slice(0, LONGEST_TERM);
    switch (key?.toLowerCase()) {
      case undefined:
        if (value) found.terms.push(value);
        break;
      case 'from':
        found.from.push(fold(value));
        break;
      case 'in':
        found.in.push(fold(value));
        break;
      case 'account':
        found.account.push(value);
        break;
      case 'before':
        before = Math.min(before ?? Number.POSITIVE_INFINITY, timeOf(value, now));
        break;
      case 'after':
        after = Math.max(after ?? Number.NEGATIVE_INFINITY, timeOf(value, now));
        break;
      default:
        if (!/^files?$/i.test(value)) throw new QueryError(`has:${value} is not known; has:file is`);
        hasFile = true;
    }
  }
  return { ...found, terms: found.terms.slice(0, MOST_TERMS), before, after, hasFile };
}

/** Nothing is asked for. */
export const isEmpty = (q: Query): boolean =>
  q.terms.length + q.from.length + q.in.length + q.account.length === 0 &&
  q.before === undefined &&
  q.after === undefined &&
  !q.hasFile;

/** As FTS5's trigram tokenizer folds, near enough: letters of every script that has two cases. */
export const fold = (text: string): string => text.toLowerCase();

const UNITS: Readonly<Record<string, number>> = { m: 60e3, h: 3600e3, d: 86_400e3, w: 7 * 86_400e3 };

/** 2026-01-31 (local midnight), 2026-01-31T12:30, today, yesterday, or an age such as 2h, 7d. @throws QueryError */
export function timeOf(value: string, now: number): number {
  const age = /^(\d{1,5})([mhdw])$/i.exec(value);
  const unit = UNITS[age?.[2]?.toLowerCase() ?? ''];
  if (age && unit !== undefined) return now - Number(age[1]) * unit;
  const word = value.toLowerCase();
  if (word === 'today' || word === 'yesterday') {
    const day = new Date(now);
    day.setHours(0, 0, 0, 0);
    if (word === 'yesterday') day.setDate(day.getDate() - 1);
    return day.getTime();
  }
  const date = /^\d{4}-\d{2}-\d{2}/.test(value) ? new Date(value.length === 10 ? `${value}T00:00` : value) : undefined;
  if (!date || Number.isNaN(date.getTime()))
    throw new QueryError(`"${value}" is no date; write it as 2026-01-31 or 7d`);
  return date.getTime();
}
