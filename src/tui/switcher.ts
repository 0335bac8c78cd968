import type { App } from './app.ts';
import type { Row } from './list.ts';

export interface Match {
  readonly row: Row;
  readonly score: number;
}

const LIMIT = 200;
const cache = new WeakMap<App, { query: string; version: number; matches: readonly Match[] }>();

/** Contacts and rooms that fit a query, best first; asked again only when the query or the list has changed. */
export function matchesOf(app: App, query: string): readonly Match[] {
  const { version } = app.store.list;
  const known = cache.get(app);
  if (known && known.query === query && known.version === version) return known.matches;
  const wanted = query.trim().toLowerCase();
  const matches: Match[] = [];
  for (const row of app.store.rows.values()) {
    const score = scoreOf(wanted, row.found);
    if (score === undefined) continue;
    matches.push({ row, score: score + (row.contact.listed ? 0 : 50) - (row.unread > 0 ? 5 : 0) });
  }
  matches.sort((a, b) => a.score - b.score || latest(a.row, b.row) || (a.row.found < b.row.found ? -1 : 1));
  const best = matches.slice(0, LIMIT);
  cache.set(app, { query, version, matches: best });
  return best;
}

function latest(a: Row, b: Row): number {
  if (a.last === b.last) return 0;
  return (a.last ?? '') > (b.last ?? '') ? -1 : 1;
}

/** Lower is better: at the start, at the start of a word, within, letters in order; undefined: not at all. */
export function scoreOf(wanted: string, text: string): number | undefined {
  if (!wanted) return 0;
  const at = text.indexOf(wanted);
  if (at === 0) return 0;
  if (at > 0) return /[\p{L}\p{N}]/u.test(text[at - 1] ?? '') ? 20 : 10;
  // Scattered letters are looked for in the name alone: an address has nearly all of them.
  const end = text.indexOf('\x01');
  const name = end < 0 ? text : text.slice(0, end);
  let from = 0;
  let gaps = 0;
  for (const letter of wanted) {
    const found = name.indexOf(letter, from);
    if (found < 0) return undefined;
    gaps += found - from;
    from = found + letter.length;
  }
  return 100 + Math.min(gaps, 400);
}
