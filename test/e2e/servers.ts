import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type BotApiServer, startBotApi } from '../../src/demo/bot-api.ts';
import { startInspircd } from '../servers/inspircd.ts';
import { startNgircd } from '../servers/ngircd.ts';
import { spawnServer, tempDir, waitFor } from '../servers/process.ts';
import type { Prosody } from '../servers/prosody.ts';

export type Inspircd = Awaited<ReturnType<typeof startInspircd>>;
export type Ngircd = Awaited<ReturnType<typeof startNgircd>>;
export { type BotApiServer, startBotApi, startInspircd, startNgircd };

/** Settings of an XMPP account on that server. */
export function xmppSettings(server: Prosody, name: string): Record<string, string> {
  return { jid: `${name}@localhost`, server: `127.0.0.1:${server.ports.c2s}`, ca: server.ca };
}

/** Another XMPP client, go-sendxmpp, that listens. */
export interface Listener {
  /** What it has printed. */
  heard(): string;
  hears(text: string): Promise<void>;
  stop(): Promise<void>;
}

/** Resolves when it is signed in. */
export async function listenXmpp(server: Prosody, name: string, password: string): Promise<Listener> {
  const dir = await tempDir('listener');
  const entered = `Authenticated as ${name}@localhost`;
  const before = server.log().split(entered).length;
  const args = ['-u', `${name}@localhost`, '-p', password, '-j', `127.0.0.1:${server.ports.c2s}`, '-n', '-l'];
  const env = { HOME: dir.path, XDG_DATA_HOME: join(dir.path, 'data'), XDG_CONFIG_HOME: join(dir.path, 'config') };
  const running = await spawnServer('go-sendxmpp', args, {
    env,
    ready: () => server.log().split(entered).length > before,
  });
  return {
    heard: running.log,
    hears: async (text) => {
      await waitFor(() => running.log().includes(text), { what: `go-sendxmpp to print "${text}": ${running.log()}` });
    },
    async stop() {
      await running.stop();
      await dir.remove();
    },
  };
}

/** A text from another XMPP client. */
export async function sayXmpp(server: Prosody, from: { name: string; password: string }, to: string, text: string) {
  const dir = await tempDir('speaker');
  const args = ['-u', `${from.name}@localhost`, '-p', from.password, '-j', `127.0.0.1:${server.ports.c2s}`, '-n', to];
  const speaking = promisify(execFile)('go-sendxmpp', args, { env: { ...process.env, HOME: dir.path } });
  speaking.child.stdin?.end(text);
  await speaking;
  await dir.remove();
}
