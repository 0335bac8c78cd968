/** `condition`: the stream error of RFC 6120 section 4.9.3 that the fault deserves. */
export class WireError extends Error {
  readonly condition: string;
  constructor(condition: string, text: string) {
    super(text);
    this.condition = condition;
  }
}

export interface TokenSink {
  open(name: string, attributes: Record<string, string>): void;
  close(name: string): void;
  /** A run of text may come in pieces. */
  text(text: string): void;
}

/** A tag, or a CDATA section, may be this long (UTF-16 units): it is looked at again with each `>` that comes. */
const TOKEN_LIMIT = 256 * 1024;

/** XML 1.0 section 2.3. */
const START =
  ':A-Z_a-z\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u02ff\\u0370-\\u037d\\u037f-\\u1fff\\u200c\\u200d\\u2070-\\u218f' +
  '\\u2c00-\\u2fef\\u3001-\\ud7ff\\uf900-\\ufdcf\\ufdf0-\\ufffd\\u{10000}-\\u{effff}';
const NAME = `[${START}][${START}\\-.0-9\\u00b7\\u0300-\\u036f\\u203f\\u2040]*`;
const OPEN = new RegExp(`<(${NAME})`, 'uy');
const ATTRIBUTE = new RegExp(`[ \\t\\n]+(${NAME})[ \\t\\n]*=[ \\t\\n]*(?:"([^"<]*)"|'([^'<]*)')`, 'uy');
const OPEN_END = /[ \t\n]*(\/?)>/y;
const CLOSE = new RegExp(`</(${NAME})[ \\t\\n]*>`, 'uy');
const DECLARATION = /<\?xml[ \t\n][^?]*\?>/y;
/** What XML 1.0 section 2.2 keeps out of a document; half of a surrogate pair cannot come out of UTF-8. */
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;
const REFERENCE = /&(?:(amp|lt|gt|quot|apos)|#([0-9]{1,7})|#x([0-9a-fA-F]{1,6}));|&/g;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const CDATA = '<![CDATA[';

/**
 * Cuts what RFC 6120 section 11 leaves of XML into tags and text, whatever the cuts of what is written. Whether tags
 * match is the sink's to see. `write` throws WireError; then nothing more may be written.
 */
export interface Tokens {
  write(text: string): void;
  /** Nothing more is told, not even of the text being cut. */
  stop(): void;
}

export function xmlTokens(sink: TokenSink): Tokens {
  let rest = '';
  let at = 0;
  let atStart = true;
  let afterReturn = false;
  let stopped = false;
  /** The token that `at` stands on wants a `>`; what comes before that is only kept, not joined again and again. */
  let waiting = false;
  let held: string[] = [];
  let heldLength = 0;

  const malformed = (what: string): WireError => new WireError('not-well-formed', what);

  const textUpTo = (end: number): void => {
    const text = rest.slice(at, end);
    at = end;
    if (text.includes(']]>')) throw malformed('"]]>" in text');
    sink.text(expand(text));
  };

  /** Text without an end yet: all of it but what may be a reference or a "]]>" cut in two. */
  const openText = (): void => {
    let end = rest.length;
    const reference = rest.lastIndexOf('&');
    if (reference >= at && !rest.includes(';', reference)) {
      if (end - reference > 16) throw malformed('"&" in text');
      end = reference;
    }
    while (end > at && end > rest.length - 2 && rest[end - 1] === ']') end--;
    if (end > at) textUpTo(end);
  };

  const wait = (): false => {
    waiting = true;
    return false;
  };

  /** False where the tag does not end yet. */
  const openTag = (): boolean => {
    if (!rest.includes('>', at)) return wait();
    OPEN.lastIndex = at;
    const name = OPEN.exec(rest)?.[1];
    if (name === undefined) throw malformed('a tag without a name');
    // No prototype: an attribute may be called `__proto__`.
    const attributes: Record<string, string> = Object.create(null);
    let end = OPEN.lastIndex;
    for (;;) {
      ATTRIBUTE.lastIndex = end;
      const found = ATTRIBUTE.exec(rest);
      if (!found) break;
      const key = found[1] ?? '';
      if (attributes[key] !== undefined) throw malformed(`the attribute ${key} twice`);
      attributes[key] = unescapeAttribute(found[2] ?? found[3] ?? '');
      end = ATTRIBUTE.lastIndex;
    }
    OPEN_END.lastIndex = end;
    const close = OPEN_END.exec(rest);
    if (!close) {
      if (isWhole(rest, end)) throw malformed(`in the tag of ${name.slice(0, 40)}`);
      return wait();
    }
    at = OPEN_END.lastIndex;
    sink.open(name, attributes);
    if (close[1] === '/' && !stopped) sink.close(name);
    return true;
  };

  const closeTag = (): boolean => {
    if (!rest.includes('>', at)) return wait();
    CLOSE.lastIndex = at;
    const name = CLOSE.exec(rest)?.[1];
    if (name === undefined) throw malformed('an end tag that is none');
    at = CLOSE.lastIndex;
    sink.close(name);
    return true;
  };

  const section = (): boolean => {
    if (!rest.startsWith(CDATA, at)) {
      if (rest.length - at < CDATA.length && CDATA.startsWith(rest.slice(at))) return false;
      throw new WireError('restricted-xml', 'a comment or a document type in the stream');
    }
    const end = rest.indexOf(']]>', at);
    if (end === -1) return wait();
    const text = rest.slice(at + CDATA.length, end);
    at = end + 3;
    if (text !== '') sink.text(text);
    return true;
  };

  const declaration = (first: boolean): boolean => {
    DECLARATION.lastIndex = at;
    const found = first ? DECLARATION.exec(rest)?.[0] : undefined;
    if (found === undefined) {
      const head = rest.slice(at, at + 6);
      if (first && !rest.includes('>', at) && (head.length < 6 || /^<\?xml[ \t\n]/.test(head))) return false;
      throw new WireError('restricted-xml', 'a processing instruction in the stream');
    }
    const encoding = /encoding\s*=\s*["']([^"']*)/.exec(found)?.[1];
    if (encoding !== undefined && encoding.toLowerCase() !== 'utf-8') {
      throw new WireError('unsupported-encoding', `encoding ${encoding}`);
    }
    at = DECLARATION.lastIndex;
    return true;
  };

  /** One token; false where it is not all there. */
  const next = (): boolean => {
    if (rest.charCodeAt(at) !== 60) {
      const tag = rest.indexOf('<', at);
      if (tag !== -1) textUpTo(tag);
      else openText();
      return tag !== -1;
    }
    if (at + 1 >= rest.length) return false;
    const first = atStart;
    switch (rest[at + 1]) {
      case '/':
        return closeTag();
      case '!':
        return section();
      case '?':
        return declaration(first);
      default:
        return openTag();
    }
  };

  const cut = (text: string): void => {
    if (waiting && !text.includes('>')) {
      held.push(text);
      heldLength += text.length;
      if (rest.length - at + heldLength > TOKEN_LIMIT) throw new WireError('policy-violation', 'a tag is too long');
      return;
    }
    rest = (at === rest.length ? '' : rest.slice(at)) + (heldLength === 0 ? text : held.join('') + text);
    at = 0;
    waiting = false;
    held = [];
    heldLength = 0;
    while (!stopped && at < rest.length && next()) atStart = false;
    if (rest.length - at > TOKEN_LIMIT) throw new WireError('policy-violation', 'a tag is too long');
  };

  return {
    write(raw) {
      const text = afterReturn && raw.startsWith('\n') ? raw.slice(1) : raw;
      if (raw !== '') afterReturn = raw.endsWith('\r');
      // XML 1.0 section 2.11.
      const lines = text.includes('\r') ? text.replaceAll('\r\n', '\n').replaceAll('\r', '\n') : text;
      const bad = FORBIDDEN.exec(lines);
      cut(bad ? lines.slice(0, bad.index) : lines);
      if (bad && !stopped) throw malformed('a character that XML forbids');
    },
    stop() {
      stopped = true;
    },
  };
}

/** Whether a tag ends, quotes considered, or can never end well. */
function isWhole(text: string, from: number): boolean {
  let at = from;
  for (;;) {
    const found = text.slice(at).search(/["'<>]/);
    if (found === -1) return false;
    at += found;
    const character = text[at] ?? '';
    if (character === '>' || character === '<') return true;
    const end = text.indexOf(character, at + 1);
    const less = text.indexOf('<', at + 1);
    if (less !== -1 && (end === -1 || less < end)) return true;
    if (end === -1) return false;
    at = end + 1;
  }
}

function unescapeAttribute(raw: string): string {
  // XML 1.0 section 3.3.3: blanks written as they are become spaces, those written as references stay.
  return expand(/[\t\n]/.test(raw) ? raw.replace(/[\t\n]/g, ' ') : raw);
}

function expand(raw: string): string {
  if (!raw.includes('&')) return raw;
  return raw.replace(REFERENCE, (whole, name?: string, decimal?: string, hex?: string) => {
    if (name !== undefined) return ENTITIES[name] ?? '';
    const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
    const allowed =
      code === 9 ||
      code === 10 ||
      code === 13 ||
      (code >= 0x20 && code <= 0xd7ff) ||
      (code >= 0xe000 && code <= 0xfffd) ||
      (code >= 0x10000 && code <= 0x10ffff);
    if (!allowed) throw new WireError('not-well-formed', `a reference to nothing: ${whole}`);
    return String.fromCodePoint(code);
  });
}
