import { isIP } from 'node:net';
import type { About } from '../contract.ts';
import { asAdapterError } from '../errors.ts';
import { parseAddress } from './jid.ts';
import type { StreamSettings, TlsPolicy } from './transport/stream.ts';

/** Settings of one XMPP account; the password is a secret and not among them. */
export interface XmppSettings extends StreamSettings {
  /** Name in rooms; else the part of the address before the @. */
  readonly nick?: string;
}

export const about: About = {
  title: 'XMPP (Jabber)',
  addressExample: 'alice@example.org',
  fields: [
    { key: 'jid', label: 'Address', hint: 'alice@example.org' },
    { key: 'password', label: 'Password', secret: true },
    { key: 'server', label: 'Server', optional: true, hint: 'host:port; by default what DNS says' },
    { key: 'tls', label: 'TLS', optional: true, choices: ['auto', 'starttls', 'direct', 'none'], preset: 'auto' },
    { key: 'ca', label: 'Authorities (PEM file)', optional: true },
    { key: 'resource', label: 'Resource', optional: true },
    { key: 'proxy', label: 'Proxy', optional: true, hint: 'socks5://host:port' },
    { key: 'nick', label: 'Name in rooms', optional: true },
  ],
  can: [
    'contacts with groups, presence and requests',
    'one-to-one chats with receipts, read markers and typing',
    'rooms, bookmarks, invitations and private messages in rooms',
    'edits, retractions, reactions and replies',
    'history from the server, messages of your other devices',
    'files over HTTP upload, profiles, blocking, people search',
  ],
  cannot: ['end-to-end encryption (OMEMO)', 'calls'],
};

const policies: readonly string[] = ['auto', 'starttls', 'direct', 'none'] satisfies readonly TlsPolicy[];
const isPolicy = (text: string): text is TlsPolicy => policies.includes(text);

/** @throws Error that says which setting is wrong and how it should look. */
export function parseSettings(raw: unknown): XmppSettings {
  const read = (key: string): string | undefined => {
    const value: unknown = typeof raw === 'object' && raw !== null ? Reflect.get(raw, key) : undefined;
    if (value === undefined || value === '') return undefined;
    if (typeof value !== 'string') throw new Error(`${key} must be text`);
    return value;
  };
  const jid = parseOwn(read('jid') ?? missing('jid', 'alice@example.org'));
  if (!jid.includes('@')) throw new Error(`jid: "${jid}" lacks the part before the @, as in alice@example.org`);
  const slash = jid.indexOf('/');
  const tls = read('tls') ?? 'auto';
  if (!isPolicy(tls)) throw new Error(`tls: "${tls}" is none of ${policies.join(', ')}`);
  const server = parseServer(read('server'));
  if (tls === 'none' && !isLoopback(server?.host ?? '')) {
    throw new Error('tls: none is allowed only with a loopback address as server, for example 127.0.0.1:5222');
  }
  const settings = {
    jid: slash < 0 ? jid : jid.slice(0, slash),
    server,
    tls,
    ca: read('ca'),
    resource: read('resource') ?? (slash < 0 ? undefined : jid.slice(slash + 1)),
    proxy: parseProxy(read('proxy')),
    nick: read('nick'),
  };
  return withoutUndefined(settings);
}

function parseOwn(text: string): string {
  try {
    return parseAddress(text);
  } catch (error) {
    throw new Error(`jid: ${asAdapterError(error).message}`, { cause: error });
  }
}

type Given<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

function withoutUndefined<T extends object>(all: T): Given<T> {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Given<T>;
}

function missing(key: string, example: string): never {
  throw new Error(`${key} is missing, for example ${example}`);
}

function parseServer(text: string | undefined): { host: string; port: number } | undefined {
  if (text === undefined) return undefined;
  const [, host = '', port = ''] = /^\[?([^\]\s]+?)\]?:(\d+)$/.exec(text) ?? [];
  if (!host || Number(port) < 1 || Number(port) > 65_535) {
    throw new Error(`server: "${text}" is not host:port, as in xmpp.example.org:5222`);
  }
  return { host, port: Number(port) };
}

function parseProxy(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (!/^(socks5|http):\/\/[^\s/]+:\d+\/?$/.test(text)) {
    throw new Error('proxy: must be socks5://host:port or http://host:port');
  }
  return text;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
