import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { exit } from './exit.ts';
import { chunksOf } from './stdin.ts';
import { type Io, usage, VerbError } from './verb.ts';

/** A file to send, and how to be rid of it where it was made for that alone. */
export interface Spooled {
  readonly path: string;
  done(): Promise<void>;
}

/** Longer than a message may wait for its turn (a week), in milliseconds. */
const KEPT = 8 * 86_400_000;

/**
 * Standard input as a file of that name, kept in the data folder until it has gone out: the outbox may need it after
 * this process has ended. @throws VerbError; what the signal aborted with.
 */
export async function spool(io: Io, name: string): Promise<Spooled> {
  if (name === '' || /[/\0]/.test(name) || name === '.' || name === '..') throw usage(`--name ${name}: no file name`);
  const all = join(io.paths.data, 'outgoing');
  await mkdir(all, { recursive: true, mode: 0o700 });
  await sweep(all);
  const folder = join(all, randomUUID());
  const done = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await mkdir(folder, { mode: 0o700 });
    const path = join(folder, name);
    await pipeline(chunksOf(io.stdin, io.signal), createWriteStream(path, { flags: 'wx', mode: 0o600 }));
    io.signal.throwIfAborted();
    if ((await stat(path)).size === 0) throw new VerbError(exit.data, 'standard input is empty');
    return { path, done };
  } catch (error) {
    await done();
    if (error instanceof VerbError || io.signal.aborted) throw error;
    throw new VerbError(exit.io, `cannot keep what is to be sent: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

/** What an earlier call left for an outbox that has long given it up. */
async function sweep(all: string): Promise<void> {
  for (const entry of await readdir(all)) {
    const folder = join(all, entry);
    const found = await stat(folder).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > KEPT) await rm(folder, { recursive: true, force: true });
  }
}
