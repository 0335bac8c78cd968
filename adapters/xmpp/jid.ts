import { parseJid, tryJid } from './transport/jid.ts';

/** Parts of an address `local@domain/resource`, canonical (RFC 7622) but for the resource. */
export function bare(jid: string): string {
  const slash = jid.indexOf('/');
  return canonical(slash < 0 ? jid : jid.slice(0, slash));
}

export function resource(jid: string): string {
  const slash = jid.indexOf('/');
  return slash < 0 ? '' : jid.slice(slash + 1);
}

export function domain(jid: string): string {
  const address = bare(jid);
  return address.slice(address.indexOf('@') + 1);
}

export function local(jid: string): string {
  const address = bare(jid);
  const at = address.indexOf('@');
  return at < 0 ? '' : address.slice(0, at);
}

/** A full address with its bare part in canonical form. */
export function full(jid: string): string {
  const slash = jid.indexOf('/');
  return slash < 0 ? canonical(jid) : canonical(jid.slice(0, slash)) + jid.slice(slash);
}

// Anything that the canonical form could differ from; the usual address has none of it.
const unusual = /[^!-@[-~]|\.$/;

function canonical(address: string): string {
  return unusual.test(address) ? (tryJid(address)?.bare ?? address) : address;
}

/**
 * What a person wrote as an address, in canonical form; `xmpp:` in front and a query behind (RFC 5122) are allowed.
 * @throws AdapterError `bad-data` that says what is wrong with it.
 */
export function parseAddress(text: string): string {
  const written = text.trim();
  const uri = /^xmpp:([^?#]*)/i.exec(written)?.[1];
  return parseJid(uri === undefined ? written : unescaped(uri)).full;
}

function unescaped(uri: string): string {
  try {
    return decodeURIComponent(uri);
  } catch {
    return uri;
  }
}
