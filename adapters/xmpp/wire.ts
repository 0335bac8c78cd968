import { randomUUID } from 'node:crypto';
import { type Element, xml } from '@xmpp/xml';
import type { ChatId, FileId, Host, MessageId, Nonce, UserId } from '../contract.ts';
import type { XmppSettings } from './settings.ts';
import type { IqOptions, Stream } from './transport/stream.ts';

/** One signed-in connection, as every topic of the adapter (roster, rooms, …) gets it. */
export interface Wire {
  readonly host: Host;
  readonly settings: XmppSettings;
  readonly stream: Stream;
  /** Own bare JID, as the server bound it. */
  readonly self: string;
  /** Own full JID. */
  readonly jid: string;
  /** The own server. */
  readonly domain: string;
  /** Aborted when the connection ends. */
  readonly ended: AbortSignal;
  /** Resolves with the payload's parent, the `result` stanza. @throws AdapterError */
  get(to: string | undefined, payload: Element, options?: IqOptions): Promise<Element>;
  set(to: string | undefined, payload: Element, options?: IqOptions): Promise<Element>;
}

export function wire(host: Host, settings: XmppSettings, stream: Stream, self: string, ended: AbortSignal): Wire {
  const ask = (type: string, to: string | undefined, payload: Element, options?: IqOptions): Promise<Element> =>
    stream.iq(xml('iq', { type, to }, payload), options);
  return {
    host,
    settings,
    stream,
    self,
    jid: stream.jid,
    domain: self.slice(self.indexOf('@') + 1),
    ended,
    get: (to, payload, options) => ask('get', to, payload, options),
    set: (to, payload, options) => ask('set', to, payload, options),
  };
}

const mark = 'imux-aside-';
const here = randomUUID();
let asides = 0;
/** An id for a message that nobody waits for; an error that comes back for one is of no interest. */
export const asideId = (): string => `${mark}${here}-${++asides}`;
export const isAside = (id: string): boolean => id.startsWith(mark);

// An XMPP address is the chat's and the user's id alike; these are the only places where the brands are put on.
export const chatId = (jid: string): ChatId => jid as ChatId;
export const userId = (jid: string): UserId => jid as UserId;
export const messageId = (id: string): MessageId => id as MessageId;
export const fileId = (url: string): FileId => url as FileId;
export const nonceOf = (originId: string): Nonce => originId as Nonce;
