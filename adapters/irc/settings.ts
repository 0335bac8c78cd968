import type { About } from '../contract.ts';
import { presets } from './presets.ts';
import type { Pace } from './transport/pace.ts';
import type { Mechanism } from './transport/sasl.ts';

export interface IrcSettings {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** PEM files. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly nick: string;
  readonly user: string;
  readonly realname: string;
  /** `auto`: sign in by SASL where a password is kept, with the strongest way that the server has. */
  readonly sasl: Mechanism | 'auto' | 'none';
  readonly login: string;
  readonly join: readonly { readonly name: string; readonly key?: string }[];
  /** Internal, for tests: `none`, or `BURST/MS`. */
  readonly pace: Pace | undefined;
}

const SASL_CHOICES = ['auto', 'plain', 'external', 'scram-sha-256', 'none'] as const;
const MECHANISMS: Readonly<Record<string, IrcSettings['sasl']>> = {
  auto: 'auto',
  none: 'none',
  plain: 'PLAIN',
  external: 'EXTERNAL',
  'scram-sha-256': 'SCRAM-SHA-256',
};
/** What the strictest of the large networks still allow. */
const USUAL_PACE: Pace = { burst: 5, everyMs: 2_000 };

export const about: About = {
  title: 'IRC',
  addressExample: '#channel or nick',
  fields: [
    {
      key: 'server',
      label: 'Server',
      hint: `host:port, or one of ${Object.keys(presets).join(', ')}`,
    },
    { key: 'nick', label: 'Nick' },
    { key: 'password', label: 'Password of the nick (SASL or NickServ)', secret: true, optional: true },
    { key: 'login', label: 'Login, if it is not the nick', optional: true },
    { key: 'join', label: 'Channels', optional: true, hint: '#one,#two key' },
    { key: 'tls', label: 'TLS', optional: true, choices: ['on', 'off'], preset: 'on' },
    { key: 'sasl', label: 'Way to sign in', optional: true, choices: SASL_CHOICES, preset: 'auto' },
    { key: 'ca', label: 'CA file (PEM)', optional: true, hint: 'for a server with a certificate of its own' },
    { key: 'cert', label: 'Client certificate and key (PEM)', optional: true, hint: 'for sasl external' },
    { key: 'user', label: 'User name', optional: true },
    { key: 'realname', label: 'Real name', optional: true },
    { key: 'server-password', label: "Server's own password", secret: true, optional: true },
  ],
  can: [
    'channels with nick lists and topics',
    'private chats',
    'a contact list kept by imux, with presence',
    'away',
    'typing, where the server passes it on',
    'what was missed and what was read elsewhere, where the server or a bouncer keeps it',
    'TLS; SASL PLAIN, EXTERNAL and SCRAM-SHA-256',
  ],
  cannot: ['files', 'edits', 'messages to people who are offline'],
};

/** @throws Error that names the setting at fault. */
export function parseSettings(raw: unknown): IrcSettings {
  if (typeof raw !== 'object' || raw === null) throw new Error('the settings of an IRC account are missing');
  const text = (key: string): string | undefined => {
    const value: unknown = Object.entries(raw).find(([name]) => name === key)?.[1];
    if (value === undefined || value === '') return undefined;
    if (typeof value !== 'string') throw new Error(`${key} must be a text`);
    if (/[\r\n\0]/.test(value)) throw new Error(`${key} must be one line`);
    return value;
  };
  const tls = parseTls(text('tls'));
  const nick = text('nick');
  if (nick === undefined) throw new Error('nick is missing: the name to go by');
  if (/[\s,*?!@:#&]/.test(nick) || /^[$+~%]/.test(nick))
    throw new Error(`nick "${nick}" is not a nick: no blanks, no ,*?!@:#&`);
  const sasl = MECHANISMS[text('sasl') ?? 'auto'];
  if (sasl === undefined) throw new Error(`sasl must be one of ${SASL_CHOICES.join(', ')}`);
  const cert = text('cert');
  if (sasl === 'EXTERNAL' && cert === undefined) throw new Error('sasl external needs cert, a PEM file');
  return {
    ...parseServer(text('server'), tls),
    tls,
    ca: text('ca'),
    cert,
    nick,
    user: parseUser(text('user') ?? nick),
    realname: text('realname') ?? nick,
    sasl,
    login: text('login') ?? nick,
    join: parseJoin(text('join') ?? ''),
    pace: parsePace(text('pace')),
  };
}

function parseTls(value: string | undefined): boolean {
  if (value === undefined || value === 'on') return true;
  if (value === 'off') return false;
  throw new Error('tls must be on or off');
}

function parseServer(value: string | undefined, tls: boolean): { readonly host: string; readonly port: number } {
  if (value === undefined)
    throw new Error(`server is missing: host:port, or one of ${Object.keys(presets).join(', ')}`);
  const address = Object.hasOwn(presets, value) ? (presets[value]?.server ?? value) : value;
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]+))(?::(\d{1,5}))?$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? (tls ? 6697 : 6667));
  if (host === undefined || port < 1 || port > 65_535) throw new Error(`server "${value}" is not host:port`);
  return { host, port };
}

/** Servers cut or refuse user names with other characters. */
function parseUser(value: string): string {
  return value.replace(/[^A-Za-z0-9._-]/g, '').slice(0, 10) || 'imux';
}

function parseJoin(value: string): IrcSettings['join'] {
  return value
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [name = '', key, more] = entry.split(/\s+/);
      if (more !== undefined) throw new Error(`join: "${entry}" is not a channel, or a channel and its key`);
      const channel = /^[#&+!]/.test(name) ? name : `#${name}`;
      return key === undefined ? { name: channel } : { name: channel, key };
    });
}

function parsePace(value: string | undefined): Pace | undefined {
  if (value === undefined) return USUAL_PACE;
  if (value === 'none') return undefined;
  const match = /^(\d+)\/(\d+)$/.exec(value);
  const [burst, everyMs] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || burst < 1 || everyMs < 1) throw new Error('pace must be none or BURST/MS');
  return { burst, everyMs };
}
