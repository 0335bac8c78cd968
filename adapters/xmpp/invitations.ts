import { type Element, xml } from '@xmpp/xml';
import type { Room } from './room.ts';
import { child, elements, NS } from './xml.ts';

/** Changes the room's subject, or asks somebody in: what is said within a room. */
export function subject(room: Room, id: string, text: string): Element {
  return xml('message', { to: room.jid, type: 'groupchat', id }, topicOf(text));
}

// An empty subject must be there all the same (8.1): it takes the topic away.
function topicOf(text: string): Element {
  const node = xml('subject', {});
  node.t(text);
  return node;
}

/** XEP-0249 to the person; through the room where it is for members only, so that it lets them in (7.8.2). */
export function invitation(room: Room, id: string, to: string): Element {
  if (room.info?.features.has('muc_membersonly')) {
    return xml('message', { to: room.jid, id }, xml('x', { xmlns: NS.mucUser }, xml('invite', { to })));
  }
  const { jid, password } = room;
  return xml('message', { to, id }, xml('x', { xmlns: NS.conference, jid, password }));
}

export interface Invitation {
  readonly room: string;
  readonly from: string;
  readonly reason: string | undefined;
  readonly password: string | undefined;
}

/** An invitation that a room passes on (7.8.2). */
export function readMediated(room: string, user: Element): Invitation | undefined {
  const invite = child(user, 'invite', NS.mucUser);
  if (!invite?.attrs.from) return undefined;
  const said = (parent: Element, name: string): string | undefined =>
    elements(parent)
      .find((part) => part.getName() === name)
      ?.getText();
  return { room, from: invite.attrs.from, reason: said(invite, 'reason'), password: said(user, 'password') };
}

export function decline(invitation: Invitation): Element {
  const { room, from } = invitation;
  return xml('message', { to: room }, xml('x', { xmlns: NS.mucUser }, xml('decline', { to: from })));
}
