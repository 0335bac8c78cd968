import { type Element, xml } from '@xmpp/xml';
import { readForwarded } from './inbound.ts';
import type { Wire } from './wire.ts';
import { child, childText, NS } from './xml.ts';

/** Pages of an archive as it tells them (XEP-0313, XEP-0059). */
export interface Mam {
  /** A result that came; only an open query, answered by whom it was put to, takes one (section 5). */
  result(from: string, result: Element): void;
  /** Of that room, or of the account. @throws AdapterError `not-found` where it does not know the id in `before` or `after` */
  page(room: string | undefined, wanted: Wanted): Promise<MamPage>;
}

export interface Wanted {
  readonly with?: string;
  /** Milliseconds since the epoch: nothing older. */
  readonly start?: number;
  /** The page before that id; empty: the last one. */
  readonly before?: string | undefined;
  /** The page after that id. */
  readonly after?: string | undefined;
  /** How many at most; a server may give fewer. */
  readonly max: number;
}

export interface Found {
  readonly id: string;
  readonly stamp: string | undefined;
  readonly message: Element;
}

/** Oldest first. `complete`: there is nothing beyond it in the direction asked for. */
export interface MamPage {
  readonly found: readonly Found[];
  readonly first: string | undefined;
  readonly last: string | undefined;
  readonly complete: boolean;
}

const timeoutMs = 30_000;

export function mam(wire: Wire): Mam {
  const open = new Map<string, { readonly from: string; readonly found: Found[] }>();
  let count = 0;
  return {
    result(from, result) {
      const query = open.get(result.attrs.queryid ?? '');
      if (!query || (from !== query.from && !(from === '' && query.from === wire.self))) return;
      const forwarded = readForwarded(result);
      if (forwarded && result.attrs.id) query.found.push({ id: result.attrs.id, ...forwarded });
    },
    async page(room, wanted) {
      const queryid = `page-${++count}`;
      const found: Found[] = [];
      open.set(queryid, { from: room ?? wire.self, found });
      try {
        const payload = xml('query', { xmlns: NS.mam, queryid }, filter(wanted), paging(wanted));
        const reply = await wire.set(room, payload, { timeoutMs });
        const fin = child(reply, 'fin', NS.mam);
        const set = fin && child(fin, 'set', NS.rsm);
        return {
          found,
          first: (set && childText(set, 'first')) || found[0]?.id,
          last: (set && childText(set, 'last')) || found.at(-1)?.id,
          complete: fin?.attrs.complete === 'true',
        };
      } finally {
        open.delete(queryid);
      }
    },
  };
}

function filter({ with: peer, start }: Wanted): Element | undefined {
  if (peer === undefined && start === undefined) return undefined;
  const field = (name: string, value: string): Element => xml('field', { var: name }, xml('value', {}, value));
  return xml(
    'x',
    { xmlns: NS.data, type: 'submit' },
    field('FORM_TYPE', NS.mam),
    peer !== undefined && field('with', peer),
    start !== undefined && field('start', new Date(start).toISOString()),
  );
}

function paging({ before, after, max }: Wanted): Element {
  const place =
    after !== undefined ? xml('after', {}, after) : before !== undefined ? xml('before', {}, before) : undefined;
  return xml('set', { xmlns: NS.rsm }, xml('max', {}, String(max)), place);
}
