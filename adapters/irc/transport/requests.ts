import { AdapterError } from '../../errors.ts';
import { concerns, refusal } from '../numerics.ts';
import type { Batch } from './batches.ts';
import { formatLine, type IrcLine, type Tags, tag } from './message.ts';
import type { PacedQueue } from './pace.ts';

export interface Command {
  readonly command: string;
  readonly params: readonly string[];
  readonly tags?: Tags;
}

export interface RequestsOptions {
  readonly queue: PacedQueue;
  caps(): ReadonlySet<string>;
  fold(text: string): string;
  isMe(nick: string): boolean;
}

export interface Requests {
  /**
   * Sends commands that belong together and waits for the server's answer: by labels where it has them
   * (https://ircv3.net/specs/extensions/labeled-response), else by a PING whose PONG cannot overtake a refusal.
   * Gives our own messages as the server echoed them. @throws AdapterError the first refusal; `certain` false where some went out
   */
  ask(commands: readonly Command[], signal?: AbortSignal): Promise<readonly IrcLine[]>;
  /** Resolves once the server has answered all that was sent before. */
  barrier(): Promise<void>;
  /** True: the line is an echo of what we sent, and nobody else need see it. */
  offer(line: IrcLine, batch: Batch | undefined): boolean;
  batchClosed(batch: Batch): void;
  pong(token: string): void;
  /** A PING to see whether the server is alive. */
  ping(): void;
  close(): void;
}

interface Exchange {
  readonly names: readonly string[];
  readonly commands: readonly Command[];
  readonly echoes: IrcLine[];
  /** Answers still to come. */
  left: number;
  written: number;
  error?: AdapterError | undefined;
  settle(error?: AdapterError): void;
}

interface Labelled {
  readonly exchange: Exchange;
  readonly serial: number;
}

const ECHOED: ReadonlySet<string> = new Set(['PRIVMSG', 'NOTICE', 'TAGMSG']);

export function requests({ queue, caps, fold, isMe }: RequestsOptions): Requests {
  const labels = new Map<string, Labelled>();
  const barriers = new Map<string, Exchange>();
  /** PINGs without an exchange of their own, by token: all labels before that serial are answered by their PONG. */
  const pings = new Map<string, number>();
  let serial = 0;
  let closed = false;

  const answered = (exchange: Exchange): void => {
    exchange.left--;
    if (exchange.left <= 0) exchange.settle(exchange.error);
  };

  const finishLabel = (label: string): void => {
    const found = labels.get(label);
    if (!found) return;
    labels.delete(label);
    answered(found.exchange);
  };

  const note = (exchange: Exchange, line: IrcLine): boolean => {
    if (ECHOED.has(line.command) && isMe(line.nick)) {
      exchange.echoes.push(line);
      return true;
    }
    exchange.error ??= refusal(line);
    return false;
  };

  const echoOf = (line: IrcLine): Exchange | undefined => {
    const [target = '', text] = line.params;
    for (const exchange of barriers.values()) {
      const expected = exchange.commands[exchange.echoes.length];
      if (expected?.command !== line.command || fold(expected.params[0] ?? '') !== fold(target)) continue;
      if (expected.params[1] === text) return exchange;
    }
    return undefined;
  };

  const write = (exchange: Exchange, command: Command, label: string | undefined, signal?: AbortSignal): void => {
    const tags = label === undefined ? command.tags : new Map([...(command.tags ?? []), ['label', label] as const]);
    queue.push(formatLine(command.command, command.params, tags), {
      signal,
      written: () => exchange.written++,
      dropped: (reason) => {
        if (label !== undefined) labels.delete(label);
        exchange.settle(new AdapterError('unreachable', 'the text did not go out', { cause: reason }));
      },
    });
  };

  const start = (commands: readonly Command[], settle: Exchange['settle'], signal?: AbortSignal): Exchange => {
    const names = commands.flatMap(({ params }) => params.slice(0, 2).map(fold));
    const labelled = caps().has('labeled-response') && caps().has('batch');
    const exchange: Exchange = {
      names,
      commands,
      echoes: [],
      left: labelled ? commands.length : 1,
      written: 0,
      settle,
    };
    for (const command of commands) {
      const label = labelled ? `i${(++serial).toString(36)}` : undefined;
      if (label !== undefined) labels.set(label, { exchange, serial });
      write(exchange, command, label, signal);
    }
    if (labelled) return exchange;
    const token = `imux-${++serial}`;
    barriers.set(token, exchange);
    queue.push(formatLine('PING', [token]), { free: true });
    return exchange;
  };

  const ask: Requests['ask'] = (commands, signal) =>
    new Promise((resolve, reject) => {
      // All are checked before the first goes out.
      for (const { command, params, tags } of commands) formatLine(command, params, tags);
      let exchange: Exchange | undefined;
      const gaveUp = (): void => settle(new AdapterError('unreachable', 'given up', { cause: signal?.reason }));
      const settle = (error?: AdapterError) => {
        signal?.removeEventListener('abort', gaveUp);
        const current = exchange;
        if (error === undefined) return resolve(current?.echoes ?? []);
        const lost = error.code === 'unreachable' && (current?.written ?? 0) > 0;
        // Of several lines some have arrived: to send all of them again would double those.
        const uncertain = lost || (current?.echoes.length ?? 0) > 0;
        reject(uncertain ? new AdapterError(error.code, error.message, { cause: error.cause, certain: false }) : error);
      };
      signal?.addEventListener('abort', gaveUp, { once: true });
      exchange = start(commands, settle, signal);
    });

  const all = (): readonly Exchange[] => [
    ...barriers.values(),
    ...[...labels.values()].map(({ exchange }) => exchange),
  ];

  return {
    ask,
    barrier: () =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new AdapterError('unreachable', 'the connection ended'));
        const token = `imux-${++serial}`;
        const settle: Exchange['settle'] = (error) => (error ? reject(error) : resolve());
        barriers.set(token, { names: [], commands: [], echoes: [], left: 1, written: 0, settle });
        queue.push(formatLine('PING', [token]), { free: true });
      }),
    offer(line, batch) {
      if (labels.size > 0) {
        const own = tag(line, 'label');
        const label = own ?? batch?.label;
        const found = label === undefined ? undefined : labels.get(label);
        if (found && label !== undefined) {
          const taken = note(found.exchange, line);
          if (own !== undefined) finishLabel(own);
          return taken || line.command === 'ACK';
        }
      }
      if (barriers.size === 0) return false;
      if (ECHOED.has(line.command)) {
        const exchange = isMe(line.nick) ? echoOf(line) : undefined;
        exchange?.echoes.push(line);
        return exchange !== undefined;
      }
      const error = refusal(line);
      if (!error) return false;
      for (const exchange of barriers.values()) {
        const command = exchange.commands[0]?.command;
        if (command === undefined || !concerns(line, command, exchange.names, fold)) continue;
        exchange.error ??= error;
        break;
      }
      return false;
    },
    batchClosed(batch) {
      if (batch.label !== undefined && batch.ownsLabel) finishLabel(batch.label);
    },
    pong(token) {
      const exchange = barriers.get(token);
      if (exchange) {
        barriers.delete(token);
        answered(exchange);
      }
      const before = pings.get(token);
      if (before === undefined) return;
      pings.delete(token);
      // A server that forgets to answer a label has accepted what it did not refuse.
      for (const [label, labelled] of labels) if (labelled.serial <= before) finishLabel(label);
    },
    ping() {
      const token = `imux-${serial}-alive`;
      pings.set(token, serial);
      queue.push(formatLine('PING', [token]), { free: true });
    },
    close() {
      closed = true;
      const lost = new AdapterError('unreachable', 'the connection ended before the server answered');
      for (const exchange of all()) exchange.settle(lost);
      labels.clear();
      barriers.clear();
    },
  };
}
