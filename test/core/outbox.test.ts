import { describe, expect, it } from 'vitest';
import type { MessageId, Nonce } from '../../adapters/contract.ts';
import { AdapterError } from '../../adapters/errors.ts';
import type { Archive, Row } from '../../src/archive/types.ts';
import { type Line, type Outbox, openOutbox, type ToSend } from '../../src/core/outbox.ts';
import type { ConversationKey, MessageState } from '../../src/link/messages.ts';
import { chatId, messageId } from '../hub/network.ts';
import { waitFor } from '../servers/process.ts';
import { testArchive } from './archive.ts';

interface Bench {
  readonly archive: Archive;
  outbox: Outbox;
  /** What the network took, in order. */
  readonly wire: string[];
  /** Each call of send, taken or not. */
  readonly tries: string[];
  readonly states: (readonly [string, MessageState | undefined])[];
  online: boolean;
  epoch: number;
  onSend: (message: ToSend) => Promise<void> | void;
  lookup: Line['lookup'] | undefined;
  /** Lets time pass: what waits for a time goes on. */
  elapse(): void;
  readonly waits: number[];
  queue(text: string, chat?: string): Row;
  restart(): void;
  state(row: Row): MessageState | undefined;
  reconnect(): void;
}

async function bench(): Promise<Bench> {
  const archive = await testArchive();
  const timers = new Set<{ ms: number; call: () => void }>();
  let counter = 0;
  const open = (): Outbox =>
    openOutbox({
      store: archive,
      line: () => ({
        online: () => self.online,
        epoch: () => self.epoch,
        async send(_chat, message) {
          self.tries.push(message.text);
          await self.onSend(message);
          self.wire.push(message.text);
          return messageId(`id-${message.nonce}`);
        },
        ...(self.lookup ? { lookup: self.lookup } : {}),
      }),
      changed: (row) => self.states.push([row.text, row.state]),
      after(ms, call) {
        const timer = { ms, call };
        timers.add(timer);
        // The bound on one call is no wait of a message.
        if (ms !== 120_000) self.waits.push(ms);
        return () => void timers.delete(timer);
      },
    });
  const self: Bench = {
    archive,
    outbox: undefined as never,
    wire: [],
    tries: [],
    states: [],
    online: true,
    epoch: 1,
    onSend: () => {},
    lookup: undefined,
    waits: [],
    elapse() {
      for (const timer of [...timers]) {
        if (timer.ms === 120_000 || !timers.delete(timer)) continue;
        timer.call();
      }
    },
    queue(text, chat = 'alice') {
      counter += 1;
      const { key } = archive.conversation('work', { id: chatId(chat), kind: 'direct', address: chat, title: chat });
      const { row } = archive.enqueue({ key, nonce: `n${counter}` as Nonce, text, at: counter });
      self.outbox.add(row);
      return row;
    },
    restart() {
      self.outbox = open();
    },
    state: (row) => archive.row(row.row)?.state,
    reconnect() {
      self.online = true;
      self.epoch += 1;
      self.outbox.wake('work');
    },
  };
  self.outbox = open();
  return self;
}

const until = (b: Bench, row: Row, state: MessageState): Promise<unknown> =>
  waitFor(() => b.state(row) === state, { what: `${state}; it is ${b.state(row)}`, timeoutMs: 2_000 });
const later = (): PromiseWithResolvers<void> => Promise.withResolvers<void>();
const fault = (code: AdapterError['code'], more: { certain?: boolean; retryAfter?: number } = {}): AdapterError =>
  new AdapterError(code, code, more);

describe('the outbox', () => {
  it('S14 keeps the order within a conversation and lets others pass', async () => {
    const b = await bench();
    const gate = later();
    b.onSend = ({ text }) => (text === 'a1' ? gate.promise : undefined);
    b.queue('a1', 'a');
    const a2 = b.queue('a2', 'a');
    const other = b.queue('b1', 'b');
    await until(b, other, 'accepted');
    expect(b.wire).toEqual(['b1']);
    gate.resolve();
    await until(b, a2, 'accepted');
    expect(b.wire).toEqual(['b1', 'a1', 'a2']);
  });

  it('a message is on record as sent before the network hears of it', async () => {
    const b = await bench();
    const seen: unknown[] = [];
    b.onSend = () => void seen.push(b.archive.outbox()[0]?.state);
    await until(b, b.queue('x'), 'accepted');
    expect(seen).toEqual(['sent']);
    expect(b.states.map(([, state]) => state)).toEqual(['sent', 'accepted']);
  });

  it('waits while the account is away and goes on when it is back', async () => {
    const b = await bench();
    b.online = false;
    const row = b.queue('x');
    b.outbox.wake('work');
    expect(b.tries).toEqual([]);
    b.reconnect();
    await until(b, row, 'accepted');
  });

  it.each([['refused'], ['not-found'], ['too-long'], ['unsupported'], ['auth'], ['protocol']] as const)(
    '%s ends it as failed, with the reason, and the next goes on',
    async (code) => {
      const b = await bench();
      b.onSend = ({ text }) => (text === 'bad' ? Promise.reject(fault(code)) : undefined);
      const bad = b.queue('bad');
      await until(b, b.queue('good'), 'accepted');
      expect(b.archive.row(bad.row)).toMatchObject({ state: 'failed', error: { code } });
      expect(b.tries).toEqual(['bad', 'good']);
    },
  );

  it('T3 a rate limit is waited out as long as the network says, in order, even over a reconnect', async () => {
    const b = await bench();
    let limits = 3;
    b.onSend = () => (limits-- > 0 ? Promise.reject(fault('rate-limited', { retryAfter: 7 })) : undefined);
    const first = b.queue('1');
    const second = b.queue('2');
    for (let round = 1; round <= 3; round += 1) {
      await waitFor(() => b.waits.length === round);
      expect(b.state(first)).toBe('queued');
      b.reconnect();
      expect(b.tries).toHaveLength(round);
      b.elapse();
    }
    await until(b, second, 'accepted');
    expect(b.waits).toEqual([7_000, 7_000, 7_000]);
    expect(b.wire).toEqual(['1', '2']);
  });

  it('what certainly did not go out is sent again, each time after twice as long', async () => {
    const b = await bench();
    let failures = 3;
    b.onSend = () => (failures-- > 0 ? Promise.reject(fault('unreachable')) : undefined);
    const row = b.queue('x');
    for (let round = 1; round <= 3; round += 1) {
      await waitFor(() => b.waits.length === round);
      b.elapse();
    }
    await until(b, row, 'accepted');
    expect(b.waits).toEqual([1_000, 2_000, 4_000]);
    expect(b.wire).toEqual(['x']);
  });

  it('T6 what may have gone out becomes unknown where the network cannot be asked, and is not sent again', async () => {
    const b = await bench();
    b.onSend = ({ text }) => (text === 'x' ? Promise.reject(fault('unreachable', { certain: false })) : undefined);
    const row = b.queue('x');
    await until(b, b.queue('y'), 'accepted');
    b.reconnect();
    expect(b.state(row)).toBe('unknown');
    expect(b.tries).toEqual(['x', 'y']);
  });

  it('what may have gone out is asked of the network first: found, it is accepted', async () => {
    const b = await bench();
    b.lookup = async () => messageId('there');
    b.onSend = () => Promise.reject(fault('unreachable', { certain: false }));
    const row = b.queue('x');
    await waitFor(() => b.waits.length === 1);
    expect(b.state(row)).toBe('sent');
    b.elapse();
    await until(b, row, 'accepted');
    expect(b.archive.row(row.row)?.id).toBe('there');
    expect(b.tries).toEqual(['x']);
  });

  it('what may have gone out is asked of the network first: not found, it is sent again', async () => {
    const b = await bench();
    let lost = true;
    b.lookup = async () => undefined;
    b.onSend = () => {
      if (!lost) return;
      lost = false;
      throw fault('unreachable', { certain: false });
    };
    const row = b.queue('x');
    await waitFor(() => b.waits.length === 1);
    b.elapse();
    await until(b, row, 'accepted');
    expect(b.tries).toEqual(['x', 'x']);
    expect(b.wire).toEqual(['x']);
  });

  it('F17 a message on which two connections die is parked; the others pass, none with it', async () => {
    const b = await bench();
    b.lookup = async () => undefined;
    const dying = new Set<() => void>();
    b.onSend = async ({ text }) => {
      if (text !== 'poison' && dying.size === 0) return;
      const end = later();
      const fail = (): void => end.reject(fault('unreachable', { certain: false }));
      dying.add(fail);
      if (text === 'poison') {
        b.online = false;
        setImmediate(() => {
          for (const each of dying) each();
          dying.clear();
        });
      }
      await end.promise;
    };
    const poison = b.queue('poison', 'a');
    const beside = b.queue('beside', 'b');
    const behind = b.queue('behind', 'a');
    for (let connection = 0; connection < 6 && b.state(behind) !== 'accepted'; connection += 1) {
      await waitFor(() => !b.online || b.state(behind) === 'accepted');
      await new Promise(setImmediate);
      b.reconnect();
    }
    await until(b, behind, 'accepted');
    await until(b, beside, 'accepted');
    expect(b.state(poison)).toBe('failed');
    expect(b.tries.filter((text) => text === 'poison')).toHaveLength(2);
    expect(b.archive.row(poison.row)?.error?.message).toContain('twice');
  });

  it('after a restart what was queued goes out and what was under way is looked up', async () => {
    const b = await bench();
    b.onSend = () => new Promise(() => {});
    const sent = b.queue('sent', 'a');
    await until(b, sent, 'sent');
    b.online = false;
    const queued = b.queue('queued', 'b');

    b.online = true;
    b.onSend = () => {};
    b.lookup = async (_chat, nonce) => (nonce === sent.nonce ? messageId('there') : undefined);
    b.restart();
    await until(b, sent, 'accepted');
    await until(b, queued, 'accepted');
    expect(b.wire).toEqual(['queued']);
  });

  it('after a restart what was under way is unknown where the network cannot be asked', async () => {
    const b = await bench();
    b.onSend = () => new Promise(() => {});
    const row = b.queue('x');
    await until(b, row, 'sent');
    b.restart();
    await until(b, row, 'unknown');
    expect(b.tries).toEqual(['x']);
  });

  it('an echo of the network settles what was unknown', async () => {
    const b = await bench();
    b.onSend = () => Promise.reject(fault('unreachable', { certain: false }));
    const row = b.queue('x');
    await until(b, row, 'unknown');
    b.outbox.echo(row.nonce ?? ('' as Nonce), messageId('seen'));
    expect(b.archive.row(row.row)).toMatchObject({ state: 'accepted', id: 'seen' });
  });

  it('who waits is told of the state that was waited for, or of the last one when the time is up', async () => {
    const b = await bench();
    const forever = new AbortController();
    const row = b.queue('x');
    expect(await b.outbox.settled(row.row, 'queued', forever.signal)).toMatchObject({ text: 'x' });
    expect(await b.outbox.settled(row.row, 'accepted', forever.signal)).toMatchObject({ state: 'accepted' });
    const delivered = b.outbox.settled(row.row, 'delivered', forever.signal);
    for (const changed of b.archive.receipt(row.key, `id-${row.nonce}` as MessageId, 'delivered', true))
      b.outbox.notify(changed);
    expect(await delivered).toMatchObject({ state: 'delivered' });

    b.online = false;
    const waiting = b.queue('y');
    expect(await b.outbox.settled(waiting.row, 'accepted', AbortSignal.timeout(20))).toMatchObject({ state: 'queued' });
  });

  it('a failed message is sent again when asked, and only then', async () => {
    const b = await bench();
    b.onSend = () => Promise.reject(fault('refused'));
    const row = b.queue('x');
    await until(b, row, 'failed');
    b.onSend = () => {};
    b.outbox.retry(row.row);
    await until(b, row, 'accepted');
    expect(() => b.outbox.retry(row.row)).toThrow(/nothing to retry/);
  });

  it('a queued message can be thrown away; one that is on its way cannot', async () => {
    const b = await bench();
    const gate = later();
    b.onSend = () => gate.promise;
    const first = b.queue('1');
    const second = b.queue('2');
    await until(b, first, 'sent');
    expect(() => b.outbox.discard(first.row)).toThrow(/on its way/);
    b.outbox.discard(second.row);
    gate.resolve();
    await until(b, first, 'accepted');
    expect(b.outbox.queued()).toBe(0);
    expect(b.archive.row(second.row)).toBeUndefined();
    expect(b.tries).toEqual(['1']);
  });

  it('an adapter that never answers does not hold its conversation for ever', async () => {
    const archive = await testArchive();
    const key: ConversationKey = archive.conversation('work', {
      id: chatId('a'),
      kind: 'direct',
      address: 'a',
      title: 'a',
    }).key;
    let late = (): void => {};
    const outbox = openOutbox({
      store: archive,
      line: () => ({ online: () => true, epoch: () => 1, send: () => new Promise(() => {}) }),
      changed: () => {},
      after: (_ms, call) => {
        late = call;
        return () => {};
      },
    });
    const { row } = archive.enqueue({ key, nonce: 'n' as Nonce, text: 'x', at: 1 });
    outbox.add(row);
    late();
    expect(await outbox.settled(row.row, 'accepted', new AbortController().signal)).toMatchObject({ state: 'unknown' });
  });
});
