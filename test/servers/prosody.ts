import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type TestCa, testCa } from './ca.ts';
import { freePort, type Running, spawnServer, tempDir } from './process.ts';

const run = promisify(execFile);

export interface ProsodyUser {
  readonly name: string;
  readonly password: string;
}

export interface ProsodyOptions {
  readonly users?: readonly ProsodyUser[];
  /** No sign-in without TLS; else PLAIN in clear text is allowed as well. */
  readonly tlsOnly?: boolean;
  /** Which SCRAM the server offers; SHA-1 is Prosody's own preset. */
  readonly passwordHash?: 'SHA-1' | 'SHA-256';
  /** Switched on besides those in MODULES. */
  readonly modules?: readonly string[];
  readonly withoutModules?: readonly string[];
  /** Seconds a lost session may be resumed. */
  readonly resumeSeconds?: number;
  /** Lua, at the end of the global section. */
  readonly config?: string;
}

export interface ProsodyContact {
  readonly jid: string;
  readonly name?: string;
  readonly groups?: readonly string[];
  readonly subscription?: 'both' | 'to' | 'from' | 'none';
}

export interface Prosody {
  readonly host: '127.0.0.1';
  readonly domain: 'localhost';
  readonly rooms: 'conference.localhost';
  readonly ports: {
    /** Clear text and STARTTLS. */
    readonly c2s: number;
    readonly direct: number;
    readonly http: number;
    readonly https: number;
    readonly component: number;
  };
  /** PEM file of the authority that signed its certificate. */
  readonly ca: string;
  /** Of the component irc.localhost. */
  readonly componentSecret: string;
  readonly folder: string;
  addUser(name: string, password: string): Promise<void>;
  /** Writes the whole roster; the user must be offline. */
  roster(name: string, items: readonly ProsodyContact[]): Promise<void>;
  log(): string;
  restart(): Promise<void>;
  /** Ends the server at once, as a crash does; `start` brings it back with its data. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** For good: the folder is removed. */
  stop(): Promise<void>;
}

const MODULES = [
  'roster',
  'saslauth',
  'tls',
  'dialback',
  'disco',
  'private',
  'vcard_legacy',
  'vcard4',
  'pep',
  'bookmarks',
  'blocklist',
  'carbons',
  'mam',
  'smacks',
  'csi',
  'csi_simple',
  'ping',
  'lastactivity',
  'version',
  'time',
  'uptime',
  'register',
  'http',
  'websocket',
];

/** A Prosody of its own on free loopback ports, with rooms, an archive and file upload. */
export async function startProsody(options: ProsodyOptions = {}): Promise<Prosody> {
  const dir = await tempDir('prosody');
  const ca = await testCa();
  const [c2s, direct, http, https, component] = await Promise.all(Array.from({ length: 5 }, freePort));
  if (!c2s || !direct || !http || !https || !component) throw new Error('no free ports');
  const ports = { c2s, direct, http, https, component };
  const data = join(dir.path, 'data');
  const configFile = join(dir.path, 'prosody.cfg.lua');
  await mkdir(data, { recursive: true });
  await writeFile(configFile, configuration(dir.path, data, ca, ports, options));
  let server: Running | undefined;

  const start = async (): Promise<void> => {
    server = await spawnServer('prosody', ['-F', '--config', configFile], {
      cwd: dir.path,
      ready: async () => (await greets(ports.c2s)) && (await accepts(ports.direct)) && (await accepts(ports.https)),
    });
  };
  const addUser = async (name: string, password: string): Promise<void> => {
    await run('prosodyctl', ['--config', configFile, 'register', name, 'localhost', password], { cwd: dir.path });
  };
  for (const { name, password } of options.users ?? []) await addUser(name, password);
  await start();

  return {
    host: '127.0.0.1',
    domain: 'localhost',
    rooms: 'conference.localhost',
    ports,
    ca: ca.caFile,
    componentSecret: 'component-secret',
    folder: dir.path,
    addUser,
    roster: async (name, items) => {
      const folder = join(data, 'localhost', 'roster');
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, `${name}.dat`), rosterFile(items));
    },
    log: () => server?.log() ?? '',
    restart: async () => {
      await server?.stop();
      await start();
    },
    kill: async () => await server?.stop('SIGKILL'),
    start,
    stop: async () => {
      await server?.stop();
      await Promise.all([dir.remove(), ca.remove()]);
    },
  };
}

function configuration(
  folder: string,
  data: string,
  ca: TestCa,
  ports: Prosody['ports'],
  options: ProsodyOptions,
): string {
  const without = new Set(options.withoutModules ?? []);
  const modules = [...MODULES, ...(options.modules ?? [])].filter((name) => !without.has(name));
  const tls = `{ certificate = ${lua(ca.certFile)}; key = ${lua(ca.keyFile)}; }`;
  return `
run_as_root = true
pidfile = ${lua(join(folder, 'prosody.pid'))}
data_path = ${lua(data)}
interfaces = { "127.0.0.1" }
c2s_ports = { ${ports.c2s} }
c2s_direct_tls_ports = { ${ports.direct} }
http_ports = { ${ports.http} }
http_interfaces = { "127.0.0.1" }
https_interfaces = { "127.0.0.1" }
certificates = "."
https_ports = { ${ports.https} }
component_ports = { ${ports.component} }
component_interfaces = { "127.0.0.1" }
s2s_ports = {}
modules_disabled = { "s2s" }
modules_enabled = { ${modules.map(lua).join('; ')} }
c2s_require_encryption = ${options.tlsOnly === true}
allow_unencrypted_plain_auth = ${options.tlsOnly !== true}
allow_registration = true
authentication = "internal_hashed"
password_hash = ${lua(options.passwordHash ?? 'SHA-1')}
storage = "internal"
ssl = ${tls}
c2s_direct_tls_ssl = ${tls}
https_ssl = ${tls}
smacks_hibernation_time = ${options.resumeSeconds ?? 600}
log = { { levels = { min = "info" }, to = "console" } }
${options.config ?? ''}
VirtualHost "localhost"
VirtualHost "anon.localhost"
  authentication = "anonymous"
Component "conference.localhost" "muc"
  modules_enabled = { "muc_mam"; "vcard_muc" }
  restrict_room_creation = false
Component "upload.localhost" "http_file_share"
Component "irc.localhost"
  component_secret = "component-secret"
`;
}

function rosterFile(items: readonly ProsodyContact[]): string {
  const rows = items.map(({ jid, name, groups = [], subscription = 'both' }) => {
    const named = name === undefined ? '' : `name=${lua(name)};`;
    const grouped = groups.map((group) => `[${lua(group)}]=true;`).join('');
    return `[${lua(jid)}]={subscription=${lua(subscription)};groups={${grouped}};${named}};`;
  });
  return `return { [false]={version=1;pending={}}; ${rows.join('\n')} };\n`;
}

/** As a Lua string literal. */
function lua(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(() => resolve(true)));
    socket.on('error', () => resolve(false));
  });
}

/** Whether it answers a stream header with its features. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(
        "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
      );
    });
    let text = '';
    const done = (greeted: boolean): void => {
      socket.destroy();
      resolve(greeted);
    };
    socket.setTimeout(1_000, () => done(false));
    socket.on('data', (chunk) => {
      text += chunk.toString();
      if (text.includes('</stream:features>')) done(true);
    });
    socket.on('error', () => done(false));
    socket.on('close', () => done(false));
  });
}
