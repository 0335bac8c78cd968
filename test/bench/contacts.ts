import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { waitFor } from '../servers/process.ts';
import type { Prosody, ProsodyContact } from '../servers/prosody.ts';

/** The domain of Prosody's component, where the bench's contacts live. */
const domain = 'irc.localhost';

/** So many contacts in twenty groups, as a roster holds them. */
export function contactList(size: number): ProsodyContact[] {
  return Array.from({ length: size }, (_, at) => ({
    jid: `contact${at}@${domain}`,
    name: `Contact ${at}`,
    groups: [`Group ${at % 20}`],
    subscription: 'both' as const,
  }));
}

export interface Contacts {
  /** Presences sent so far. */
  presences(): number;
  /** Asks a client behind them; true once it has answered, and so has taken in all before. */
  answered(to: string, timeoutMs: number): Promise<boolean>;
  close(): void;
}

/**
 * The contacts themselves: a component (XEP-0114) that answers the server's probe for each (RFC 6121, 4.3.2). Every
 * tenth is online, with a resource and a status; of the others nothing comes. What else is asked of them is refused.
 */
export async function liveContacts(prosody: Prosody): Promise<Contacts> {
  const socket = connect(prosody.ports.component, '127.0.0.1');
  let heard = '';
  let open = false;
  let presences = 0;
  let asked = 0;
  let answer = '';
  const appear = (probe: string): void => {
    const from = attribute(probe, 'to');
    const at = Number(/^contact(\d+)@/.exec(from)?.[1] ?? 1);
    if (at % 10 !== 0) return;
    presences += 1;
    socket.write(presenceOf(from, attribute(probe, 'from'), at));
  };
  const refuse = (iq: string): void => {
    const reversed = `id='${attribute(iq, 'id')}' from='${attribute(iq, 'to')}' to='${attribute(iq, 'from')}'`;
    const why = "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>";
    socket.write(`<iq type='error' ${reversed}><error type='cancel'>${why}</error></iq>`);
  };
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    heard += chunk.toString();
    if (!open) return;
    const end = heard.lastIndexOf('>') + 1;
    socket.cork();
    for (const [stanza] of heard.slice(0, end).matchAll(/<(?:presence|iq)\b[^>]*>/g)) {
      if (/\btype=['"]probe['"]/.test(stanza)) appear(stanza);
      if (/\btype=['"]result['"]/.test(stanza)) answer = attribute(stanza, 'id');
      if (/\btype=['"](?:get|set)['"]/.test(stanza)) refuse(stanza);
    }
    socket.uncork();
    heard = heard.slice(end);
  });
  socket.write(
    `<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='${domain}'>`,
  );
  const id = await waitFor(() => /<stream:stream[^>]* id=['"]([^'"]+)['"]/.exec(heard)?.[1], { what: 'the stream' });
  const digest = createHash('sha1').update(`${id}${prosody.componentSecret}`).digest('hex');
  socket.write(`<handshake>${digest}</handshake>`);
  await waitFor(() => /<handshake\s*\/>/.test(heard), { what: 'the handshake' });
  heard = '';
  open = true;
  return {
    presences: () => presences,
    answered: (to, timeoutMs) => {
      asked += 1;
      const id = `asked${asked}`;
      socket.write(`<iq type='get' id='${id}' from='${domain}' to='${to}'><query xmlns='jabber:iq:version'/></iq>`);
      return waitFor(() => answer === id, { timeoutMs }).catch(() => false);
    },
    close: () => void socket.destroy(),
  };
}

const attribute = (tag: string, name: string): string => new RegExp(` ${name}=['"]([^'"]*)['"]`).exec(tag)?.[1] ?? '';

const shows = ['', '<show>away</show>', '<show>dnd</show>', '<show>xa</show>'];

function presenceOf(from: string, to: string, at: number): string {
  const show = shows[(at / 10) % shows.length];
  return `<presence from='${from}/desk' to='${to}'>${show}<status>at work, ${at}</status></presence>`;
}
