import { AdapterError } from '../../errors.ts';

export type Tags = ReadonlyMap<string, string>;

/** One line from the server (https://modern.ircdocs.horse/#message-format). */
export interface IrcLine {
  /** The tags as they came, without `@`; read one with `tag`. */
  readonly rawTags: string;
  /** `nick!user@host` or a server's name; empty where the line has no source. */
  readonly source: string;
  readonly nick: string;
  /** Upper case, or three digits. */
  readonly command: string;
  readonly params: readonly string[];
  /** The line without its tags. */
  readonly untagged: string;
}

/** undefined: the line holds no command. */
export function parseLine(line: string): IrcLine | undefined {
  let at = 0;
  let rawTags = '';
  if (line.startsWith('@')) {
    const end = line.indexOf(' ');
    if (end === -1) return undefined;
    rawTags = line.slice(1, end);
    at = skipSpaces(line, end);
  }
  const untagged = at === 0 ? line : line.slice(at);
  let source = '';
  if (line[at] === ':') {
    const end = line.indexOf(' ', at);
    if (end === -1) return undefined;
    source = line.slice(at + 1, end);
    at = skipSpaces(line, end);
  }
  const end = line.indexOf(' ', at);
  const command = (end === -1 ? line.slice(at) : line.slice(at, end)).toUpperCase();
  if (command === '') return undefined;
  const params = end === -1 ? [] : parseParams(line, skipSpaces(line, end));
  const bang = source.indexOf('!');
  return { rawTags, source, nick: bang === -1 ? source : source.slice(0, bang), command, params, untagged };
}

function parseParams(line: string, from: number): readonly string[] {
  const params: string[] = [];
  for (let at = from; at < line.length; ) {
    if (line[at] === ':') {
      params.push(line.slice(at + 1));
      return params;
    }
    const space = line.indexOf(' ', at);
    if (space === -1) {
      params.push(line.slice(at));
      return params;
    }
    params.push(line.slice(at, space));
    at = skipSpaces(line, space);
  }
  return params;
}

function skipSpaces(line: string, from: number): number {
  let at = from;
  while (line[at] === ' ') at++;
  return at;
}

/** The value of one tag; undefined where it is absent. The last of a repeated tag counts, as the specification says. */
export function tag(line: IrcLine, name: string): string | undefined {
  const raw = line.rawTags;
  if (raw === '') return undefined;
  for (let end = raw.length; end >= 0; ) {
    const start = raw.lastIndexOf(';', end - 1) + 1;
    if (raw.startsWith(name, start) && start + name.length <= end) {
      const after = start + name.length;
      if (after === end) return '';
      if (raw[after] === '=') return unescapeTag(raw.slice(after + 1, end));
    }
    if (start === 0) return undefined;
    end = start - 1;
  }
  return undefined;
}

const UNESCAPED: Readonly<Record<string, string>> = { ':': ';', s: ' ', '\\': '\\', r: '\r', n: '\n' };
const ESCAPED: Readonly<Record<string, string>> = { ';': '\\:', ' ': '\\s', '\\': '\\\\', '\r': '\\r', '\n': '\\n' };

function unescapeTag(value: string): string {
  return value.includes('\\') ? value.replace(/\\(.?)/gs, (_, next: string) => UNESCAPED[next] ?? next) : value;
}

function escapeTag(value: string): string {
  return value.replace(/[; \\\r\n]/g, (found) => ESCAPED[found] ?? '');
}

/**
 * The line to send, without its newline.
 * @throws AdapterError `refused` where a parameter could become a second command or a second parameter.
 */
export function formatLine(command: string, params: readonly string[], tags?: Tags): string {
  const parts: string[] = [];
  if (tags && tags.size > 0) {
    parts.push(`@${[...tags].map(([key, value]) => (value === '' ? key : `${key}=${escapeTag(value)}`)).join(';')}`);
  }
  parts.push(command);
  params.forEach((param, at) => {
    if (at === params.length - 1) parts.push(`:${param}`);
    else if (param === '' || param.startsWith(':') || param.includes(' ')) throw refuse(`"${param}" is not one word`);
    else parts.push(param);
  });
  const line = parts.join(' ');
  checkLine(line);
  return line;
}

/** The one place that every outgoing line passes. @throws AdapterError `refused` on CR, LF or NUL. */
export function checkLine(line: string): void {
  if (/[\r\n\0]/.test(line)) throw refuse('a line feed or NUL cannot be part of an IRC name or command');
}

function refuse(why: string): AdapterError {
  return new AdapterError('refused', why);
}
