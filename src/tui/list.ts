import type { Presence } from '../../adapters/contract.ts';
import type { ContactView, ConversationKey } from '../link/messages.ts';

/** One contact or room as the list keeps it: what changes often stands beside the contact, so that it is never copied. */
export interface Row {
  readonly key: ConversationKey;
  contact: ContactView;
  presence: Presence;
  status: string | undefined;
  unread: number;
  mentions: number;
  last: string | undefined;
  /** Lower case name and address, for finding. */
  found: string;
  /** When it became unread, as a rising number. */
  readonly order: { unread: number };
  places: readonly Place[];
}

interface Place {
  readonly section: string;
  readonly sort: string;
}

interface Entry {
  readonly sort: string;
  readonly row: Row;
}

export interface Section {
  readonly id: string;
  readonly title: string;
  /** In order. */
  readonly entries: Entry[];
}

export const UNREAD = '0';

/** The merged list, kept in order at all times: a change moves one row by binary search, whatever the length. */
export interface List {
  readonly sections: Map<string, Section>;
  /** Ids of sections that have entries, in order. */
  order: string[];
  /** Rises with each change. */
  version: number;
}

export function newList(): List {
  return { sections: new Map(), order: [], version: 0 };
}

const PRESENCE_RANK: Readonly<Record<Presence, string>> = {
  online: '0',
  away: '0',
  busy: '0',
  offline: '1',
  unknown: '1',
};

/** Where a row stands: with what is unread, and in its groups or with its account. */
function placesOf(row: Row, keepUnread: boolean): Place[] {
  const { contact } = row;
  const kind = contact.kind === 'room' ? (contact.listed ? '0' : '2') : contact.listed ? '1' : '2';
  const sort = `${kind}${contact.kind === 'room' ? '0' : PRESENCE_RANK[row.presence]}${row.found}\0${row.key}`;
  const groups = contact.kind === 'person' && contact.listed ? contact.groups.filter(Boolean) : [];
  const places: Place[] = groups.map((group) => ({ section: `1${group.toLowerCase()}\0${group}`, sort }));
  if (places.length === 0) places.push({ section: `2${contact.account}`, sort });
  if (row.unread > 0 || keepUnread) {
    const age = String(1e12 - row.order.unread).padStart(13, '0');
    places.unshift({ section: UNREAD, sort: `${age}\0${row.key}` });
  }
  return places;
}

function titleOf(section: string): string {
  if (section === UNREAD) return 'Unread';
  return section.startsWith('1') ? (section.split('\0')[1] ?? '') : section.slice(1);
}

/** Puts a row where it now belongs; costs nothing where it stays. `keepUnread`: the open one does not jump away. */
export function place(list: List, row: Row, keepUnread: boolean): void {
  const places = placesOf(row, keepUnread);
  if (places.length === row.places.length && places.every((next, i) => same(next, row.places[i]))) return;
  for (const old of row.places) take(list, old);
  for (const next of places) put(list, next, row);
  row.places = places;
}

export function displace(list: List, row: Row): void {
  for (const old of row.places) take(list, old);
  row.places = [];
}

const same = (a: Place, b: Place | undefined): boolean => a.section === b?.section && a.sort === b.sort;

function indexIn(entries: readonly Entry[], sort: string): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle]?.sort ?? '') < sort) low = middle + 1;
    else high = middle;
  }
  return low;
}

function put(list: List, { section: id, sort }: Place, row: Row): void {
  let section = list.sections.get(id);
  if (!section) {
    section = { id, title: titleOf(id), entries: [] };
    list.sections.set(id, section);
    list.order.push(id);
    list.order.sort();
  }
  section.entries.splice(indexIn(section.entries, sort), 0, { sort, row });
  list.version++;
}

function take(list: List, { section: id, sort }: Place): void {
  const section = list.sections.get(id);
  if (!section) return;
  const at = indexIn(section.entries, sort);
  if (section.entries[at]?.sort === sort) section.entries.splice(at, 1);
  if (section.entries.length === 0) {
    list.sections.delete(id);
    list.order.splice(list.order.indexOf(id), 1);
  }
  list.version++;
}

/** Fills an empty list at once: one sort a section instead of one search a row. */
export function fill(list: List, rows: Iterable<Row>): void {
  for (const row of rows) {
    row.places = placesOf(row, false);
    for (const { section: id, sort } of row.places) {
      let section = list.sections.get(id);
      if (!section) {
        section = { id, title: titleOf(id), entries: [] };
        list.sections.set(id, section);
      }
      section.entries.push({ sort, row });
    }
  }
  for (const section of list.sections.values()) section.entries.sort((a, b) => (a.sort < b.sort ? -1 : 1));
  list.order = [...list.sections.keys()].sort();
  list.version++;
}

/** Where one stands in the list: a row may be there twice (unread, and in its group). */
export interface Spot {
  readonly section: string;
  readonly row: Row;
}

/** The row that is `steps` after (or before) a spot, over all sections; from the top or the end where the spot is gone. */
export function neighbour(list: List, from: Spot | undefined, steps: 1 | -1): Spot | undefined {
  const at = from && find(list, from);
  if (!at) {
    const id = steps > 0 ? list.order[0] : list.order.at(-1);
    const entries = id === undefined ? undefined : list.sections.get(id)?.entries;
    const row = (steps > 0 ? entries?.[0] : entries?.at(-1))?.row;
    return id !== undefined && row ? { section: id, row } : undefined;
  }
  const section = list.sections.get(from.section);
  const beside = section?.entries[at.index + steps];
  if (beside) return { section: from.section, row: beside.row };
  const id = list.order[at.section + steps];
  const entries = id === undefined ? undefined : list.sections.get(id)?.entries;
  const row = (steps > 0 ? entries?.[0] : entries?.at(-1))?.row;
  return id !== undefined && row ? { section: id, row } : undefined;
}

function find(list: List, spot: Spot): { readonly section: number; readonly index: number } | undefined {
  const section = list.order.indexOf(spot.section);
  const sort = spot.row.places.find((one) => one.section === spot.section)?.sort;
  const entries = list.sections.get(spot.section)?.entries;
  if (section < 0 || sort === undefined || !entries) return undefined;
  const index = indexIn(entries, sort);
  return entries[index]?.row === spot.row ? { section, index } : undefined;
}

/** The row at a place in the list, from 0, as Alt-1 to Alt-9 count. */
export function spotAt(list: List, index: number): Spot | undefined {
  let left = index;
  for (const id of list.order) {
    const entries = list.sections.get(id)?.entries ?? [];
    const row = entries[left]?.row;
    if (row) return { section: id, row };
    left -= entries.length;
  }
  return undefined;
}

/** One line of the drawn list. */
export type Line =
  | { readonly type: 'title'; readonly title: string }
  | { readonly type: 'blank' }
  | { readonly type: 'row'; readonly row: Row; readonly section: string };

/** Only the lines of the window; what is above and below is counted, not made. */
export function linesOf(list: List, top: number, height: number): Line[] {
  const lines: Line[] = [];
  let at = 0;
  for (const id of list.order) {
    const section = list.sections.get(id);
    if (!section) continue;
    const blank = at === 0 ? 0 : 1;
    const size = blank + 1 + section.entries.length;
    for (let i = Math.max(0, top - at); i < size && lines.length < height; i++) {
      const entry = section.entries[i - blank - 1];
      if (i < blank) lines.push({ type: 'blank' });
      else if (i === blank) lines.push({ type: 'title', title: section.title });
      else if (entry) lines.push({ type: 'row', row: entry.row, section: id });
    }
    at += size;
    if (lines.length >= height) break;
  }
  return lines;
}

/** How many lines the whole list has. */
export function lengthOf(list: List): number {
  let lines = 0;
  for (const section of list.sections.values()) lines += section.entries.length + 2;
  return Math.max(0, lines - 1);
}

/** The line of a spot, from 0. */
export function lineOf(list: List, spot: Spot): number | undefined {
  const at = find(list, spot);
  if (!at) return undefined;
  let line = at.index + 1;
  for (const id of list.order.slice(0, at.section)) line += (list.sections.get(id)?.entries.length ?? 0) + 2;
  return line;
}
