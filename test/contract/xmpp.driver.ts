import { xmpp } from '../../adapters/xmpp/index.ts';
import type { Driver } from './driver.ts';

/** What is the same on every XMPP server. */
export const badXmppSettings: Driver['badSettings'] = [
  { settings: {}, names: 'jid' },
  { settings: { jid: 'no at sign' }, names: 'jid' },
  { settings: { jid: 'localhost' }, names: 'jid' },
  { settings: { jid: 'me@localhost', tls: 'perhaps' }, names: 'tls' },
  { settings: { jid: 'me@localhost', tls: 'none' }, names: 'tls' },
  { settings: { jid: 'me@localhost', tls: 'none', server: 'example.org:5222' }, names: 'loopback' },
  { settings: { jid: 'me@localhost', server: 'example.org' }, names: 'server' },
  { settings: { jid: 'me@localhost', proxy: 'ftp://x' }, names: 'proxy' },
];

/** Stanzas that a hostile server or contact may send; well-formed, so the stream stands. */
export const hostileStanzas: readonly { readonly name: string; readonly xml: string }[] = [
  { name: 'message without anything', xml: '<message/>' },
  {
    name: 'message from nobody with a bad stamp',
    xml: `<message from='' type='chat'><body>x</body><delay xmlns='urn:xmpp:delay' stamp='+292278994-08-17T07:12:55Z'/></message>`,
  },
  {
    name: 'broken addresses',
    xml: `<message from='@@@/\u{1f4a5}' to='' type='chat' id=''><body>x</body></message><presence from='/'/><iq type='set' from='@' id=''><query xmlns='jabber:iq:roster'><item/></query></iq>`,
  },
  {
    name: 'unknown types',
    xml: `<message type='💥'><body/></message><presence type='__proto__' from='constructor@localhost/x'/><iq type='__proto__' id='__proto__'/>`,
  },
  {
    name: 'carbon in carbon',
    xml: `<message from='evil@localhost'><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message><received xmlns='urn:xmpp:carbons:2'/></message></forwarded></received></message>`,
  },
  {
    name: 'carbon and archive result without content',
    xml: `<message><sent xmlns='urn:xmpp:carbons:2'/></message><message><result xmlns='urn:xmpp:mam:2'/></message>`,
  },
  {
    name: 'empty parts everywhere',
    xml: `<message from='a@localhost/b'><body>y</body><replace xmlns='urn:xmpp:message-correct:0'/><reactions xmlns='urn:xmpp:reactions:0'/><reply xmlns='urn:xmpp:reply:0'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='NaN' end='-1'/></fallback><stanza-id xmlns='urn:xmpp:sid:0'/><received xmlns='urn:xmpp:receipts'/></message>`,
  },
  {
    name: 'priority and show out of range',
    xml: `<presence from='c@localhost/d'><show>💥</show><priority>1e99</priority></presence>`,
  },
];

export { xmpp };
