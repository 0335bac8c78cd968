import { Element } from '@xmpp/xml';

/** Namespaces by the XEP (or RFC) that defines them. */
export const NS = {
  client: 'jabber:client',
  roster: 'jabber:iq:roster',
  stanzas: 'urn:ietf:params:xml:ns:xmpp-stanzas',
  discoInfo: 'http://jabber.org/protocol/disco#info',
  discoItems: 'http://jabber.org/protocol/disco#items',
  caps: 'http://jabber.org/protocol/caps',
  muc: 'http://jabber.org/protocol/muc',
  mucUser: 'http://jabber.org/protocol/muc#user',
  mucAdmin: 'http://jabber.org/protocol/muc#admin',
  mucOwner: 'http://jabber.org/protocol/muc#owner',
  conference: 'jabber:x:conference',
  chatStates: 'http://jabber.org/protocol/chatstates',
  receipts: 'urn:xmpp:receipts',
  markers: 'urn:xmpp:chat-markers:0',
  carbons: 'urn:xmpp:carbons:2',
  forward: 'urn:xmpp:forward:0',
  delay: 'urn:xmpp:delay',
  sid: 'urn:xmpp:sid:0',
  mam: 'urn:xmpp:mam:2',
  rsm: 'http://jabber.org/protocol/rsm',
  correct: 'urn:xmpp:message-correct:0',
  retract: 'urn:xmpp:message-retract:1',
  reactions: 'urn:xmpp:reactions:0',
  reply: 'urn:xmpp:reply:0',
  fallback: 'urn:xmpp:fallback:0',
  hints: 'urn:xmpp:hints',
  occupant: 'urn:xmpp:occupant-id:0',
  oob: 'jabber:x:oob',
  upload: 'urn:xmpp:http:upload:0',
  blocking: 'urn:xmpp:blocking',
  vcard: 'vcard-temp',
  search: 'jabber:iq:search',
  data: 'jabber:x:data',
  ping: 'urn:xmpp:ping',
  time: 'urn:xmpp:time',
  version: 'jabber:iq:version',
  last: 'jabber:iq:last',
  pubsub: 'http://jabber.org/protocol/pubsub',
  pubsubEvent: 'http://jabber.org/protocol/pubsub#event',
  publishOptions: 'http://jabber.org/protocol/pubsub#publish-options',
  bookmarks: 'urn:xmpp:bookmarks:1',
  displayed: 'urn:xmpp:mds:displayed:0',
  limits: 'urn:xmpp:stream-limits:0',
} as const;

/** The children that are elements. */
export function elements(parent: Element): Element[] {
  return parent.children.filter((child): child is Element => child instanceof Element);
}

/** The first child of that name and namespace, in one pass without descending. */
export function child(parent: Element, name: string, ns: string): Element | undefined {
  for (const node of parent.children) {
    if (node instanceof Element && node.getName() === name && node.getNS() === ns) return node;
  }
  return undefined;
}

/** Text of that child in the parent's own namespace. */
export function childText(parent: Element, name: string): string | undefined {
  for (const node of parent.children) {
    if (node instanceof Element && node.getName() === name) return node.getText();
  }
  return undefined;
}
