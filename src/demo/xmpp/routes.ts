import { randomUUID } from 'node:crypto';
import { type Element, xml } from '@xmpp/xml';
import type { ClientConnection } from './connection.ts';
import { type DemoRooms, MUC } from './rooms.ts';
import { bare, type DemoContact, itemOf, type World } from './world.ts';

const INFO = 'http://jabber.org/protocol/disco#info';
const ITEMS = 'http://jabber.org/protocol/disco#items';
const ROSTER = 'jabber:iq:roster';
const RECEIPTS = 'urn:xmpp:receipts';

/** Takes a client's stanza to whom it is for (RFC 6121 section 8). */
export function route(world: World, rooms: DemoRooms, client: ClientConnection, stanza: Element): void {
  const { to = '' } = stanza.attrs;
  const inRoom = to.endsWith(rooms.service) || to.includes(`${rooms.service}/`);
  if (stanza.name === 'iq') takeRequest(world, rooms, client, stanza);
  else if (inRoom) rooms.stanza(stanza);
  else if (stanza.name === 'presence') takePresence(world, client, stanza);
  else if (stanza.name === 'message') takeMessage(world, client, stanza);
}

function takePresence(world: World, client: ClientConnection, stanza: Element): void {
  const { to, type } = stanza.attrs;
  const own = bare(client.jid);
  if (to && type === 'subscribe') return takeSubscription(world, client, to);
  if (to) {
    world.deliver(to, stanza);
    return;
  }
  const arrives = type === undefined && !client.available;
  client.available = type === undefined ? stanza : undefined;
  if (arrives) {
    for (const [jid, state] of world.present) if (world.sees(client, jid)) client.send(state);
    for (const { available, jid } of world.clients)
      if (available && world.sees(client, bare(jid))) client.send(available);
    for (const stanza of world.kept(own)) client.send(stanza);
  }
  world.broadcast(own, stanza);
}

/** Who lives here lets everybody see them; who is connected is asked. */
function takeSubscription(world: World, client: ClientConnection, to: string): void {
  if (world.deliver(to, xml('presence', { from: bare(client.jid), type: 'subscribe' }))) return;
  const state = world.present.get(to);
  if (!state) return;
  const roster = world.rosterOf(client.user);
  const contact: DemoContact = { ...roster.get(to), jid: to, subscription: 'both' };
  roster.set(to, contact);
  world.push(client.user, itemOf(contact));
  client.send(xml('presence', { from: to, type: 'subscribed', to: client.jid }));
  client.send(state);
}

function takeMessage(world: World, client: ClientConnection, stanza: Element): void {
  const { to = bare(client.jid), id, type } = stanza.attrs;
  if (world.deliver(to, stanza)) return;
  if (!world.lives(bare(to))) {
    const error = xml('error', { type: 'cancel' }, unavailable());
    return client.send(xml('message', { from: to, to: client.jid, type: 'error', id }, error));
  }
  if (!id || !stanza.getChild('request', RECEIPTS)) return;
  const received = xml('received', { xmlns: RECEIPTS, id });
  client.send(xml('message', { from: to, to: client.jid, id: randomUUID(), type: type ?? 'chat' }, received));
}

function takeRequest(world: World, rooms: DemoRooms, client: ClientConnection, stanza: Element): void {
  const { id, to, type } = stanza.attrs;
  if (type !== 'get' && type !== 'set') return;
  const request = stanza.getChildElements()[0];
  const answer = request && answerTo(world, rooms, client, to, type, request);
  const payload = answer === undefined ? xml('error', { type: 'cancel' }, unavailable()) : answer;
  client.send(xml('iq', { type: answer === undefined ? 'error' : 'result', id, from: to, to: client.jid }, payload));
}

/** `null`: done. Undefined: there is no such thing here. */
function answerTo(
  world: World,
  rooms: DemoRooms,
  client: ClientConnection,
  to: string | undefined,
  type: string,
  request: Element,
): Element | null | undefined {
  switch (request.getNS()) {
    case ROSTER:
      if (type === 'set') return change(world, client, request.getChild('item'));
      return xml('query', { xmlns: ROSTER }, ...Array.from(world.rosterOf(client.user).values(), itemOf));
    case 'urn:xmpp:ping':
    case 'urn:xmpp:carbons:2':
      return null;
    case ITEMS:
      return xml('query', { xmlns: ITEMS }, to === world.domain ? xml('item', { jid: rooms.service }) : null);
    case INFO:
      return infoOf(world, rooms, to);
    default:
      return undefined;
  }
}

function change(world: World, client: ClientConnection, item: Element | undefined): null {
  const roster = world.rosterOf(client.user);
  const jid = item?.attrs.jid ?? '';
  const before = roster.get(jid);
  if (item?.attrs.subscription === 'remove') {
    roster.delete(jid);
    world.push(client.user, xml('item', { jid, subscription: 'remove' }));
    return null;
  }
  const groups = item?.getChildren('group').map((group) => group.getText()) ?? [];
  const name = item?.attrs.name;
  const after: DemoContact = {
    jid,
    groups,
    subscription: before?.subscription ?? 'none',
    ...(name ? { name } : undefined),
  };
  roster.set(jid, after);
  world.push(client.user, itemOf(after));
  return null;
}

function infoOf(world: World, rooms: DemoRooms, to: string | undefined): Element | undefined {
  const features = (...all: string[]): Element[] => all.map((name) => xml('feature', { var: name }));
  if (to?.endsWith(rooms.service)) {
    if (to !== rooms.service && !rooms.names().includes(to)) return undefined;
    const identity = xml('identity', { category: 'conference', type: 'text', name: to.split('@')[0] });
    return xml('query', { xmlns: INFO }, identity, ...features(MUC, 'urn:xmpp:sid:0'));
  }
  const category = to === world.domain ? 'server' : 'account';
  const identity = xml('identity', { category, type: 'im' });
  return xml('query', { xmlns: INFO }, identity, ...features('urn:xmpp:carbons:2'));
}

const unavailable = (): Element => xml('service-unavailable', { xmlns: 'urn:ietf:params:xml:ns:xmpp-stanzas' });
