import { type Element, xml } from '@xmpp/xml';
import { bare } from './jid.ts';
import { fetchItems, publishPrivate } from './pep.ts';
import type { Wire } from './wire.ts';
import { child, childText, NS } from './xml.ts';

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
  return (await fetchItems(wire, NS.bookmarks)).flatMap((item) => readBookmark(item) ?? []);
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
  await publishPrivate(wire, NS.bookmarks, jid, conference);
}
