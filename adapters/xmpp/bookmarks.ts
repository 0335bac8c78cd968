import { type Element, xml } from '@xmpp/xml';
import { bare } from './jid.ts';
import type { Wire } from './wire.ts';
import { child, childText, elements, NS } from './xml.ts';

/** A room that the account's devices share (XEP-0402). */
export interface Bookmark {
  readonly jid: string;
  readonly autojoin: boolean;
  readonly name?: string | undefined;
  readonly nick?: string | undefined;
  readonly password?: string | undefined;
}

/** @throws AdapterError where the server keeps none. */
export async function fetchBookmarks(wire: Wire): Promise<readonly Bookmark[]> {
  const items = xml('items', { node: NS.bookmarks });
  const reply = await wire.get(undefined, xml('pubsub', { xmlns: NS.pubsub }, items), { timeoutMs: 10_000 });
  const list = child(reply, 'pubsub', NS.pubsub);
  return (list ? elements(list) : []).flatMap((node) => elements(node)).flatMap((item) => readBookmark(item) ?? []);
}

function readBookmark(item: Element): Bookmark | undefined {
  const conference = child(item, 'conference', NS.bookmarks);
  if (!conference || !item.attrs.id) return undefined;
  const { autojoin, name } = conference.attrs;
  return {
    jid: bare(item.attrs.id),
    autojoin: autojoin === 'true' || autojoin === '1',
    name,
    nick: childText(conference, 'nick'),
    password: childText(conference, 'password'),
  };
}

export async function publishBookmark(wire: Wire, { jid, autojoin, name, nick, password }: Bookmark): Promise<void> {
  const conference = xml(
    'conference',
    { xmlns: NS.bookmarks, autojoin: String(autojoin), name },
    nick && xml('nick', {}, nick),
    password && xml('password', {}, password),
  );
  const publish = xml('publish', { node: NS.bookmarks }, xml('item', { id: jid }, conference));
  await wire.set(undefined, xml('pubsub', { xmlns: NS.pubsub }, publish, publishOptions()), { timeoutMs: 10_000 });
}

/** XEP-0402 section 4.2: private to the account, never forgotten. */
function publishOptions(): Element {
  const fields = {
    'pubsub#persist_items': 'true',
    'pubsub#max_items': 'max',
    'pubsub#send_last_published_item': 'never',
    'pubsub#access_model': 'whitelist',
  };
  const form = [
    xml('field', { var: 'FORM_TYPE', type: 'hidden' }, xml('value', {}, NS.publishOptions)),
    ...Object.entries(fields).map(([name, value]) => xml('field', { var: name }, xml('value', {}, value))),
  ];
  return xml('publish-options', {}, xml('x', { xmlns: NS.data, type: 'submit' }, ...form));
}
