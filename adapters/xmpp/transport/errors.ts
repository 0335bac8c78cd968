import StreamError from '@xmpp/connection/lib/StreamError.js';
import StanzaError from '@xmpp/middleware/lib/StanzaError.js';
import SASLError from '@xmpp/sasl/lib/SASLError.js';
import type { Element } from '@xmpp/xml';
import { AdapterError, type ErrorCode } from '../../errors.ts';

/** RFC 6120 section 8.3.3. */
const STANZA: Readonly<Record<string, ErrorCode>> = {
  conflict: 'refused',
  'feature-not-implemented': 'unsupported',
  forbidden: 'refused',
  gone: 'not-found',
  'internal-server-error': 'unreachable',
  'item-not-found': 'not-found',
  'jid-malformed': 'bad-data',
  'not-acceptable': 'refused',
  'not-allowed': 'refused',
  'not-authorized': 'refused',
  'payment-required': 'refused',
  'policy-violation': 'refused',
  'recipient-unavailable': 'not-found',
  redirect: 'not-found',
  'registration-required': 'refused',
  'remote-server-not-found': 'host-unknown',
  'remote-server-timeout': 'unreachable',
  'resource-constraint': 'rate-limited',
  'service-unavailable': 'unsupported',
  'subscription-required': 'refused',
};

/** RFC 6120 section 4.9.3. */
const STREAM: Readonly<Record<string, ErrorCode>> = {
  conflict: 'refused',
  'connection-timeout': 'unreachable',
  'host-gone': 'unreachable',
  'host-unknown': 'host-unknown',
  'internal-server-error': 'unreachable',
  'not-authorized': 'auth',
  'policy-violation': 'refused',
  'remote-connection-failed': 'unreachable',
  reset: 'unreachable',
  'resource-constraint': 'rate-limited',
  // Followed nowhere: a redirect before TLS is anyone's, and after it rarer than its abuse.
  'see-other-host': 'unsupported',
  'system-shutdown': 'unreachable',
};

/** RFC 6120 section 6.5. */
const SASL: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  aborted: ['unreachable', 'the server broke off the sign-in'],
  'account-disabled': ['auth', 'the account is disabled'],
  'credentials-expired': ['auth', 'the password has expired'],
  'not-authorized': ['auth', 'the server refused the name or the password'],
  'temporary-auth-failure': ['unreachable', 'the server cannot check passwords for now'],
};

/**
 * The stanza's `<error/>` in plain words; the cause is a StanzaError with the condition and the type. A service that
 * answers `service-unavailable` lacks the ability; one that answers a message so does not know the recipient.
 */
export function stanzaError(stanza: Element): AdapterError {
  const error = stanza.getChild('error');
  if (!error || error.getChildElements().length === 0) {
    return new AdapterError('refused', 'the server reported an error without saying which');
  }
  const cause = StanzaError.fromElement(error);
  const known = Object.hasOwn(STANZA, cause.condition) ? STANZA[cause.condition] : undefined;
  const lacks = cause.condition === 'service-unavailable' && stanza.name !== 'iq';
  const text = cause.text ? `${spoken(cause.condition)}: ${cause.text}` : spoken(cause.condition);
  return new AdapterError(lacks ? 'not-found' : (known ?? 'protocol'), text, { cause });
}

export function streamError(element: Element): AdapterError {
  if (element.getChildElements().length === 0) {
    return new AdapterError('protocol', 'the server ended the stream without saying why');
  }
  const cause = StreamError.fromElement(element);
  const known = Object.hasOwn(STREAM, cause.condition) ? STREAM[cause.condition] : undefined;
  const text = `the server ended the stream: ${spoken(cause.condition)}${cause.text ? ` (${cause.text})` : ''}`;
  return new AdapterError(known ?? 'protocol', text, { cause });
}

export function saslError(element: Element): AdapterError {
  if (element.getChildElements().length === 0) return new AdapterError('auth', 'the server refused the sign-in');
  const cause = SASLError.fromElement(element);
  const known = Object.hasOwn(SASL, cause.condition) ? SASL[cause.condition] : undefined;
  const [code, words] = known ?? ['auth', `the server refused the sign-in: ${spoken(cause.condition)}`];
  return new AdapterError(code, cause.text ? `${words} (${cause.text})` : words, { cause });
}

function spoken(condition: string): string {
  return condition.replaceAll('-', ' ');
}
