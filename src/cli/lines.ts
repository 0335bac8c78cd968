import type { Content, Outcome } from './deliver.ts';
import { exit, worst } from './exit.ts';
import { decodeLine, readLines, refuseBad } from './stdin.ts';
import { type Io, stoppedCode, VerbError } from './verb.ts';

export interface LinesOrder {
  readonly key: string | undefined;
  readonly split: boolean;
  readonly allowEmpty: boolean;
  readonly failFast: boolean;
}

type SendLine = (content: Content, key: string | undefined) => Promise<{ code: number; outcomes: readonly Outcome[] }>;

/** A message for each line; the next line is read only when the one before is done, so a fast pipe is held back. */
export async function sendLines(order: LinesOrder, send: SendLine, io: Io): Promise<number> {
  const codes = new Set<number>();
  try {
    let line = 0;
    let sent = 0;
    for await (const bytes of readLines(io.stdin, io.signal)) {
      line += 1;
      const text = readLine(bytes, order, line, io);
      if (typeof text === 'number') codes.add(text);
      if (typeof text === 'string' && (text !== '' || order.allowEmpty)) {
        sent += 1;
        const key = order.key === undefined ? undefined : `${order.key}-${sent}`;
        const { code, outcomes } = await send({ text, split: order.split }, key);
        if (code !== exit.ok) io.say(`that was line ${line}`);
        codes.add(code);
        if (outcomes.some(isHubGone)) break;
      }
      if (order.failFast && worst([...codes]) !== exit.ok) break;
    }
    return io.signal.aborted ? stoppedCode(io.signal) : worst([...codes]);
  } finally {
    io.stdin.destroy();
  }
}

/** The text of a line, or the exit code of one that cannot be sent. */
function readLine(bytes: Buffer, { allowEmpty }: LinesOrder, line: number, io: Io): string | number {
  try {
    const text = decodeLine(bytes);
    if (text !== '' || allowEmpty) refuseBad(text, allowEmpty);
    return text;
  } catch (error) {
    if (!(error instanceof VerbError)) throw error;
    io.say(`line ${line}: ${error.message}`);
    return error.exitCode;
  }
}

/** Without a hub every further line would be lost one by one. */
function isHubGone(outcome: Outcome): boolean {
  const error = outcome.kind === 'refused' ? outcome.error : outcome.receipt.error;
  return error?.code === 'hub';
}
