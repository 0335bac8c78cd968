import type { LinkClient } from '../link/client.ts';
import type { MessageView } from '../link/messages.ts';
import { conclude, deliver, failureOf, tell } from './deliver.ts';
import { exit } from './exit.ts';
import { jsonLine, messageJson } from './json.ts';
import { type Live, openLive } from './live.ts';
import { readText, refuseBad } from './stdin.ts';
import { type Io, readArgs, readSeconds, stoppedCode, usage, VerbError } from './verb.ts';

export const help = `Usage: imux ask [OPTIONS] TARGET [TEXT…]

Sends TEXT, or standard input where there is no TEXT, waits for the next message in that
conversation by anybody but you, and prints its text.

      --timeout SEC    how long to wait for it, sending included (default 60)
      --id KEY         asked again under the same KEY, the text does not go out twice:
                       the wait goes on, and an answer that came meanwhile counts
      --json           the answer as one JSON object

Exit code 0: an answer stands on standard output. 75: none came in time, or the text
could not be sent in time. Others as of imux send.

Examples:
  imux ask work:boss@example.org 'Deploy to production? (yes/no)' --timeout 600
  [ "$(imux ask libera:#ops 'go?')" = yes ] && ./deploy
  answer=$(imux ask --id "release-$TAG" --timeout 86400 tg:@anna "Release $TAG?") || exit
`;

const options = {
  timeout: { type: 'string', default: '60' },
  id: { type: 'string' },
  json: { type: 'boolean' },
} as const;

interface Question {
  readonly target: string;
  readonly text: string;
  readonly key: string | undefined;
  /** Seconds. */
  readonly timeout: number;
}

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = readArgs(args, options);
  const [target, ...words] = positionals;
  if (target === undefined) throw usage('no target; imux ask --help shows how');
  const timeout = readSeconds(values.timeout);
  if (words.length === 0 && io.stdin.isTTY) throw usage('no text: write it after the target, or pipe it in');
  const text = words.length > 0 ? words.join(' ') : await readText(io.stdin, io.signal);
  refuseBad(text, false);
  const link = await io.hub();
  try {
    const answer = await ask(link, { target, text, key: values.id, timeout }, io);
    if (typeof answer === 'number') return answer;
    await io.print(values.json ? jsonLine(messageJson(answer)) : answer.text);
    return exit.ok;
  } finally {
    link.close();
  }
}

/** The answer, or the exit code where there is none. */
async function ask(link: LinkClient, question: Question, io: Io): Promise<MessageView | number> {
  const { target, text, key, timeout } = question;
  const over = AbortSignal.timeout(timeout * 1000);
  const signal = AbortSignal.any([io.signal, over]);
  // Before sending: an answer may be here before we know that the question was taken.
  const live = await openLive(link, { only: ['message'], signal });
  const order = { content: { text, split: false }, wait: 'accepted', timeout, key } as const;
  const outcome = await deliver(link, order, target, io.signal);
  const code = await conclude(outcome, { wait: 'accepted', json: false }, io);
  if (code !== exit.ok || outcome.kind === 'refused') return code;
  const { target: asked, id = '0' } = outcome.receipt;
  const isAnswer = (message: MessageView): boolean =>
    message.target === asked && !message.from.self && Number(message.id) > Number(id);
  try {
    const earlier = Number(id) <= live.begin ? await answerSince(link, Number(id), isAnswer, signal) : undefined;
    const answer = earlier ?? (await answerIn(live, isAnswer));
    if (answer) return answer;
  } catch (error) {
    if (error instanceof VerbError) throw error;
    if (!signal.aborted) return tell(failureOf(error), io);
  }
  if (io.signal.aborted) return stoppedCode(io.signal);
  io.say(`${asked}: no answer in ${timeout} s`);
  return exit.tempFail;
}

async function answerIn(live: Live, isAnswer: (message: MessageView) => boolean): Promise<MessageView | undefined> {
  for await (const change of live) {
    if (change.type === 'message' && change.live && isAnswer(change.message)) return change.message;
  }
  return undefined;
}

/** The question went out earlier, under the same key. */
async function answerSince(
  link: LinkClient,
  id: number,
  isAnswer: (message: MessageView) => boolean,
  signal: AbortSignal,
): Promise<MessageView | undefined> {
  for (let after: string | undefined = String(id); after !== undefined; ) {
    const page: { readonly messages: readonly MessageView[]; readonly last?: string } = await link.call(
      'messages.since',
      { after, limit: 500 },
      signal,
    );
    const found = page.messages.find(isAnswer);
    if (found) return found;
    after = page.last;
  }
  return undefined;
}
