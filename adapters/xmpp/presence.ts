import { type Element, xml } from '@xmpp/xml';
import type { Presence } from '../contract.ts';
import { AdapterError } from '../errors.ts';
import * as outbound from './outbound.ts';
import { userId, type Wire } from './wire.ts';
import { childText } from './xml.ts';

/** Who is there, and ourselves (RFC 6121 section 4). */
export interface Presences {
  /** Of a contact, from one of their devices. */
  take(jid: string, device: string, stanza: Element): void;
  forget(jid: string): void;
  /** A device with a negative priority gets only what is sent to its own address. */
  shy(jid: string, device: string): boolean;
  isThere(jid: string): boolean;
  set(state: Presence, note?: string): Promise<void>;
  /** Our presence as it now is, to everybody or to one address. */
  announce(to?: string, ...parts: readonly Element[]): void;
  keep(): void;
  /** Comes online; after a resumption everybody is shown as before, and nothing is sent if we know how that was. */
  begin(resumed: boolean): void;
}

interface Device {
  readonly name: string;
  readonly priority: number;
  readonly state: Presence;
  readonly note: string;
}

// RFC 6121 leaves the order of equal priorities open: whoever is most likely to answer is shown.
const ranks: Readonly<Record<Presence, number>> = { online: 3, busy: 2, away: 1, offline: 0, unknown: 0 };
const kept = 'presences';

export function presences(wire: Wire, caps: () => Element, rooms: () => Iterable<string>): Presences {
  const contacts = new Map<string, readonly Device[]>();
  let own: { readonly state: 'online' | 'away' | 'busy'; readonly note?: string } = { state: 'online' };

  const show = (jid: string, devices: readonly Device[], before: Device | undefined): void => {
    const now = best(devices);
    if (now?.state === before?.state && now?.note === before?.note) return;
    wire.host.emit({
      type: 'presence',
      user: userId(jid),
      state: now?.state ?? 'offline',
      ...(now?.note ? { note: now.note } : undefined),
    });
  };
  const announce = (to?: string, ...parts: readonly Element[]): void => {
    const stanza = outbound.presence(own.state, own.note, to);
    stanza.append(caps(), ...parts);
    wire.stream.send(stanza);
  };

  const restore = (text: string): boolean => {
    try {
      const copy: { own: typeof own; contacts: [string, readonly Device[]][] } = JSON.parse(text);
      own = copy.own;
      for (const [jid, devices] of copy.contacts) {
        contacts.set(jid, devices);
        show(jid, devices, undefined);
      }
      return true;
    } catch {
      return false;
    }
  };

  return {
    take(jid, device, stanza) {
      const devices = contacts.get(jid) ?? [];
      const others = devices.length === 0 ? devices : devices.filter(({ name }) => name !== device);
      const here = stanza.attrs.type === undefined;
      const now = here ? [...others, readDevice(device, stanza)] : others;
      if (now.length > 0) contacts.set(jid, now);
      else contacts.delete(jid);
      if (!here && devices.length === 0) {
        // The last status of someone who is away for good is worth showing, though no device is left.
        const note = childText(stanza, 'status');
        wire.host.emit({ type: 'presence', user: userId(jid), state: 'offline', ...(note ? { note } : undefined) });
        return;
      }
      show(jid, now, best(devices));
    },
    forget: (jid) => void contacts.delete(jid),
    shy: (jid, device) => (contacts.get(jid)?.find(({ name }) => name === device)?.priority ?? 0) < 0,
    isThere: (jid) => contacts.has(jid),
    async set(state, note) {
      if (state === 'offline' || state === 'unknown') {
        throw new AdapterError(
          'unsupported',
          `XMPP has no presence "${state}" while connected; disable the account instead`,
        );
      }
      own = note ? { state, note } : { state };
      announce();
      for (const room of rooms()) announce(room);
    },
    announce,
    keep() {
      wire.host.memory.set(kept, JSON.stringify({ own, contacts: [...contacts] }));
    },
    begin(resumed) {
      const text = wire.host.memory.get(kept);
      wire.host.memory.set(kept, undefined);
      if (resumed && text !== undefined && restore(text)) return;
      // 4.2.2: only the first presence of a session makes the server tell who is there; so this becomes the first.
      if (resumed) wire.stream.send(unavailable());
      announce();
    },
  };
}

function best(devices: readonly Device[]): Device | undefined {
  let first = devices[0];
  for (const device of devices) {
    if (!first || device.priority > first.priority) first = device;
    else if (device.priority === first.priority && ranks[device.state] > ranks[first.state]) first = device;
  }
  return first;
}

function readDevice(name: string, stanza: Element): Device {
  const priority = Number(childText(stanza, 'priority') ?? 0);
  return {
    name,
    priority: Number.isInteger(priority) ? Math.max(-128, Math.min(127, priority)) : 0,
    state: readShow(childText(stanza, 'show')),
    note: childText(stanza, 'status') ?? '',
  };
}

function readShow(show: string | undefined): Presence {
  switch (show) {
    case 'away':
    case 'xa':
      return 'away';
    case 'dnd':
      return 'busy';
    default:
      return 'online';
  }
}

export const unavailable = (to?: string): Element => xml('presence', { to, type: 'unavailable' });
