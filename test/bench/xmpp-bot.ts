import { connect } from 'node:net';
import { waitFor } from '../servers/process.ts';
import { sleep } from './measure.ts';

export interface XmppBot {
  /** Sends that many chat messages in large writes and resolves when the server has taken them all. */
  flood(to: string, count: number): Promise<void>;
  say(to: string, text: string): void;
  /** Asks a client for its version (XEP-0092), again and again while it is not there. False: no answer in that time. */
  answered(to: string, timeoutMs: number): Promise<boolean>;
  close(): void;
}

/** A bare client on a clear-text port with PLAIN: costs nothing, knows nothing. */
export async function xmppBot(port: number, domain: string, user: string, password: string): Promise<XmppBot> {
  const socket = connect(port, '127.0.0.1');
  let heard = '';
  socket.on('data', (chunk) => {
    heard = (heard + chunk.toString()).slice(-20_000);
  });
  const ask = async (xml: string, answer: RegExp): Promise<void> => {
    heard = '';
    socket.write(xml);
    await waitFor(() => answer.test(heard), { what: `${answer} after ${xml.slice(0, 60)}`, timeoutMs: 120_000 });
  };
  const header = `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='${domain}'>`;
  const plain = Buffer.from(`\0${user}\0${password}`).toString('base64');
  await ask(`<?xml version='1.0'?>${header}`, /<\/stream:features>/);
  await ask(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${plain}</auth>`, /<success/);
  await ask(header, /<\/stream:features>/);
  await ask(`<iq type='set' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>`, /<\/iq>/);
  socket.write('<presence/>');
  let round = 0;
  return {
    flood: async (to, count) => {
      round += 1;
      for (let at = 0; at < count; at += 500) {
        let batch = '';
        for (let one = at; one < Math.min(at + 500, count); one++) {
          batch += `<message type='chat' to='${to}' id='f${round}-${one}'><body>message ${one} of the flood, about as long as what people write to each other</body></message>`;
        }
        if (!socket.write(batch)) await new Promise((resolve) => socket.once('drain', resolve));
      }
      await ask(
        `<iq type='get' id='end${round}' to='${domain}'><ping xmlns='urn:xmpp:ping'/></iq>`,
        new RegExp(`id=['"]end${round}`),
      );
    },
    answered: async (to, timeoutMs) => {
      for (const end = performance.now() + timeoutMs; performance.now() < end; await sleep(100)) {
        round += 1;
        heard = '';
        socket.write(`<iq type='get' id='v${round}' to='${to}'><query xmlns='jabber:iq:version'/></iq>`);
        const answer = new RegExp(`<iq\\b[^>]*\\bid=['"]v${round}['"][^>]*>`);
        const found = await waitFor(() => answer.exec(heard)?.[0], { timeoutMs: end - performance.now() }).catch(
          () => '',
        );
        if (/type=['"]result/.test(found)) return true;
      }
      return false;
    },
    say: (to, text) => void socket.write(`<message type='chat' to='${to}'><body>${text}</body></message>`),
    close: () => void socket.destroy(),
  };
}
