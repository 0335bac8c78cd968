import { execFile, spawn } from 'node:child_process';
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startXmppServer, type XmppServer } from '../../src/demo/xmpp-server.ts';
import { type TempDir, tempDir, waitFor } from '../servers/process.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const modules = join(root, 'node_modules');

let dir: TempDir;
let server: XmppServer;
let env: NodeJS.ProcessEnv;
const heard: string[] = [];

/** The package as npm packs it, unpacked where a project would have it; nothing comes over the network. */
beforeAll(async () => {
  dir = await tempDir('library');
  await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', dir.path], { cwd: root });
  await mkdir(join(dir.path, 'node_modules', '@types'), { recursive: true });
  await run('tar', ['-xf', join(dir.path, 'imux-0.1.0.tgz')], { cwd: dir.path });
  await cp(join(dir.path, 'package'), join(dir.path, 'node_modules', 'imux'), { recursive: true });
  // The one dependency that is not in the bundle, and what every Node project in TypeScript has.
  await mkdir(join(dir.path, 'node_modules', '@napi-rs'));
  await symlink(join(modules, '@napi-rs', 'keyring'), join(dir.path, 'node_modules', '@napi-rs', 'keyring'));
  for (const types of ['node', '../undici-types'])
    await symlink(join(modules, '@types', types), join(dir.path, 'node_modules', '@types', types));
  await writeFile(join(dir.path, 'package.json'), '{ "type": "module" }');
  server = await startXmppServer({
    users: [{ name: 'bot', password: 'pw' }],
    roster: { bot: [{ jid: 'alice@localhost', name: 'Alice', groups: [], subscription: 'both' }] },
  });
  server.onMessage((_, to, text) => heard.push(`${to} ${text}`));
  env = { ...process.env, IMUX_HOME: join(dir.path, 'h'), BOT_PASSWORD: 'pw' };
});

afterAll(async () => {
  await imux('hub', 'stop').catch(() => {});
  await server.stop();
  await dir.remove();
});

const imux = (...args: readonly string[]): Promise<{ stdout: string }> =>
  run(process.execPath, [join(dir.path, 'node_modules', 'imux', 'dist', 'imux.js'), ...args], { env });

async function program(name: string, source: string): Promise<string> {
  const path = join(dir.path, name);
  await writeFile(path, source);
  return path;
}

const strict = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  target: 'es2024',
  lib: ['es2024', 'esnext.disposable'],
  module: 'nodenext',
  moduleResolution: 'nodenext',
  types: ['node'],
  noEmit: true,
  // The package's own declarations are checked too.
  skipLibCheck: false,
};

/** What the compiler of a user has to say about a program. */
async function complaints(name: string): Promise<string> {
  const config = join(dir.path, 'tsconfig.json');
  await writeFile(config, JSON.stringify({ compilerOptions: strict, files: [name] }));
  const tsc = join(modules, 'typescript', 'bin', 'tsc');
  return await run(process.execPath, [tsc, '--project', config], { cwd: dir.path }).then(
    ({ stdout }) => stdout,
    ({ stdout }) => String(stdout),
  );
}

describe('the package, as installed', () => {
  it('has the example checked by the strictest compiler', async () => {
    await cp(join(root, 'docs', 'examples', 'greet.ts'), join(dir.path, 'greet.ts'));
    expect(await complaints('greet.ts')).toBe('');
  });

  it('tells the compiler what a call takes and gives', async () => {
    await program(
      'wrong.ts',
      `import { connect } from 'imux';
       const imux = await connect();
       await imux.call('accounts.check', { name: 'work' });
       const receipt = await imux.send('work:a@b', 'hi', { wait: 'read' });
       receipt.state = 'accepted';
       for await (const change of imux.events()) if (change.type === 'message') change.message.txt;`,
    );
    const lines = (await complaints('wrong.ts')).split('\n').filter((line) => line.startsWith('wrong.ts'));
    expect(lines.map((line) => Number(/\((\d+),/.exec(line)?.[1]))).toEqual([3, 4, 5, 6]);
  });

  it('lets a Node script do what the verbs do, and starts the hub for it', async () => {
    const settings = ['--set', 'jid=bot@localhost', '--set', `server=127.0.0.1:${server.port}`, '--set', 'tls=none'];
    const path = await program(
      'script.mjs',
      `import { connect, ImuxError } from 'imux';
       await using imux = await connect({ name: 'script' });
       const receipt = await imux.send('work:alice@localhost', 'built', { timeout: 20 });
       const contacts = await imux.contacts('work');
       const history = await imux.history('work:alice@localhost', 5);
       const refused = await imux.send('nobody', 'x').catch((error) => error);
       console.log(JSON.stringify({
         pid: imux.hub.pid, state: receipt.state, contacts: contacts.map((contact) => contact.target),
         history: history.map((message) => message.text),
         refused: refused instanceof ImuxError && refused.detail.code,
       }));`,
    );
    await imux('account', 'add', 'xmpp', 'work', ...settings, '--secret-env', 'BOT_PASSWORD');
    await imux('hub', 'stop');
    const { stdout } = await run(process.execPath, [path], { env });
    expect(JSON.parse(stdout)).toEqual({
      pid: expect.any(Number),
      state: expect.stringMatching(/^(accepted|delivered)$/),
      contacts: ['work:alice@localhost'],
      history: ['built'],
      refused: 'not-found',
    });
    expect(heard).toContain('alice@localhost built');
  });

  it('asks and waits for the answer; without one it fails with timeout', async () => {
    const path = await program(
      'ask.mjs',
      `import { connect } from 'imux';
       await using imux = await connect();
       const { text } = await imux.ask('work:alice@localhost', 'deploy?', { timeout: 20 });
       const late = await imux.ask('work:alice@localhost', 'again?', { timeout: 0.3 }).catch((error) => error);
       console.log(text, late.detail.code);`,
    );
    const stop = server.onMessage((_, __, text) => {
      if (text === 'deploy?') server.say('alice@localhost', 'bot@localhost', 'yes');
    });
    const { stdout } = await run(process.execPath, [path], { env });
    stop();
    expect(stdout).toBe('yes timeout\n');
  });

  it('runs the example', async () => {
    const child = spawn(process.execPath, [join(dir.path, 'greet.ts')], { env });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await waitFor(
      () => {
        server.say('alice@localhost', 'bot@localhost', 'hello there');
        return heard.includes('alice@localhost Hello Alice!');
      },
      { timeoutMs: 15_000 },
    );
    await waitFor(() => /work:alice@localhost: (accepted|delivered)/.test(said));
    child.kill();
  });

  it('says that there is no hub where none is to be started', async () => {
    const path = await program(
      'none.mjs',
      `import { connect } from 'imux';
       const error = await connect({ home: ${JSON.stringify(join(dir.path, 'none'))}, start: false }).catch((error) => error);
       console.log(error.name, error.detail.code);`,
    );
    expect((await run(process.execPath, [path], { env })).stdout).toBe('LinkFailure hub\n');
  });
});
