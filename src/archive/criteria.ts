import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { numberOf, textOf } from './columns.ts';
import { type Conversations, numberOfKey } from './conversations.ts';
import { type SearchIndex, tokenOf } from './index.ts';
import { fold, type Query } from './query.ts';
import type { Conversation } from './types.ts';

export interface Condition {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/** One demand of a query: how to compare it with a message `m`, and what the index knows of it, if anything. */
export interface Criterion {
  readonly condition: Condition;
  /**
   * `leads`: few enough rows to begin from; `narrows`: of use beside one that leads; `nowhere`: no indexed row has it.
   * Where it is `rough`, what it finds is still to be compared.
   */
  readonly known?:
    | { readonly kind: 'leads' | 'narrows'; readonly expression: string; readonly rough?: true }
    | { readonly kind: 'nowhere' };
}

/** Longer lists of tokens cost more in FTS5 than comparing afterwards. */
const MOST_CONVERSATIONS = 64;
const MOST_AUTHORS = 64;
const MOST_TRIGRAMS = 256;
/** A short word that stands so often in the newest rows is found faster by comparing. */
const PROBED_ROWS = 10_000;
const COMMON = 10;

/** Undefined where no conversation is left in which to search. */
export function criteriaOf(
  db: DatabaseSync,
  index: SearchIndex,
  conversations: Conversations,
): (query: Query, account: string | undefined) => readonly Criterion[] | undefined {
  db.function('folded', { deterministic: true }, (text) => (typeof text === 'string' ? fold(text) : ''));
  const short = shortTerms(db, index);
  const long = longTerms(db, index);
  const from = authors(db);
  return (query, account) => {
    const scope = scopeOf(query, conversations, account);
    if (scope?.length === 0) return undefined;
    const terms = query.terms.map((term) => (isLong(term) ? long(term) : short(term)));
    return [...plain(query), ...(scope ? [inScope(scope)] : []), ...query.from.map(from), ...terms];
  };
}

/** A trigram needs three characters, not UTF-16 units. */
const isLong = (term: string): boolean => term.length > 2 && [...term].length > 2;
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const anyOf = (column: string, tokens: readonly string[]): string =>
  `(${column} : (${tokens.map(quoted).join(' OR ')}))`;

function plain(query: Query): readonly Criterion[] {
  const conditions: Condition[] = [{ sql: 'm.retracted = 0', values: [] }];
  if (query.before !== undefined) conditions.push({ sql: 'm.at < ?', values: [query.before] });
  if (query.after !== undefined) conditions.push({ sql: 'm.at >= ?', values: [query.after] });
  if (query.hasFile) conditions.push({ sql: 'm.files IS NOT NULL', values: [] });
  return conditions.map((condition) => ({ condition }));
}

function scopeOf(
  query: Query,
  conversations: Conversations,
  account: string | undefined,
): readonly Conversation[] | undefined {
  const accounts = account === undefined ? query.account : [...query.account, account];
  if (accounts.length === 0 && query.in.length === 0) return undefined;
  return conversations
    .all(accounts[0])
    .filter(
      (c) =>
        accounts.every((name) => name === c.account) &&
        query.in.every((part) => fold(c.title).includes(part) || fold(c.address).includes(part)),
    );
}

function inScope(scope: readonly Conversation[]): Criterion {
  const numbers = scope.map((c) => numberOfKey(c.key));
  const [only] = numbers;
  if (numbers.length === 1 && only !== undefined) {
    const condition = { sql: 'm.conversation = ?', values: [only] };
    return { condition, known: { kind: 'narrows', expression: anyOf('conversation', [tokenOf(only)]) } };
  }
  const condition = {
    sql: 'm.conversation IN (SELECT value FROM json_each(?))',
    values: [JSON.stringify(numbers)],
  };
  if (numbers.length > MOST_CONVERSATIONS) return { condition };
  return { condition, known: { kind: 'narrows', expression: anyOf('conversation', numbers.map(tokenOf)) } };
}

/** Beyond this FTS5 is faster with a few trigrams and a comparison than with the whole phrase. */
const WHOLE_PHRASE = 8;
/** Of a long phrase the trigrams that are rarest among so many of the newest rows stand for the rest of it. */
const SAMPLED_ROWS = 10_000;
const RAREST = 4;
const MOST_SAMPLED = 24;

function longTerms(db: DatabaseSync, index: SearchIndex): (term: string) => Criterion {
  // Without the CAST the number comes as a REAL, by which FTS5 does not limit its walk.
  const sample = db.prepare('SELECT count(*) AS n FROM search WHERE search MATCH ? AND rowid > CAST(? AS INTEGER)');
  const often = (trigram: string): number =>
    numberOf(sample.get(`text : ${quoted(trigram)}`, index.upTo() - SAMPLED_ROWS)?.n);
  return (term) => {
    const characters = [...term];
    if (characters.length <= WHOLE_PHRASE) {
      return { condition: contains(term), known: { kind: 'leads', expression: anyOf('text', [term]) } };
    }
    const starts = characters.keys().take(characters.length - 2);
    const trigrams = [...new Set(starts.map((n) => characters.slice(n, n + 3).join('')))].slice(0, MOST_SAMPLED);
    const counted = trigrams.map((trigram) => ({ trigram, often: often(trigram) }));
    const rarest = counted.sort((a, b) => a.often - b.often).slice(0, RAREST);
    const expression = `(text : (${rarest.map(({ trigram }) => quoted(trigram)).join(' AND ')}))`;
    return { condition: contains(term), known: { kind: 'leads', expression, rough: true } };
  };
}

/** One or two characters are no trigram, but the beginning of some: those that occur at all are few where it is rare. */
function shortTerms(db: DatabaseSync, index: SearchIndex): (term: string) => Criterion {
  db.exec("CREATE VIRTUAL TABLE IF NOT EXISTS temp.trigram USING fts5vocab('main', 'search', 'row')");
  const beginning = db.prepare('SELECT term FROM temp.trigram WHERE term >= ? AND term < ? LIMIT ?');
  return (term) => {
    const condition = contains(term);
    const last = index.upTo();
    const probe = db.prepare(`SELECT 1 FROM message m WHERE m.row > ? AND m.row <= ? AND ${condition.sql} LIMIT ?`);
    const often = probe.all(last - PROBED_ROWS, last, ...condition.values, COMMON);
    if (often.length === COMMON) return { condition };
    const start = fold(term);
    const trigrams = beginning.all(start, `${start}\u{10ffff}`, MOST_TRIGRAMS + 1).map((row) => textOf(row.term) ?? '');
    if (trigrams.length > MOST_TRIGRAMS) return { condition };
    if (trigrams.length === 0) return { condition, known: { kind: 'nowhere' } };
    return { condition, known: { kind: 'leads', expression: anyOf('text', trigrams) } };
  };
}

function authors(db: DatabaseSync): (who: string) => Criterion {
  const self = db.prepare("SELECT id FROM author WHERE sender = ''");
  return (who) => {
    const own = who === 'me' || who === 'self';
    const name = has('name', who);
    const sender = has('sender', who);
    const matching = own
      ? self
      : db.prepare(
          `SELECT id FROM author WHERE sender <> '' AND (${name.sql} OR ${sender.sql}) LIMIT ${MOST_AUTHORS + 1}`,
        );
    const ids = own ? matching.all() : matching.all(...name.values, ...sender.values);
    const condition = own ? { sql: 'm.sender IS NULL', values: [] } : wroteAs(who);
    if (ids.length > MOST_AUTHORS) return { condition };
    if (ids.length === 0) return { condition, known: { kind: 'nowhere' } };
    const tokens = ids.map(({ id }) => tokenOf(numberOf(id)));
    return { condition, known: { kind: 'leads', expression: anyOf('author', tokens) } };
  };
}

function wroteAs(who: string): Condition {
  const [name, sender] = [has('m.sender_name', who), has('m.sender', who)];
  return {
    sql: `(m.sender IS NOT NULL AND (${name.sql} OR ${sender.sql}))`,
    values: [...name.values, ...sender.values],
  };
}

function contains(term: string): Condition {
  const [text, file] = [has('m.text', term), has("f.value ->> 'name'", term)];
  const inFiles = `m.files IS NOT NULL AND EXISTS (SELECT 1 FROM json_each(m.files) f WHERE ${file.sql})`;
  return { sql: `(${text.sql} OR (${inFiles}))`, values: [...text.values, ...file.values] };
}

/** Comparison without the index. LIKE knows the two cases of ASCII only; what needs more pays for our own folding. */
function has(column: string, term: string): Condition {
  const small = fold(term);
  if (/^[\0-\x7f]*$/.test(term) || small === term.toUpperCase()) {
    return { sql: `${column} LIKE ? ESCAPE '\\'`, values: [`%${term.replace(/[\\%_]/g, '\\$&')}%`] };
  }
  if (isLong(term)) return { sql: `instr(folded(${column}), ?)`, values: [small] };
  const [first = '', second = ''] = [...small];
  const spellings = [first, first.toUpperCase()].flatMap((a) => [a + second, a + second.toUpperCase()]);
  const different = [...new Set(spellings)];
  return { sql: `(${different.map(() => `instr(${column}, ?)`).join(' OR ')})`, values: different };
}
