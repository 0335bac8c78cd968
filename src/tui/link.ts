import type { LinkClient } from '../link/client.ts';
import type { Change, Method, Params, Result, Snapshot } from '../link/messages.ts';

/** `start`: starts the hub where none runs. */
export type Connect = (start: boolean) => Promise<LinkClient>;
export type LinkState = 'up' | 'lost' | 'stopped';

export interface LinkPorts {
  readonly connect: Connect;
  later(run: () => void, ms: number): void;
  snapshot(snapshot: Snapshot): void;
  changes(changes: readonly Change[]): void;
  /** `stopped`: somebody ended the hub; `error`: why it was lost, or could not be had. */
  state(state: LinkState, error?: unknown): void;
}

export interface Link {
  start(): void;
  call<M extends Method>(method: M, params: Params<M>, signal?: AbortSignal): Promise<Result<M>>;
  /** Starts the hub again after it was stopped. */
  wake(): void;
  end(): void;
}

export const RESTART = '/connect starts it again';

const FIRST_RETRY_MS = 150;
const LAST_RETRY_MS = 3_000;

/** Keeps the screen attached: connects, subscribes, and does so again whenever the hub is lost or asks for it. */
export function makeLink(ports: LinkPorts): Link {
  let client: LinkClient | undefined;
  let retry = FIRST_RETRY_MS;
  let ended = false;
  let stopped = false;
  let trying = false;

  const lost = (error?: unknown): void => {
    client = undefined;
    if (ended) return;
    ports.state(stopped ? 'stopped' : 'lost', error);
    ports.later(start, retry);
    retry = Math.min(LAST_RETRY_MS, retry * 2);
  };

  const start = (): void => {
    if (ended || client || trying) return;
    trying = true;
    ports.connect(!stopped).then(
      (fresh) => {
        trying = false;
        if (ended) {
          fresh.close();
          return;
        }
        client = fresh;
        stopped = false;
        watch(fresh);
      },
      (error: unknown) => {
        trying = false;
        lost(error);
      },
    );
  };

  const watch = (fresh: LinkClient): void => {
    // What arrives between the question and the handling of its answer is newer than the snapshot.
    let early: Change[] | undefined;
    const subscribe = (): void => {
      early = [];
      fresh.call('subscribe', {}).then(
        (snapshot) => {
          if (client !== fresh) return;
          const newer = early ?? [];
          early = undefined;
          retry = FIRST_RETRY_MS;
          ports.snapshot(snapshot);
          ports.state('up');
          if (newer.length > 0) ports.changes(newer);
        },
        // Closing is told of; anything else would leave the screen without a word.
        () => fresh.close(),
      );
    };
    fresh.on('changes', (changes) => {
      if (early) early.push(...changes);
      else ports.changes(changes);
    });
    fresh.on('resync', subscribe);
    fresh.on('ending', () => {
      stopped = true;
    });
    fresh.on('closed', (error) => {
      if (client === fresh) lost(error);
    });
    subscribe();
  };

  return {
    start,
    call(method, params, signal) {
      if (!client)
        return Promise.reject(
          new Error(stopped ? `the hub was stopped; ${RESTART}` : 'the hub is not there; connecting again'),
        );
      return client.call(method, params, signal);
    },
    wake() {
      stopped = false;
      start();
    },
    end() {
      ended = true;
      client?.close();
      client = undefined;
    },
  };
}
