import { xml } from '@xmpp/xml';
import { AdapterError } from '../errors.ts';
import { decline, type Invitation } from './invitations.ts';
import type { Rooms } from './rooms.ts';
import type { Roster } from './roster.ts';
import type { Wire } from './wire.ts';

/** What others ask and only the person may answer: nothing here is ever accepted by itself. */
export interface Requests {
  /** Somebody wants to see our presence. */
  subscription(from: string, text: string | undefined): void;
  invited(invitation: Invitation): void;
  answer(request: string, accept: boolean): Promise<void>;
}

export function requests(wire: Wire, roster: Roster, rooms: Rooms): Requests {
  const invitations = new Map<string, Invitation>();

  const answerSubscription = async (jid: string, accept: boolean): Promise<void> => {
    await wire.stream.accepted(xml('presence', { to: jid, type: accept ? 'subscribed' : 'unsubscribed' }));
    // Whom we let see us is a contact; without this they would stay unlisted here.
    if (accept) await roster.add(jid);
  };
  const answerInvitation = async (room: string, accept: boolean): Promise<void> => {
    const invitation = invitations.get(room);
    invitations.delete(room);
    if (accept) {
      const password = invitation?.password;
      await rooms.join(room, password === undefined ? {} : { password });
    } else if (invitation && invitation.room !== invitation.from) await wire.stream.accepted(decline(invitation));
  };

  return {
    subscription(from, text) {
      wire.host.emit({
        type: 'request',
        id: `subscription:${from}`,
        kind: 'subscription',
        from,
        ...(text ? { text } : undefined),
      });
    },
    invited(invitation) {
      const { room, from, reason } = invitation;
      if (rooms.get(room)?.state === 'in') return;
      invitations.set(room, invitation);
      const text = reason ? `${room}: ${reason}` : room;
      wire.host.emit({ type: 'request', id: `invite:${room}`, kind: 'invite', from, text });
    },
    async answer(request, accept) {
      const colon = request.indexOf(':');
      const subject = request.slice(colon + 1);
      switch (request.slice(0, colon)) {
        case 'subscription':
          return await answerSubscription(subject, accept);
        case 'invite':
          return await answerInvitation(subject, accept);
        default:
          throw new AdapterError('not-found', 'there is no such request');
      }
    },
  };
}
