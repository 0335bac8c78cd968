import { isIP } from 'node:net';
import { domainToASCII, domainToUnicode } from 'node:url';
import { parse } from '@xmpp/jid';
import { AdapterError } from '../../errors.ts';

/** A JID in canonical form (RFC 7622): two are the same address if and only if their texts are equal. */
export interface Jid {
  readonly local: string;
  readonly domain: string;
  readonly resource: string;
  readonly bare: string;
  /** The bare JID where there is no resource. */
  readonly full: string;
}

const PART_BYTES = 1023;
/** RFC 7622 section 3.3.1. */
const LOCAL_NEVER = /["&'/:<>@]/;
const ASCII_PRINTABLE = /^[\x21-\x7e]$/;
/** RFC 8264 section 4.2: LetterDigits. */
const LETTER_DIGIT = /^[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}]$/u;
/** RFC 5892 section 2.6, those it allows. */
const ALLOWED = new Set('\u00df\u03c2\u06fd\u06fe\u0f0b\u3007');
/** RFC 5892 section 2.6, those it forbids, and Hangul jamo, which only old spellings use. */
const FORBIDDEN_LETTER = /[\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb]/;
const IGNORABLE = /[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/u;
const UNUSABLE = /[\p{Cc}\p{Cs}\p{Cn}]/u;
/** Wide and narrow forms become the plain ones (RFC 8265 section 3.3.1). */
const WIDTH_FORMS = /[\uff01-\uffef\u3000]/g;

const known = new Map<string, Jid>();
const KNOWN_LIMIT = 10_000;

/** @throws AdapterError `bad-data` for what is no JID. */
export function parseJid(text: string): Jid {
  const found = known.get(text);
  if (found) return found;
  const jid = canonical(text);
  if (known.size >= KNOWN_LIMIT) known.clear();
  known.set(text, jid);
  return jid;
}

export function tryJid(text: string | undefined): Jid | undefined {
  if (text === undefined) return undefined;
  try {
    return parseJid(text);
  } catch {
    return undefined;
  }
}

/** The domain as DNS and certificates have it: A-labels, no trailing dot. */
export function asciiDomain(domain: string): string {
  return isIP(domain.replace(/^\[|\]$/g, '')) ? domain.replace(/^\[|\]$/g, '') : domainToASCII(domain);
}

function canonical(text: string): Jid {
  // Longer than any JID can be; the library splits at the first `/` and the first `@` before it, as RFC 7622 3.1 says.
  if (text.length > 3 * PART_BYTES + 2) throw invalid(text, 'it is too long');
  const slash = text.indexOf('/');
  if (slash === text.length - 1 && slash !== -1) throw invalid(text, 'nothing follows the "/"');
  const at = text.slice(0, slash === -1 ? undefined : slash).indexOf('@');
  if (at === 0) throw invalid(text, 'nothing stands before the "@"');
  // The library escapes (XEP-0106) where it sees fit, so its parts are taken only where they say what was written.
  const raw = at === -1 ? '' : text.slice(0, at);
  const parsed = split(text);
  const local = raw === '' ? '' : localPart(text, raw);
  const domain = domainPart(text, parsed.domain);
  const resource = slash === -1 ? '' : resourcePart(text, parsed.resource);
  const bare = local === '' ? domain : `${local}@${domain}`;
  return { local, domain, resource, bare, full: resource === '' ? bare : `${bare}/${resource}` };
}

function split(text: string): { readonly domain: string; readonly resource: string } {
  try {
    return parse(text);
  } catch {
    throw invalid(text, 'it has no domain');
  }
}

/** UsernameCaseMapped (RFC 8265 section 3.3) less what RFC 7622 section 3.3.1 forbids on top. */
function localPart(text: string, raw: string): string {
  const local = raw
    .replace(WIDTH_FORMS, (form) => form.normalize('NFKC'))
    .toLowerCase()
    .normalize('NFC');
  const never = LOCAL_NEVER.exec(local);
  if (never) throw invalid(text, `"${never[0]}" cannot stand before the "@"`);
  for (const character of local) {
    if (!isIdentifier(character)) throw invalid(text, `${codePoint(character)} cannot stand before the "@"`);
  }
  return bounded(text, local);
}

/** IdentifierClass of RFC 8264 section 4.2. */
function isIdentifier(character: string): boolean {
  if (ASCII_PRINTABLE.test(character) || ALLOWED.has(character)) return true;
  if (!LETTER_DIGIT.test(character) || FORBIDDEN_LETTER.test(character) || IGNORABLE.test(character)) return false;
  return character.normalize('NFKC') === character || character.normalize('NFC') !== character;
}

/** RFC 7622 section 3.2: IDNA, with labels in their Unicode form; an IP literal as it is. */
function domainPart(text: string, raw: string): string {
  const domain = raw.endsWith('.') ? raw.slice(0, -1) : raw;
  if (isIP(domain) === 4 || (/^\[.*\]$/.test(domain) && isIP(domain.slice(1, -1)) === 6)) return domain.toLowerCase();
  if (domain === '' || domain.endsWith('.')) throw invalid(text, 'it has no domain');
  // domainToASCII reads on past what ends a host in a URL, and drops blanks and tabs.
  if (/[\s\p{Cc}\p{Cs}/?#@:\\%[\]]/u.test(domain)) throw invalid(text, 'its domain holds a character that none may');
  const ascii = domainToASCII(domain);
  // Digits alone are read as an IPv4 address, which is then not what was written.
  if (ascii === '' || ascii.length > 253 || isIP(ascii) !== 0) throw invalid(text, 'its domain is none');
  if (ascii.split('.').some((label) => !/^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))) {
    throw invalid(text, 'its domain is none');
  }
  return bounded(text, domainToUnicode(ascii).normalize('NFC'));
}

/** OpaqueString (RFC 8265 section 4.2). */
function resourcePart(text: string, raw: string): string {
  const resource = raw.replace(/\p{Zs}/gu, ' ').normalize('NFC');
  const never = UNUSABLE.exec(resource);
  if (never) throw invalid(text, `${codePoint(never[0])} cannot stand in the resource`);
  return bounded(text, resource);
}

function bounded(text: string, part: string): string {
  if (Buffer.byteLength(part) > PART_BYTES) throw invalid(text, 'a part of it is too long');
  return part;
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

function invalid(text: string, why: string): AdapterError {
  return new AdapterError('bad-data', `"${text.slice(0, 80)}" is no XMPP address: ${why}`);
}
