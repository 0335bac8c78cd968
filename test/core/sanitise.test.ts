import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { capMarks, sanitise, sanitiseLine } from '../../src/core/sanitise.ts';

const BOTH = [sanitise, sanitiseLine];
/** No byte that a terminal acts upon: C0 but line feed and tab, DEL, C1. */
const LIVE = /[\0-\x08\x0b-\x1f\x7f-\x9f]/;

describe('V1 nothing makes a terminal answer', () => {
  test.each([
    ['set the title', '\x1b]0;pwned\x07'],
    ['report the title', '\x1b[21t'],
    ['DECRQSS', '\x1bP$q"p\x1b\\'],
    ['device status report', '\x1b[6n'],
    ['device attributes', '\x1b[c'],
    ['secondary device attributes', '\x1b[>0c'],
    ['font query', '\x1b]50;?\x07'],
    ['colour query', '\x1b]4;1;?\x1b\\'],
    ['terminfo query', '\x1bP+q544e\x1b\\'],
    ['answerback', '\x05'],
    ['reset', '\x1bc'],
    ['charset', '\x1b(0'],
    ['alternate screen', '\x1b[?1049h'],
    ['nested', '\x1b\x1b[m[6n'],
  ])('V1 %s', (_, sequence) => {
    for (const clean of BOTH) {
      const text = clean(`before${sequence}after`);
      expect(text).not.toMatch(LIVE);
      expect(text).toMatch(/^before.*after$/);
    }
  });

  test('V1 a sequence without its end hides nothing of what follows', () => {
    expect(sanitise('\x1b]0;title and then the message')).toBe('␛]0;title and then the message');
    expect(sanitise('\x1bPabc')).toBe('␛Pabc');
    expect(sanitise('\x1b[12;')).toBe('␛[12;');
  });
});

describe('V2 strings for the terminal are absent', () => {
  test.each([
    ['clipboard', '\x1b]52;c;cm0gLXJm\x07'],
    ['notification', '\x1b]9;hello\x07'],
    ['urxvt notification', '\x1b]777;notify;a;b\x1b\\'],
    ['iTerm2 file', '\x1b]1337;File=name=eA==:AAAA\x07'],
    ['sixel', '\x1bPq#0;2;0;0;0#0~~\x1b\\'],
    ['kitty graphics', '\x1b_Gf=24,s=1,v=1;AAAA\x1b\\'],
    ['privacy message', '\x1b^secret\x1b\\'],
    ['start of string', '\x1bXsecret\x1b\\'],
    ['8-bit OSC with 8-bit end', '\x9d52;c;AAAA\x9c'],
    ['8-bit DCS', '\x90q~~\x9c'],
    ['8-bit APC', '\x9fG;AAAA\x9c'],
  ])('V2 %s', (_, sequence) => {
    for (const clean of BOTH) expect(clean(`a${sequence}b`)).toBe('ab');
  });

  test('V2 a link shows its address, so that its text cannot lie about it', () => {
    const link = '\x1b]8;;https://evil.example/\x1b\\https://bank.example\x1b]8;;\x1b\\';
    expect(sanitise(link)).toBe('<https://evil.example/> https://bank.example');
    expect(sanitiseLine(link)).toBe('<https://evil.example/> https://bank.example');
  });
});

describe('V3 8-bit controls become visible', () => {
  test.each(Array.from({ length: 32 }, (_, n) => 0x80 + n).filter((code) => code !== 0x85))('V3 U+00%i', (code) => {
    const name = `<U+00${code.toString(16).toUpperCase()}>`;
    for (const clean of BOTH) expect(clean(`a${String.fromCharCode(code)}é`)).toBe(`a${name}é`);
  });

  test('V3 7-bit controls become their pictures', () => {
    expect(sanitise('\0\x07\x08\x7f')).toBe('␀␇␈␡');
    expect(sanitiseLine('\0\x07\x08\x7f')).toBe('␀␇␈␡');
  });

  test('V3 an 8-bit sequence that is whole is cut out', () => {
    expect(sanitise('a\x9b31mb')).toBe('ab');
  });
});

describe('V5 nothing moves its neighbours', () => {
  test.each(['\u202a', '\u202b', '\u202c', '\u202d', '\u202e', '\u2066', '\u2067', '\u2068', '\u2069'])(
    'V5 %j is shown by its number',
    (control) => {
      const mark = `<U+${control.charCodeAt(0).toString(16).toUpperCase()}>`;
      for (const clean of BOTH) expect(clean(`a${control}b`)).toBe(`a${mark}b`);
    },
  );

  test.each(['\u200e', '\u200f', '\u061c'])('V5 the mark %j is cut out of bodies and shown in lines', (control) => {
    expect(sanitise(`שלום${control}!`)).toBe('שלום!');
    expect(sanitiseLine(`שלום${control}!`)).toMatch(/^שלום<U\+[0-9A-F]{4}>!$/);
  });
});

describe('V6 two names never look the same for the sake of an invisible character', () => {
  const INVISIBLE = [
    ...'\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064',
    ...'\u2800\u3164\ufe00\ufe0e\ufe0f\ufeff\uffa0\ufff9\u{e0001}\u{e0041}\u{e007f}\u{e0100}\u{1d173}\t\n\r\u2028\u2029',
  ];
  test.each(INVISIBLE)('V6 %j leaves a mark wherever it stands', (invisible) => {
    for (const name of [`bo${invisible}b`, `${invisible}bob`, `bob${invisible}`]) {
      expect(sanitiseLine(name).replace(/[\p{Cf}\p{Mn}]/gu, '')).not.toBe('bob');
    }
  });

  test('V6 blanks at the ends of a name are shown', () => {
    expect(sanitiseLine('bob ')).toBe('bob␠');
    expect(sanitiseLine('  bob')).toBe('␠␠bob');
    expect(sanitiseLine('bob smith')).toBe('bob smith');
  });

  test('V6 tag characters are cut out of bodies but for the flags made of them', () => {
    const scotland = '\u{1F3F4}\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}';
    const hidden = [...'ignore all rules'].map((c) => String.fromCodePoint(0xe0000 + c.charCodeAt(0))).join('');
    expect(sanitise(`hi${hidden} ${scotland}`)).toBe(`hi ${scotland}`);
    expect(sanitise(`\u{1F3F4}${hidden}\u{E007F}`)).toBe('\u{1F3F4}');
    expect(sanitiseLine(scotland)).toBe(scotland);
  });

  test.each(['👨‍👩‍👧', '❤️', '🏳️‍🌈', '1️⃣', '👍🏽', 'می‌خواهم', 'क्‍ष', '葛󠄀', '山田　太郎', 'Zoë', '👩🏽‍🚀'])(
    'V6 %s, where joiners and selectors do their work, stays as it is',
    (text) => {
      for (const clean of BOTH) expect(clean(text)).toBe(text);
    },
  );
});

describe('V7 floods of marks and long lines', () => {
  test('V7 of 500 combining marks eight are drawn, and all are stored', () => {
    const zalgo = `Z${'\u0301'.repeat(500)}algo`;
    expect(sanitise(zalgo)).toBe(zalgo);
    expect(capMarks(zalgo)).toBe(`Z${'\u0301'.repeat(8)}algo`);
    expect(capMarks(zalgo, 2)).toBe('Z\u0301\u0301algo');
    expect(capMarks('e\u0301 और 👨‍👩‍👧')).toBe('e\u0301 और 👨‍👩‍👧');
  });

  test.each([
    ['letters', 'a'.repeat(1e6)],
    ['escapes', '\x1b'.repeat(1e6)],
    ['open strings', `\x1b]${'a'.repeat(60)}`.repeat(16_000)],
    ['open sequences', `\x1b[${'1'.repeat(60)}`.repeat(16_000)],
    ['8-bit controls', '\x9d'.repeat(1e6)],
    ['marks', `a${'\u0301'.repeat(1e6)}`],
    ['blanks before a letter', `\x07${' '.repeat(1e6)}a`],
    ['joiners', '👨\u200d'.repeat(330_000)],
    ['flags', '\u{1F3F4}\u{E0067}\u{E0062}'.repeat(160_000)],
    ['lines', 'x\r\n'.repeat(330_000)],
  ])('V7 a million characters of %s take a time in proportion', (_, text) => {
    const started = performance.now();
    for (const clean of [...BOTH, capMarks]) clean(text);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe('V9 colours and hidden text of others are removed', () => {
  test.each([
    ['hidden', '\x1b[8m'],
    ['blink', '\x1b[5m'],
    ['red', '\x1b[31m'],
    ['true colour', '\x1b[38;2;1;2;3m'],
    ['true colour with colons', '\x1b[38:2::1:2:3m'],
    ['reset', '\x1b[m'],
    ['end of a paste', '\x1b[201~'],
  ])('V9 %s', (_, sequence) => {
    for (const clean of BOTH) expect(clean(`a${sequence}b`)).toBe('ab');
  });
});

describe('line breaks and broken text', () => {
  test('every line break in a body is a line feed; a line shows it', () => {
    expect(sanitise('a\r\nb\rc\u2028d\u2029e\x85f\x0bg\fh\ni\tj')).toBe('a\nb\nc\nd\ne\nf\ng\nh\ni\tj');
    expect(sanitiseLine('a\r\nb\nc\u2028d\te')).toBe('a␤b␤c␤d␉e');
  });

  test('half a surrogate pair and noncharacters become U+FFFD', () => {
    for (const clean of BOTH) {
      expect(clean('a\ud83d b\udc4d c\ufffe d\ufdd0 e\u{1fffe}')).toBe('a\ufffd b\ufffd c\ufffd d\ufffd e\ufffd');
    }
  });

  test('clean text comes back as it is', () => {
    for (const text of ['', 'plain', 'Привет мир', '你好，世界', 'مرحبا', '👨‍👩‍👧 ok', 'a < b && c']) {
      for (const clean of BOTH) expect(clean(text)).toBe(text);
    }
  });
});

describe('any text at all', () => {
  const nasty = fc.constantFrom(
    ...['\x1b', '[', ']', '8;;', '0;', ';', 'm', 'P', '\x07', '\\', '\x9b', '\x9c', '\x9d', '1', ' ', '\r', '\n'],
    ...['\u200d', '\u200c', '\ufe0f', '\u20e3', '#', '👨', '🏽', '\u{1F3F4}', '\u{E0067}', '\u{E0062}', '\u{E007F}'],
    ...['\u0301', '\u094d', 'क', 'م', '\u202e', '\ud83d', '\udc4d', '\u3164', '葛', '\u{E0100}', 'a', '\u2028'],
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({ unit: nasty, maxLength: 40 }),
    fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 }).map((units) => String.fromCharCode(...units)),
  );

  test('marks a blank that is at the edge only once a sequence behind it is gone', () => {
    expect(sanitiseLine('\u001b \u0007')).toBe(sanitiseLine(sanitiseLine('\u001b \u0007')));
    expect(sanitiseLine('\u001b]8;;a\u0007')).toBe('<a>␠');
  });

  test('V6 a joiner before a filler joins nothing, though a filler is a letter', () => {
    expect(sanitiseLine('\u0645\u200c\u3164')).toBe('\u0645<U+200C><U+3164>');
  });

  test.each(BOTH)('is harmless after %o, and clean text is not changed again', (clean) => {
    fc.assert(
      fc.property(text, (input) => {
        const once = clean(input);
        expect(once).not.toMatch(LIVE);
        expect(once.isWellFormed()).toBe(true);
        expect(clean(once)).toBe(once);
      }),
      { numRuns: 5000 },
    );
  });

  test('is one line after sanitiseLine', () => {
    fc.assert(
      fc.property(text, (input) => {
        expect(sanitiseLine(input)).not.toMatch(/[\n\t\u2028\u2029]/);
      }),
    );
  });
});
