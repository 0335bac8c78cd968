import { randomBytes } from 'node:crypto';
import type { Element } from '@xmpp/xml';
import type { Clock } from '../../contract.ts';
import { AdapterError } from '../../errors.ts';
import { stanzaError } from './errors.ts';
import { type Jid, tryJid } from './jid.ts';
import type { IqOptions } from './stream-types.ts';

export const IQ_TIMEOUT_MS = 30_000;

interface Call {
  /** Undefined: our own account or server. */
  readonly from: string | undefined;
  resolve(reply: Element): void;
  reject(error: AdapterError): void;
}

/** Requests of ours that wait for a reply (RFC 6120 section 8.2.3). */
export interface Calls {
  /** Gives the stanza an id nobody can guess and waits for its reply; `send` sends it. */
  call(stanza: Element, options: IqOptions, send: (stanza: Element) => void): Promise<Element>;
  /** Whether a stanza with this head would be taken as a reply. */
  awaits(head: Element): boolean;
  /** Takes a result or an error from the one who was asked; whatever else bears its id is dropped. */
  settle(stanza: Element): void;
  fail(error: AdapterError): void;
}

export function calls(account: Jid, clock: Clock): Calls {
  const open = new Map<string, Call>();

  const answeredBy = ({ from }: Call, sender: string | undefined): boolean => {
    // RFC 6120 section 8.1.2.1: no `from` means that the server answers for our own account.
    const jid = tryJid(sender ?? account.bare);
    if (!jid) return false;
    const own = jid.bare === account.bare || jid.full === account.domain;
    if (from === undefined) return own;
    const asked = tryJid(from);
    if (asked?.full === jid.full) return true;
    // Servers answer for themselves and for the account by either name, or by none.
    return own && (asked?.full === account.bare || asked?.full === account.domain);
  };

  const find = (head: Element): Call | undefined => {
    const { type, id, from } = head.attrs;
    if (head.name !== 'iq' || id === undefined || (type !== 'result' && type !== 'error')) return undefined;
    const call = open.get(id);
    return call && answeredBy(call, from) ? call : undefined;
  };

  return {
    awaits: (head) => find(head) !== undefined,
    settle(stanza) {
      const call = find(stanza);
      if (!call) return;
      if (stanza.attrs.type === 'error') call.reject(stanzaError(stanza));
      else call.resolve(stanza);
    },
    async call(stanza, { from = stanza.attrs.to, timeoutMs = IQ_TIMEOUT_MS, signal }, send) {
      if (signal?.aborted) throw new AdapterError('unreachable', 'given up', { cause: signal.reason });
      const id = randomBytes(12).toString('base64url');
      stanza.attrs.id = id;
      const timer = new AbortController();
      const { promise, resolve, reject } = Promise.withResolvers<Element>();
      const abort = (): void => reject(new AdapterError('unreachable', 'given up', { certain: false }));
      open.set(id, { from, resolve, reject });
      signal?.addEventListener('abort', abort, { once: true });
      void clock.sleep(timeoutMs, timer.signal).then(
        () => reject(new AdapterError('unreachable', 'the server did not answer in time', { certain: false })),
        () => {},
      );
      try {
        send(stanza);
        return await promise;
      } finally {
        open.delete(id);
        timer.abort();
        signal?.removeEventListener('abort', abort);
      }
    },
    fail(error) {
      for (const { reject } of open.values()) reject(error);
    },
  };
}
