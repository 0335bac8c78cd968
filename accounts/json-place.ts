/** Line and column, both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** What is wrong with a JSON text, and where. JSON.parse tells the place only of some faults, and of no value. */
export class JsonFault extends Error {
  override readonly name = 'JsonFault';
  readonly place: Place;

  constructor(message: string, place: Place) {
    super(message);
    this.place = place;
  }
}

/** Where the value at that path of keys begins; the nearest one above it where there is none. */
export function placeOf(text: string, path: readonly string[]): Place {
  const wanted = new Map(path.map((_, depth) => [path.slice(0, depth + 1).join('\0'), depth + 1]));
  let depth = 0;
  let found = 0;
  try {
    walkJson(text, (at, offset) => {
      const here = wanted.get(at.join('\0')) ?? 0;
      if (here > depth) {
        depth = here;
        found = offset;
      }
    });
  } catch {
    // The walk ended at a fault; what it passed before stands.
  }
  return toPlace(text, found);
}

/** Calls `visit` with the path and offset of each member and element (RFC 8259). @throws JsonFault; also for a key that stands twice. */
export function walkJson(text: string, visit: (path: readonly string[], offset: number) => void): void {
  const end = value(text, space(text, 0), [], visit);
  if (space(text, end) < text.length) throw fault(text, space(text, end), 'something follows the end');
}

type Visit = (path: readonly string[], offset: number) => void;

function value(text: string, at: number, path: readonly string[], visit: Visit): number {
  switch (text[at]) {
    case '{':
      return members(text, at, path, visit);
    case '[':
      return elements(text, at, path, visit);
    case '"':
      return string(text, at);
    default:
      return word(text, at);
  }
}

function members(text: string, open: number, path: readonly string[], visit: Visit): number {
  let at = space(text, open + 1);
  if (text[at] === '}') return at + 1;
  const seen = new Set<string>();
  for (;;) {
    if (text[at] !== '"') throw fault(text, at, 'a key in double quotes is missing');
    const end = string(text, at);
    const key = String(JSON.parse(text.slice(at, end)));
    if (seen.has(key)) throw fault(text, at, `the key "${key}" stands twice`);
    seen.add(key);
    const inner = [...path, key];
    visit(inner, at);
    at = space(text, end);
    if (text[at] !== ':') throw fault(text, at, `a colon is missing after "${key}"`);
    at = space(text, value(text, space(text, at + 1), inner, visit));
    if (text[at] === '}') return at + 1;
    if (text[at] !== ',') throw fault(text, at, 'a comma or } is missing');
    at = space(text, at + 1);
  }
}

function elements(text: string, open: number, path: readonly string[], visit: Visit): number {
  let at = space(text, open + 1);
  if (text[at] === ']') return at + 1;
  for (let index = 0; ; index++) {
    const inner = [...path, String(index)];
    visit(inner, at);
    at = space(text, value(text, at, inner, visit));
    if (text[at] === ']') return at + 1;
    if (text[at] !== ',') throw fault(text, at, 'a comma or ] is missing');
    at = space(text, at + 1);
  }
}

const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const WORD = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;
const SPACE = /[ \t\r\n]*/y;

function string(text: string, at: number): number {
  return (
    match(STRING, text, at) ?? refuse(text, at, 'the string has no end, or a control character or bad escape in it')
  );
}

function word(text: string, at: number): number {
  return (
    match(WORD, text, at) ?? refuse(text, at, at < text.length ? 'this is no JSON value' : 'the text ends too early')
  );
}

function space(text: string, at: number): number {
  return match(SPACE, text, at) ?? at;
}

function match(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

function refuse(text: string, at: number, message: string): never {
  throw fault(text, at, message);
}

function fault(text: string, at: number, message: string): JsonFault {
  return new JsonFault(at < text.length ? message : 'the text ends too early', toPlace(text, at));
}

function toPlace(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}
