import { StringDecoder } from 'node:string_decoder';
import { EventEmitter } from '@xmpp/events';
import { Element } from '@xmpp/xml';
import { AdapterError } from '../../errors.ts';
import { type Tokens, WireError, xmlTokens } from './tokens.ts';

/** What one stanza may cost: bytes on the wire (to within one chunk) and elements in it. */
export interface StanzaLimits {
  readonly bytes: number;
  readonly elements: number;
}

/** RFC 6120 section 13.12 asks for at least 10,000 bytes. */
export const STANZA_LIMITS: StanzaLimits = { bytes: 1024 * 1024, elements: 10_000 };
/** For the reply to a request of ours: a roster of 100,000 contacts comes as one stanza. */
export const REPLY_LIMITS: StanzaLimits = { bytes: 64 * 1024 * 1024, elements: 1_000_000 };
const DEPTH_LIMIT = 100;
/** A chunk this long is parsed in one go; longer ones in slices, so that the limits act in between. */
const SLICE = 64 * 1024;

/**
 * Parses an XMPP stream strictly (RFC 6120 section 11): no DTD, comment, processing instruction or entity of its own,
 * and bounded in memory. Takes the place of the parser of @xmpp/xml with the same events: `start` (root element),
 * `element` (child of the root), `end`, `error` (WireError); after `error` or `stop` it is silent and holds nothing.
 */
export class StreamParser extends EventEmitter {
  /** Given the head of a child of the root. */
  limitsFor: (head: Element) => StanzaLimits = () => STANZA_LIMITS;
  #decoder = new StringDecoder('utf8');
  #tokens: Tokens | undefined = xmlTokens({
    open: (name, attributes) => this.#open(name, attributes),
    close: (name) => this.#close(name),
    text: (text) => this.#text(text),
  });
  #root: Element | undefined;
  #cursor: Element | undefined;
  #depth = 0;
  #limits = STANZA_LIMITS;
  #bytes = 0;
  #elements = 0;

  /** Never throws, whatever the bytes and whatever a listener does. */
  write(data: Buffer | string): void {
    for (let at = 0; at < data.length && this.#tokens; at += SLICE) {
      const slice = data.slice(at, at + SLICE);
      try {
        this.#bytes += slice.length;
        this.#tokens.write(typeof slice === 'string' ? slice : this.#decoder.write(slice));
        if (this.#bytes > this.#limits.bytes) throw new WireError('policy-violation', 'a stanza is too long');
      } catch (error) {
        const wasOn = this.#tokens !== undefined;
        this.stop();
        if (wasOn) this.emit('error', error);
      }
    }
  }

  /** Forgets everything, also what is left of the chunk being parsed. */
  stop(): void {
    this.#tokens?.stop();
    this.#tokens = undefined;
    this.#root = undefined;
    this.#cursor = undefined;
  }

  #open(name: string, attributes: Record<string, string>): void {
    const element = new Element(name);
    element.attrs = attributes;
    const depth = this.#depth++;
    if (depth === 0) {
      this.#root = element;
      this.#cursor = element;
      this.#begin(STANZA_LIMITS);
      this.emit('start', element);
      return;
    }
    if (depth >= DEPTH_LIMIT) throw new WireError('policy-violation', 'elements are nested too deep');
    if (depth === 1) {
      element.parent = this.#root ?? null;
      this.#limits = this.limitsFor(element);
    } else {
      element.parent = this.#cursor ?? null;
      this.#cursor?.children.push(element);
      if (++this.#elements > this.#limits.elements) throw new WireError('policy-violation', 'a stanza is too large');
    }
    this.#cursor = element;
  }

  #close(name: string): void {
    const element = this.#cursor;
    if (element?.name !== name)
      throw new WireError('not-well-formed', `an end of ${name.slice(0, 40)} that has no begin`);
    this.#depth--;
    if (this.#depth === 0) {
      this.emit('end', element);
      this.stop();
      return;
    }
    this.#cursor = element.parent ?? undefined;
    if (this.#depth > 1) return;
    this.#begin(STANZA_LIMITS);
    this.emit('element', element);
  }

  #text(text: string): void {
    const children = this.#depth > 1 ? this.#cursor?.children : undefined;
    if (!children) {
      if (text.trim() === '') return;
      throw this.#root
        ? new WireError('bad-format', 'text outside of a stanza')
        : new WireError('not-well-formed', 'text where XML begins');
    }
    const last = children.length - 1;
    const before = children[last];
    if (typeof before === 'string') children[last] = before + text;
    else children.push(text);
  }

  #begin(limits: StanzaLimits): void {
    this.#limits = limits;
    this.#bytes = 0;
    this.#elements = 0;
  }
}

/** What XML 1.0 section 2.2 keeps out of a document. */
const FORBIDDEN =
  /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const FORBIDDEN_ALL = new RegExp(FORBIDDEN, 'g');

/** The text without what XML cannot carry. */
export function xmlText(text: string): string {
  return FORBIDDEN.test(text) ? text.replace(FORBIDDEN_ALL, '') : text;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  // Read as they are, a parser turns them into a line feed or a blank (XML 1.0, sections 2.11 and 3.3.3).
  '\r': '&#xD;',
  '\n': '&#xA;',
  '\t': '&#x9;',
};
const escaped = (character: string): string => ESCAPES[character] ?? character;

/** @throws AdapterError `refused` where a text holds what XML cannot carry: the server would close the stream on it. */
export function serialize(element: Element): string {
  const text = write(element);
  const found = FORBIDDEN.exec(text);
  if (found) {
    const code = found[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    throw new AdapterError('refused', `XMPP cannot carry the character U+${code}`);
  }
  return text;
}

function write(element: Element): string {
  let text = `<${element.name}`;
  for (const name in element.attrs) {
    const value = element.attrs[name];
    if (value !== undefined && value !== null) text += ` ${name}="${String(value).replace(/[&<>"'\r\n\t]/g, escaped)}"`;
  }
  if (element.children.length === 0) return `${text}/>`;
  text += '>';
  for (const child of element.children) {
    text += child instanceof Element ? write(child) : String(child).replace(/[&<>\r]/g, escaped);
  }
  return `${text}</${element.name}>`;
}
