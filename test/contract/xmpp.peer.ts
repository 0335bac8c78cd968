import { randomUUID } from 'node:crypto';
import { type Element, xml } from '@xmpp/xml';
import { type PlainClient, type PlainOptions, plainClient } from '../adapters/xmpp/client.ts';
import type { Peer } from './driver.ts';

const MUC = 'http://jabber.org/protocol/muc';

/** A person on a plain XMPP client. */
export async function xmppPeer(options: PlainOptions): Promise<Peer & { readonly client: PlainClient }> {
  const client = await plainClient(options);
  client.send(xml('presence'));
  const heard = (stanza: Element, room?: string): string | undefined => {
    if (stanza.name !== 'message' || stanza.attrs.type === 'error') return undefined;
    const from = stanza.attrs.from ?? '';
    if (room ? !from.startsWith(`${room}/`) : stanza.attrs.type === 'groupchat') return undefined;
    return stanza.getChildText('body') ?? undefined;
  };
  const joined = new Set<string>();
  return {
    client,
    address: client.bare,
    async say(to, text) {
      client.send(xml('message', { to: to.address, type: 'chat', id: randomUUID() }, xml('body', {}, text)));
    },
    async heard(passes, room) {
      const found = await client.next((stanza) => {
        const text = heard(stanza, room);
        return text !== undefined && passes(text);
      });
      return heard(found, room) ?? '';
    },
    texts: () => client.stanzas.flatMap((stanza) => heard(stanza) ?? []),
    async sayInRoom(room, text) {
      if (!joined.has(room)) {
        client.send(xml('presence', { to: `${room}/peer-${client.bare.split('@')[0]}` }, xml('x', { xmlns: MUC })));
        await client.next((stanza) => stanza.name === 'message' && stanza.getChild('subject') !== undefined);
        joined.add(room);
      }
      client.send(xml('message', { to: room, type: 'groupchat', id: randomUUID() }, xml('body', {}, text)));
    },
    async present(state, note) {
      if (state === 'offline') return client.send(xml('presence', { type: 'unavailable' }));
      const show = state === 'away' && xml('show', {}, 'away');
      client.send(xml('presence', {}, show, note && xml('status', {}, note)));
    },
    async typing(to) {
      const composing = xml('composing', { xmlns: 'http://jabber.org/protocol/chatstates' });
      client.send(xml('message', { to: to.address, type: 'chat' }, composing));
    },
    close: client.close,
  };
}
