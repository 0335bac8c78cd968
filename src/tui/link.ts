import type { LinkClient } from '../link/client.ts';
import type { Change, Method, Params, Result, Snapshot } from '../link/messages.ts';

export type Connect = () => Promise<LinkClient>;

export interface LinkPorts {
  readonly connect: Connect;
  later(run: () => void, ms: number): void;
  snapshot(snapshot: Snapshot): void;
  changes(changes: readonly Change[]): void;
  /** `error`: why it was lost, or could not be had. */
  state(state: 'up' | 'lost', error?: unknown): void;
}

export interface Link {
  start(): void;
  call<M extends Method>(method: M, params: Params<M>, signal?: AbortSignal): Promise<Result<M>>;
  end(): void;
}

const FIRST_RETRY_MS = 150;
const LAST_RETRY_MS = 3_000;

/** Keeps the screen attached: connects, subscribes, and does so again whenever the hub is lost or asks for it. */
export function makeLink(ports: LinkPorts): Link {
  let client: LinkClient | undefined;
  let retry = FIRST_RETRY_MS;
  let ended = false;

  const lost = (error?: unknown): void => {
    client = undefined;
    if (ended) return;
    ports.state('lost', error);
    ports.later(start, retry);
    retry = Math.min(LAST_RETRY_MS, retry * 2);
  };

  const start = (): void => {
    if (ended) return;
    ports.connect().then(
      (fresh) => {
        if (ended) {
          fresh.close();
          return;
        }
        client = fresh;
        watch(fresh);
      },
      (error: unknown) => lost(error),
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
    fresh.on('closed', (error) => {
      if (client === fresh) lost(error);
    });
    subscribe();
  };

  return {
    start,
    call(method, params, signal) {
      if (!client) return Promise.reject(new Error('the hub is not there; connecting again'));
      return client.call(method, params, signal);
    },
    end() {
      ended = true;
      client?.close();
      client = undefined;
    },
  };
}
