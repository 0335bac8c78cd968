import type { Element } from '@xmpp/xml';
import type { ErrorCode } from '../errors.ts';
import { stanzaError } from './transport/errors.ts';
import { elements, NS } from './xml.ts';

export interface StanzaError {
  /** Defined condition (RFC 6120 8.3.3). */
  readonly condition: string;
  readonly code: ErrorCode;
  readonly text: string;
}

/** What a message or presence of type `error` says, in words for a person. */
export function readError(stanza: Element): StanzaError {
  const { code, message } = stanzaError(stanza);
  const error = elements(stanza).find((node) => node.getName() === 'error');
  const parts = error ? elements(error) : [];
  const condition = parts.find((node) => node.getNS() === NS.stanzas && node.getName() !== 'text')?.getName();
  return { condition: condition ?? 'undefined-condition', code, text: words(condition) ?? message };
}

/** Where the bare name of the condition would tell a person little of an undelivered message. */
function words(condition: string | undefined): string | undefined {
  switch (condition) {
    case 'service-unavailable':
    case 'item-not-found':
      return 'nobody receives messages at this address';
    case 'remote-server-not-found':
      return 'the server of this address was not found';
    case 'remote-server-timeout':
      return 'the server of this address does not answer';
    case 'not-acceptable':
      return 'the other side does not accept it';
    case 'forbidden':
    case 'not-allowed':
      return 'this is not permitted';
    default:
      return undefined;
  }
}
