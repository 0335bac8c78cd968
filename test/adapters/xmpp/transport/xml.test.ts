import { type Element, Parser, Element as XmlElement, xml } from '@xmpp/xml';
import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { describe, expect, test } from 'vitest';
import type { WireError } from '../../../../adapters/xmpp/transport/tokens.ts';
import { REPLY_LIMITS, StreamParser, serialize, xmlText } from '../../../../adapters/xmpp/transport/xml.ts';
import { refusal } from './open.ts';

const HEAD =
  "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";

interface Parsed {
  readonly parser: StreamParser;
  readonly elements: Element[];
  readonly errors: WireError[];
}

function parsing(...chunks: readonly (Buffer | string)[]): Parsed {
  const parser = new StreamParser();
  const elements: Element[] = [];
  const errors: WireError[] = [];
  parser.on('element', (element: Element) => elements.push(element));
  parser.on('error', (error: WireError) => errors.push(error));
  for (const chunk of chunks) parser.write(chunk);
  return { parser, elements, errors };
}

/** The message as saxes reads it, or undefined where it finds a fault. */
function withSaxes(text: string): string | undefined {
  const parser = new SaxesParser({ position: false });
  const stack: Element[] = [];
  let root: Element | undefined;
  let fault = false;
  const add = (piece: string): void => {
    const children = stack.at(-1)?.children;
    const before = children?.at(-1);
    if (children && typeof before === 'string') children[children.length - 1] = before + piece;
    else if (piece !== '') children?.push(piece);
  };
  parser.on('error', () => {
    fault = true;
  });
  parser.on('opentag', ({ name, attributes }) => {
    const element = new XmlElement(
      name,
      Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, String(value)])),
    );
    stack.at(-1)?.children.push(element);
    root ??= element;
    stack.push(element);
  });
  parser.on('closetag', () => stack.pop());
  parser.on('text', add);
  parser.on('cdata', add);
  try {
    parser.write(text).close();
  } catch {
    return undefined;
  }
  return fault ? undefined : root?.toString();
}

const bodies = (elements: readonly Element[]): (string | null)[] =>
  elements.map((element) => element.getChildText('body'));

describe('the parser', () => {
  const body = 'ä€😀 שלום привет नमस्ते 你好 👩‍👩‍👧';

  test('X20 L1 a stanza cut at any byte gives the same text', () => {
    const bytes = Buffer.from(`${HEAD}<message id='é😀'><body>${body}</body></message>`);
    for (let at = 0; at <= bytes.length; at++) {
      const { elements, errors } = parsing(bytes.subarray(0, at), bytes.subarray(at));
      expect(errors).toEqual([]);
      expect(bodies(elements)).toEqual([body]);
      expect(elements[0]?.attrs.id).toBe('é😀');
    }
  });

  test('X20 L1 a stanza in single bytes gives the same text', () => {
    const bytes = Buffer.from(`${HEAD}<message><body>${body}</body></message>`);
    const { elements } = parsing(...Array.from(bytes, (byte) => Buffer.from([byte])));
    expect(bodies(elements)).toEqual([body]);
  });

  test('knows namespaces by the stream header, prefixes and own declarations', () => {
    const { elements } = parsing(`${HEAD}<message><x xmlns='urn:x'/></message><stream:features/>`);
    expect(elements[0]?.is('message', 'jabber:client')).toBe(true);
    expect(elements[0]?.getChild('x', 'urn:x')).toBeDefined();
    expect(elements[1]?.is('features', 'http://etherx.jabber.org/streams')).toBe(true);
  });

  test('takes the entities of XML, character references and CDATA', () => {
    const { elements } = parsing(`${HEAD}<message><body>&lt;&#x1F600;&amp;<![CDATA[<raw>]]>&quot;</body></message>`);
    expect(bodies(elements)).toEqual(['<😀&<raw>"']);
  });

  test.each([
    ['a document type before the root', "<!DOCTYPE x [<!ENTITY a 'b'>]><stream:stream>", 'restricted-xml'],
    ['a comment', `${HEAD}<!-- hello -->`, 'restricted-xml'],
    ['a comment in a stanza', `${HEAD}<message><!-- hello --></message>`, 'restricted-xml'],
    ['a processing instruction', `${HEAD}<?php echo ?>`, 'restricted-xml'],
    ['an entity of its own', `${HEAD}<message>&foo;</message>`, 'not-well-formed'],
    ['a reference to NUL', `${HEAD}<message>&#0;</message>`, 'not-well-formed'],
    ['a reference to a surrogate', `${HEAD}<message>&#xD800;</message>`, 'not-well-formed'],
    ['the same attribute twice (L13)', `${HEAD}<message from='a@b' from='c@d'/>`, 'not-well-formed'],
    ['an attribute without quotes', `${HEAD}<message from=a/>`, 'not-well-formed'],
    ['a stray end', `${HEAD}</message>`, 'not-well-formed'],
    ['an end by another name', `${HEAD}<message><body>hi</body></iq>`, 'not-well-formed'],
    ['the end of the stream within a stanza', `${HEAD}<message><body>hi</body></stream:stream>`, 'not-well-formed'],
    ['crossed elements', `${HEAD}<message><a><b></a></b></message>`, 'not-well-formed'],
    ['a raw control character', `${HEAD}<message>\x01</message>`, 'not-well-formed'],
    ['a document type in a stanza', `${HEAD}<message><!DOCTYPE x></message>`, 'restricted-xml'],
    ['a second root', `${HEAD}</stream:stream><stream:stream>`, undefined],
    ['text between stanzas', `${HEAD}hello`, undefined],
    ['no XML at all', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'not-well-formed'],
    ['another encoding', "<?xml version='1.0' encoding='utf-16'?><stream:stream>", 'unsupported-encoding'],
  ])('X7 L2 %s ends the stream, throws nothing and gives no stanza', (_what, text, condition) => {
    const { elements, errors, parser } = parsing(text);
    parser.write(`${HEAD}<message/>`);
    expect(elements).toEqual([]);
    if (condition !== undefined) expect(errors.map((error) => error.condition)).toEqual([condition]);
  });

  test('X7 text between stanzas that is no blank ends the stream', () => {
    const { errors } = parsing(`${HEAD} \n hello <message/>`);
    expect(errors.map((error) => error.condition)).toEqual(['bad-format']);
  });

  test('X7 200,000 nested elements end the stream in little memory', () => {
    const before = process.memoryUsage().rss;
    const { elements, errors } = parsing(HEAD + '<a>'.repeat(200_000));
    expect(errors.map((error) => error.condition)).toEqual(['policy-violation']);
    expect(elements).toEqual([]);
    expect(process.memoryUsage().rss - before).toBeLessThan(20e6);
  });

  test('X7 a throw in a listener ends the stream and does not leave the parser', () => {
    const { parser, errors } = parsing(HEAD);
    parser.on('element', () => {
      throw new Error('listener');
    });
    parser.write('<message/><message/>');
    expect(errors.map((error) => error.message)).toEqual(['listener']);
  });

  test('X8 a stanza without end is given up at 1 MiB', () => {
    const { parser, errors } = parsing(`${HEAD}<message><body>`);
    const chunk = Buffer.alloc(16 * 1024, 'x');
    let chunks = 0;
    while (errors.length === 0 && chunks < 1_000) {
      parser.write(chunk);
      chunks++;
    }
    expect(errors.map((error) => error.condition)).toEqual(['policy-violation']);
    expect(chunks * chunk.length).toBeLessThanOrEqual(1024 * 1024 + 2 * chunk.length);
  });

  test.each([
    ['an attribute', "<message from='"],
    ['a name', '<'],
    ['a CDATA section', '<message><![CDATA['],
    ['an end', '<message></'],
    ['an attribute with no quotes', '<message from'],
    ['a header', ''],
  ])('X8 %s without end is given up at 1 MiB', (_what, start) => {
    const { parser, errors } = parsing(start === '' ? '<stream:stream a="' : HEAD + start);
    for (let at = 0; at < 70 && errors.length === 0; at++) parser.write('x'.repeat(16 * 1024));
    expect(errors.map((error) => error.condition)).toEqual(['policy-violation']);
  });

  test('X8 a tag that comes byte by byte costs no more than its length', () => {
    const { parser, errors } = parsing(HEAD);
    const started = process.cpuUsage();
    for (const character of `<message a='${'x'.repeat(200_000)}'/>`) parser.write(character);
    const { user, system } = process.cpuUsage(started);
    expect(errors).toEqual([]);
    expect((user + system) / 1000).toBeLessThan(1_000);
  });

  test('X8 many small elements in one stanza are given up', () => {
    const { errors } = parsing(`${HEAD}<message>${'<a/>'.repeat(10_001)}</message>`);
    expect(errors.map((error) => error.condition)).toEqual(['policy-violation']);
  });

  test('X8 many stanzas together may be longer than one', () => {
    const { elements, errors } = parsing(HEAD + `<message><body>${'x'.repeat(100_000)}</body></message>`.repeat(30));
    expect(errors).toEqual([]);
    expect(elements).toHaveLength(30);
  });

  test('X8 a reply that is waited for may be longer than what nobody asked for', () => {
    const { parser, elements, errors } = parsing();
    parser.limitsFor = () => REPLY_LIMITS;
    const items = "<item jid='contact@example.org' name='A contact'/>".repeat(50_000);
    parser.write(`${HEAD}<iq type='result'><query>${items}</query></iq>`);
    expect(errors).toEqual([]);
    expect(elements[0]?.getChild('query')?.children).toHaveLength(50_000);
  });

  test('reads nothing more once stopped, not even the rest of its chunk (L4)', () => {
    const { parser, elements, errors } = parsing(HEAD);
    parser.on('element', () => parser.stop());
    parser.write("<proceed/><message id='smuggled'/><<<");
    expect(elements.map(({ name }) => name)).toEqual(['proceed']);
    expect(errors).toEqual([]);
  });

  test('X7 X19 gives what a known strict parser gives, or an error where that finds one', () => {
    const pieces = fc.constantFrom(
      ...[
        '<',
        '>',
        '/',
        '&',
        ';',
        "'",
        '"',
        '=',
        ']',
        ' ',
        '\n',
        '\r',
        'a',
        '9',
        'é',
        '😀',
        ':',
        '<a>',
        '</a>',
        '<b/>',
      ],
      ...[
        '&lt;',
        '&#x41;',
        '&#0;',
        '&#xFFFE;',
        '&x;',
        '<![CDATA[',
        ']]>',
        "<b c='d'>",
        '</b >',
        '<a e = \'f&amp;g\' h="i\tj"/>',
      ],
      ...[
        "<a k='1' k='2'/>",
        "<a l='<'/>",
        '\0',
        '\x7f',
        '\ufffe',
        '<m:n o:p="q"/>',
        '<_/>',
        '<-/>',
        "<a b='c'd='e'/>",
      ],
    );
    let wellFormed = 0;
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = `<message>${parts.join('')}</message>`;
        const mine = parsing(Buffer.from(HEAD + text));
        const known = withSaxes(text);
        if (known !== undefined) wellFormed++;
        expect(mine.errors.length === 0 && mine.elements.length === 1 ? mine.elements[0]?.toString() : undefined).toBe(
          known,
        );
      }),
      { numRuns: 20_000 },
    );
    expect(wellFormed).toBeGreaterThan(500);
  });

  test('X19 whatever the bytes and the cuts, nothing is thrown and the cuts change nothing', () => {
    const pieces = fc.constantFrom(
      ...['<', '>', '/', '&', ';', "'", '"', '=', '!', '?', '[', ']', '-', ' ', 'a', 'é', '😀', '<a>', '</a>', '<a/>'],
      ...['&lt;', '&#x41;', '<![CDATA[', ']]>', '<!--', '-->', '<?x ?>', "<b c='d'>", '</b>', '</stream:stream>', '\0'],
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), fc.array(fc.nat(), { maxLength: 6 }), (parts, cuts) => {
        const bytes = Buffer.from(HEAD + parts.join(''));
        const whole = parsing(bytes);
        const places = cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b);
        const chunks = [...places, bytes.length].map((end, at) => bytes.subarray(places[at - 1] ?? 0, end));
        const cut = parsing(...chunks);
        expect(cut.elements.map(String)).toEqual(whole.elements.map(String));
        expect(cut.errors.length).toBe(whole.errors.length);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the writer', () => {
  test('X20 what it writes is read back the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (raw) => {
        const text = xmlText(raw);
        const written = serialize(xml('message', { id: text }, xml('body', {}, text || 'x')));
        const { elements, errors } = parsing(HEAD + written);
        expect(errors).toEqual([]);
        expect(elements[0]?.attrs.id).toBe(text);
        expect(bodies(elements)).toEqual([text || 'x']);
      }),
    );
  });

  test('writes elements as the library does where there is nothing to escape', () => {
    const element = xml('iq', { type: 'get', id: '1' }, xml('query', { xmlns: 'jabber:iq:roster' }), 'text');
    expect(serialize(element)).toBe(element.toString());
    const again = new Parser();
    const read: Element[] = [];
    again.on('element', (child) => read.push(child));
    again.write(`${HEAD}${serialize(element)}`);
    expect(read.map(String)).toEqual([element.toString()]);
  });

  test.each([
    ['NUL', '\0'],
    ['ESC', '\x1b[31m'],
    ['U+FFFE', '\ufffe'],
    ['U+FFFF', 'a\uffff'],
    ['half of a pair', 'a\ud83d'],
    ['the other half', '\ude00b'],
  ])('L11 %s is refused, in a body and in an attribute, or taken out on demand', async (_what, text) => {
    await refusal((async () => serialize(xml('message', {}, xml('body', {}, text))))(), 'refused');
    await refusal((async () => serialize(xml('message', { id: text })))(), 'refused');
    expect(() => serialize(xml('message', { id: xmlText(text) }, xmlText(text)))).not.toThrow();
  });

  test('keeps line ends and tabs that a parser would change', () => {
    const text = 'a\r\nb\tc\rd';
    const { elements } = parsing(HEAD + serialize(xml('message', { id: text }, xml('body', {}, text))));
    expect(elements[0]?.attrs.id).toBe(text);
    expect(bodies(elements)).toEqual([text]);
  });
});
