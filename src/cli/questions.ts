import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { LinkClient } from '../link/client.ts';
import type { Change } from '../link/messages.ts';
import { exit } from './exit.ts';
import { type Io, usage, VerbError } from './verb.ts';

/** Whether somebody is there to answer: questions go to stderr, so stdout may be a pipe. */
export const canAsk = (io: Io): boolean => io.stdin.isTTY === true && process.stderr.isTTY === true;

/** One line from the terminal. @throws VerbError where it was closed instead. */
export const ask = (io: Io, question: string): Promise<string> => askLine(io, question, false);

/** The same without an echo: what is typed is neither shown nor kept. */
export const askSecret = (io: Io, question: string): Promise<string> => askLine(io, question, true);

function askLine(io: Io, question: string, hidden: boolean): Promise<string> {
  if (hidden) process.stderr.write(question);
  // readline turns the terminal's own echo off and writes what is typed by itself; here it goes nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({
    input: io.stdin,
    output: hidden ? nowhere : process.stderr,
    terminal: true,
    prompt: hidden ? '' : question,
    historySize: 0,
  });
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      io.signal.removeEventListener('abort', stopped);
      // Its own listeners stay: the one for 'close' ends the echo of keys, which would show the secret asked for next.
      lines.off('line', answered).off('close', closed);
      lines.close();
      if (hidden) process.stderr.write('\n');
      settle();
    };
    const stopped = (): void => end(() => reject(new VerbError(exit.interrupted, 'stopped')));
    const answered = (line: string): void => end(() => resolve(line));
    const closed = (): void => end(() => reject(usage('the answer is missing')));
    if (!hidden) lines.prompt();
    lines.once('line', answered).once('close', closed);
    // In raw mode Ctrl-C is a key and no signal.
    lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
    io.signal.addEventListener('abort', stopped, { once: true });
  });
}

/** While `work` lasts, the hub's questions for that account (a passphrase, a login code) are put to the person. */
export async function answering<T>(io: Io, link: LinkClient, account: string, work: () => Promise<T>): Promise<T> {
  if (!canAsk(io)) return await work();
  let last: Promise<unknown> = Promise.resolve();
  const answer = async (change: Change): Promise<void> => {
    if (change.type !== 'prompt' || change.prompt.account !== account) return;
    const { id, prompt } = change.prompt;
    const text = await (prompt.kind === 'password' ? askSecret : ask)(io, `${prompt.text}: `);
    await link.call('prompts.answer', { id, text });
  };
  const failed = new Promise<never>((_, reject) => {
    link.on('changes', (changes) => {
      for (const change of changes) last = last.then(() => answer(change)).catch(reject);
    });
  });
  await link.call('subscribe', { only: ['prompt', 'prompt-done'], snapshot: false }, io.signal);
  return await Promise.race([work(), failed]);
}
