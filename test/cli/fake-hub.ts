import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { encodeLine, frontLineLimit, splitLines } from '../../src/link/frames.ts';
import {
  type Change,
  type ContactView,
  type ConversationKey,
  LINK_VERSION,
  type LinkError,
  type Method,
  type Params,
  type Receipt,
  type Result,
} from '../../src/link/messages.ts';
import { tempDir } from '../servers/process.ts';

type Answers = { readonly [M in Method]?: (params: Params<M>) => Result<M> | Promise<Result<M>> };

export interface FakeHub {
  /** For IMUX_HOME. */
  readonly home: string;
  readonly calls: readonly { readonly method: string; readonly params: unknown }[];
  change(...changes: readonly Change[]): void;
  close(): Promise<void>;
}

/** What a fake answer throws to be told as an error over the link. */
export class Refusal extends Error {
  readonly detail: LinkError;
  constructor(detail: LinkError) {
    super(detail.message);
    this.detail = detail;
  }
}

/** Answers of a hub that resolves every target and takes what is sent; what becomes of it is the given receipt. */
export function takes(settled: (target: string) => Receipt): Answers {
  const targets = new Map<string, string>();
  let counter = 0;
  const take = (conversation: string): Receipt => {
    counter += 1;
    const target = conversation.slice(1);
    targets.set(String(counter), target);
    return { ...settled(target), id: String(counter), state: 'queued' };
  };
  const taken = (params: Params<'send'> | Params<'files.send'>): Receipt =>
    take('conversation' in params ? params.conversation : '');
  return {
    resolve: ({ target }) => ({
      contact: contactOf(target),
      limits: { textBytes: 1_000, receipts: !target.startsWith('mute') },
    }),
    send: taken,
    'files.send': taken,
    receipt: ({ messages: [first = ''] }) => ({ ...settled(targets.get(first) ?? ''), id: first }),
  };
}

/** A person whose conversation is named by the target. */
export function contactOf(target: string): ContactView {
  const [account = '', id = ''] = target.split(':');
  return {
    conversation: `c${target}` as ConversationKey,
    account,
    network: 'xmpp',
    id,
    target,
    name: id,
    kind: 'person',
    groups: [],
    presence: 'online',
    listed: true,
    unread: 0,
    mentions: 0,
  };
}

/** A hub that answers from a table, on a socket of its own: for testing what fronts make of the answers. */
export async function fakeHub(answers: Answers): Promise<FakeHub> {
  const dir = await tempDir('fake-hub');
  const run = join(dir.path, 'run');
  await mkdir(run, { mode: 0o700 });
  await writeFile(join(run, 'cookie'), 'crumbs', { mode: 0o600 });
  const calls: { method: string; params: unknown }[] = [];
  const writers = new Set<(message: object) => void>();
  const known = new Map<string, (params: never) => unknown>(Object.entries(answers));
  known.set('hello', () => ({
    version: LINK_VERSION,
    imux: 'fake',
    pid: process.pid,
    startedAt: new Date().toISOString(),
  }));

  const server = createServer((socket) => {
    const write = (message: object): void => void socket.write(encodeLine({ jsonrpc: '2.0', ...message }));
    writers.add(write);
    socket.on('close', () => writers.delete(write)).on('error', () => {});
    const receive = async (line: string): Promise<void> => {
      const { id, method, params } = JSON.parse(line) as { id: number; method: string; params: never };
      calls.push({ method, params });
      try {
        const answer = known.get(method);
        if (!answer) throw new Refusal({ code: 'hub', message: `the fake hub knows no ${method}` });
        write({ id, result: await answer(params) });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        write({ id, error: { code: -32000, message: error.message, data: error.detail } });
      }
    };
    socket.on(
      'data',
      splitLines((line) => void receive(line), frontLineLimit),
    );
  });
  const path = join(run, 'hub.sock');
  await new Promise<void>((resolve) => server.listen(path, resolve));
  await chmod(path, 0o600);
  return {
    home: dir.path,
    calls,
    change: (...changes) => {
      for (const write of writers) write({ method: 'changes', params: { changes } });
    },
    close: async () => {
      server.close();
      await dir.remove();
    },
  };
}
