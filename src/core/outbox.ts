import type { MessageId, Nonce } from '../../adapters/contract.ts';
import type { Row } from '../archive/types.ts';
import type { MessageState, Wait } from '../link/messages.ts';
import type { Attempts, Item, OutboxPort } from './attempt.ts';
import { Fault } from './fault.ts';
import { createLane, type Lane } from './lane.ts';

export type { Line, OutboxPort, ToSend } from './attempt.ts';

/** Brings what stands as `queued` in the archive to the networks, each message once, and tells how it went. */
export interface Outbox {
  /** Takes on a row that is in the archive as `queued`. */
  add(row: Row): void;
  /** The account came online, went, or failed. */
  wake(account: string): void;
  /** The network showed a message of ours with this nonce: it has arrived. */
  echo(nonce: Nonce, id: MessageId): void;
  /** Resolves with the row once its state answers the wait, or as it stands when the signal aborts. */
  settled(row: number, wait: Wait, signal: AbortSignal): Promise<Row>;
  /** Someone else changed the row's state (a receipt came): those who wait for it are told. */
  notify(row: Pick<Row, 'row' | 'state'>): void;
  /** @throws Fault `not-found`, or `bad-data` where it neither failed nor is unknown. */
  retry(row: number): void;
  /** @throws Fault `not-found`, or `refused` while it is being sent. */
  discard(row: number): void;
  /** Another text for what waits or failed. @throws Fault `not-found`, or `refused` where it goes or went out. */
  edit(row: number, text: string): Row;
  /** How many wait to go out. */
  queued(): number;
  remove(account: string): void;
  /** No new try begins; resolves when those under way are over, or after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/** Rows that an earlier hub left as `queued` go on; those left as `sent` are looked up, or become `unknown`. */
export function openOutbox(port: OutboxPort): Outbox {
  const { store } = port;
  const lanes = new Map<string, Lane>();
  const underWay = new Map<Nonce, Item>();
  const unknown = new Map<Nonce, number>();
  const waits = createWaits(store);
  let idle = (): void => {};

  const attempts: Attempts = {
    ...port,
    tell(row) {
      if (!row) return;
      if (row.state === 'unknown' && row.nonce !== undefined) unknown.set(row.nonce, row.row);
      port.changed(row);
      waits.notify(row);
    },
  };

  const take = (row: Row, uncertain: boolean): void => {
    const item = itemOf(row, uncertain);
    underWay.set(item.nonce, item);
    unknown.delete(item.nonce);
    let lane = lanes.get(row.account);
    if (!lane) {
      lane = createLane(row.account, attempts, (done) => {
        underWay.delete(done.nonce);
        idle();
      });
      lanes.set(row.account, lane);
    }
    lane.add(item);
  };

  for (const row of store.outbox()) {
    if (row.state === 'queued') take(row, false);
    else if (row.state === 'sent') take(row, true);
    else if (row.state === 'unknown' && row.nonce !== undefined) unknown.set(row.nonce, row.row);
  }

  const known = (id: number): Row => {
    const row = store.row(id);
    if (row?.state === undefined) throw new Fault('not-found', `no message ${id} in the outbox`);
    return row;
  };

  return {
    add: (row) => take(row, false),
    wake: (account) => lanes.get(account)?.wake(),
    echo(nonce, id) {
      const item = underWay.get(nonce);
      const row = item?.row ?? unknown.get(nonce);
      if (row === undefined) return;
      if (item) item.outcome = { state: 'accepted', id };
      unknown.delete(nonce);
      attempts.tell(store.settle(row, 'accepted', { id }));
    },
    settled: waits.settled,
    notify: waits.notify,
    retry(id) {
      const row = known(id);
      if (row.state !== 'failed' && row.state !== 'unknown')
        throw new Fault('bad-data', `message ${id} is ${row.state}: there is nothing to retry`);
      const uncertain = row.state === 'unknown' && port.line(row.account)?.lookup !== undefined;
      const queued = store.requeue(id);
      if (!queued) return;
      attempts.tell(queued);
      take(queued, uncertain);
    },
    discard(id) {
      const row = known(id);
      if (lanes.get(row.account)?.take(id) === false)
        throw new Fault('refused', `message ${id} is on its way just now`);
      if (!store.discard(id)) throw new Fault('not-found', `no message ${id} in the outbox`);
    },
    edit(id, text) {
      const row = known(id);
      const gone = new Fault('refused', `message ${id} has gone out, or may have; its text can no longer be changed`);
      // On disk first: the lane sends what it holds, and it must never hold what is not on record.
      if (row.state !== 'queued' && row.state !== 'failed') throw gone;
      const lane = lanes.get(row.account);
      if (lane?.edit(id, row.text) === false) throw gone;
      const changed = store.rewrite(id, text);
      if (!changed) throw gone;
      lane?.edit(id, text);
      return changed;
    },
    queued: () => lanes.values().reduce((sum, lane) => sum + lane.queued(), 0),
    remove(account) {
      const lane = lanes.get(account);
      lane?.stop();
      for (const item of lane?.items() ?? []) underWay.delete(item.nonce);
      lanes.delete(account);
    },
    async stop(graceMs) {
      for (const lane of lanes.values()) lane.stop();
      const busy = (): boolean => lanes.values().some((lane) => lane.busy());
      if (!busy()) return;
      const over = Promise.withResolvers<void>();
      const cancel = port.after(graceMs, over.resolve);
      idle = () => void (busy() || over.resolve());
      await over.promise;
      cancel();
    },
  };
}

function itemOf(row: Row, uncertain: boolean): Item {
  if (row.nonce === undefined) throw new Fault('hub', `message ${row.row} has no nonce`);
  return {
    row: row.row,
    key: row.key,
    nonce: row.nonce,
    text: row.text,
    replyTo: row.replyTo,
    uncertain,
    failedIn: undefined,
    deaths: 0,
    retries: 0,
    outcome: undefined,
  };
}

/** Those who wait for a message's state. */
function createWaits(store: OutboxPort['store']): Pick<Outbox, 'settled' | 'notify'> {
  const waiters = new Map<number, Set<(state: MessageState | undefined) => void>>();
  return {
    notify({ row, state }) {
      for (const waiter of [...(waiters.get(row) ?? [])]) waiter(state);
    },
    settled(id, wait, signal) {
      const now = store.row(id);
      if (!now) return Promise.reject(new Fault('not-found', `no message ${id}`));
      if (answers(now.state, wait) || signal.aborted) return Promise.resolve(now);
      return new Promise((resolve) => {
        const waiting = waiters.get(id) ?? new Set();
        waiters.set(id, waiting);
        const end = (): void => {
          waiting.delete(waiter);
          if (waiting.size === 0) waiters.delete(id);
          signal.removeEventListener('abort', end);
          resolve(store.row(id) ?? now);
        };
        const waiter = (state: MessageState | undefined): void => {
          if (answers(state, wait)) end();
        };
        waiting.add(waiter);
        signal.addEventListener('abort', end, { once: true });
      });
    },
  };
}

function answers(state: MessageState | undefined, wait: Wait): boolean {
  switch (state) {
    case undefined:
    case 'failed':
    case 'unknown':
    case 'delivered':
    case 'read':
      return true;
    case 'queued':
    case 'sent':
      return wait === 'queued';
    case 'accepted':
      return wait !== 'delivered';
  }
}
