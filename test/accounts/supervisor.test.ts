import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPace, watchWake } from '../../accounts/pace.ts';
import { createSupervisor, type Ended, type History, judge, noHistory } from '../../accounts/supervisor.ts';
import { AdapterError, type AdapterErrorOptions, type ErrorCode } from '../../adapters/errors.ts';
import { type FakeClock, fakeClock, settle } from './fake-clock.ts';

const ended = (code: ErrorCode, options: AdapterErrorOptions & { upMs?: number; how?: Ended['how'] } = {}) => ({
  how: options.how ?? ('loss' as const),
  error: new AdapterError(code, `it was ${code}`, options),
  upMs: options.upMs ?? 0,
});

/** The waits of so many losses in a row. */
function waits(code: ErrorCode, losses: number, random: number, options: AdapterErrorOptions = {}): number[] {
  let history: History = noHistory;
  return Array.from({ length: losses }, () => {
    const verdict = judge(history, ended(code, options), 0, random);
    if (verdict.next === 'stop') throw new Error('it stopped');
    history = verdict.history;
    return Math.round(verdict.ms);
  });
}

describe('the policy', () => {
  it('doubles the range of the wait from 2 s to 5 min', () => {
    expect(waits('unreachable', 10, 1)).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map((s) => s * 1000));
  });

  it('spreads the wait over the whole range, and never below a second', () => {
    expect(waits('unreachable', 10, 0)).toEqual(Array(10).fill(1000));
    expect(waits('unreachable', 3, 0.5)).toEqual([1500, 2500, 4500]);
  });

  it('begins anew after a connection that held a minute', () => {
    const history = { losses: 9, faults: [] };
    expect(judge(history, ended('unreachable', { upMs: 60_000 }), 0, 1)).toMatchObject({ ms: 2000 });
    expect(judge(history, ended('unreachable', { upMs: 59_999 }), 0, 1)).toMatchObject({ ms: 300_000 });
  });

  it('stops on wrong credentials: a retry could lock the person out', () => {
    expect(judge(noHistory, ended('auth'), 0, 0.5)).toMatchObject({ next: 'stop', error: { code: 'auth' } });
  });

  it('stops where no try can help', () => {
    expect(judge(noHistory, ended('refused', { how: 'hopeless' }), 0, 0.5)).toMatchObject({ next: 'stop' });
  });

  it('comes back slowly to a server that refused', () => {
    expect(Math.min(...waits('refused', 8, 0))).toBe(30_000);
    expect(waits('refused', 8, 1).at(-1)).toBe(3_600_000);
  });

  it('waits as long as the network asked, even beyond 5 min, and not all to the same instant', () => {
    expect(waits('rate-limited', 1, 0, { retryAfter: 3600 })).toEqual([3_600_000]);
    expect(waits('rate-limited', 1, 0.9, { retryAfter: 3600 })).toEqual([3_600_900]);
  });

  it('stays within its bounds for any error, history and chance', () => {
    const codes = fc.constantFrom<ErrorCode>(
      'unreachable',
      'protocol',
      'rate-limited',
      'not-found',
      'refused',
      'unsupported',
    );
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    const after = fc.option(fc.double(), { nil: undefined });
    fc.assert(
      fc.property(codes, fc.nat(1000), chance, after, (code, losses, random, retryAfter) => {
        const options = retryAfter === undefined ? {} : { retryAfter };
        const verdict = judge({ losses, faults: [] }, ended(code, options), 0, random);
        expect(verdict.next).toBe('wait');
        if (verdict.next !== 'wait') return;
        expect(verdict.ms).toBeGreaterThanOrEqual(1000);
        expect(Number.isFinite(verdict.ms)).toBe(true);
        if (retryAfter === undefined) expect(verdict.ms).toBeLessThanOrEqual(3_600_000);
      }),
    );
  });

  it('F10 parks an account whose adapter threw more than five times in a minute, with the reason', () => {
    let history: History = noHistory;
    for (const at of [0, 10, 20, 30, 40]) {
      const verdict = judge(history, ended('protocol', { how: 'fault' }), at * 1000, 0);
      expect(verdict.next).toBe('wait');
      history = verdict.history;
    }
    expect(judge(history, ended('protocol', { how: 'fault' }), 50_000, 0)).toMatchObject({
      next: 'stop',
      error: { message: 'stopped after 6 faults in a minute, the last: it was protocol' },
    });
    expect(judge(history, ended('protocol', { how: 'fault' }), 61_000, 0)).toMatchObject({ next: 'wait' });
  });
});

describe('the supervisor', () => {
  function supervised(options: { clock?: FakeClock; random?: () => number } = {}) {
    const clock = options.clock ?? fakeClock();
    const states: string[] = [];
    const attempts: { at: number; signal: AbortSignal; online(self: string): void; end(ended: Ended): void }[] = [];
    const wake = watchWake(clock, { addresses: () => '' });
    const supervisor = createSupervisor({
      attempt: (signal, online) =>
        new Promise((end) => {
          attempts.push({ at: clock.now(), signal, online, end });
          signal.addEventListener('abort', () =>
            end({ how: 'loss', error: new AdapterError('unreachable', 'stopped') }),
          );
        }),
      status: ({ state }) => void states.push(state),
      clock,
      wake,
      random: options.random ?? (() => 0.5),
    });
    const last = () => {
      const found = attempts.at(-1);
      if (!found) throw new Error('no attempt');
      return found;
    };
    return { clock, states, attempts, supervisor, last };
  }

  it('tells each change of state once, from one writer', async () => {
    const { supervisor, states, last, clock } = supervised();
    supervisor.start();
    await settle();
    last().online('me');
    last().online('me');
    last().end(ended('unreachable'));
    await clock.advance(1_500);
    last().online('me');
    await supervisor.stop();
    expect(states).toEqual(['connecting', 'online', 'waiting', 'connecting', 'online', 'offline']);
  });

  it('says until when it waits, and why', async () => {
    const { supervisor, last, clock } = supervised();
    supervisor.start();
    await settle();
    last().end(ended('unreachable'));
    await settle();
    expect(supervisor.status).toMatchObject({
      state: 'waiting',
      until: clock.now() + 1_500,
      error: { message: 'it was unreachable' },
    });
  });

  it('connects at once on retry, while it waits and after it failed', async () => {
    const { supervisor, last, attempts } = supervised();
    supervisor.start();
    await settle();
    last().end(ended('unreachable'));
    await settle();
    supervisor.retry();
    await settle();
    expect(attempts).toHaveLength(2);
    last().end(ended('auth'));
    await settle();
    expect(supervisor.status.state).toBe('failed');
    supervisor.retry();
    await settle();
    expect(attempts).toHaveLength(3);
  });

  it('never tries again by itself after wrong credentials', async () => {
    const { supervisor, last, attempts, clock } = supervised();
    supervisor.start();
    await settle();
    last().end(ended('auth'));
    await clock.advance(86_400_000);
    expect(attempts).toHaveLength(1);
    expect(clock.sleepers).toBe(0);
  });

  it('F8 connects within 5 s of a wake from suspend, however long it would still wait', async () => {
    const { supervisor, last, attempts, clock } = supervised({ random: () => 0.99 });
    supervisor.start();
    for (let loss = 0; loss < 9; loss++) {
      await settle();
      last().end(ended('unreachable'));
      await clock.advance(loss < 8 ? 300_000 : 0);
    }
    expect(attempts).toHaveLength(9);
    clock.suspend(3_600_000);
    await clock.advance(5_000);
    expect(attempts).toHaveLength(10);
  });

  it('does not take a slow tick for a suspend', async () => {
    const { supervisor, last, attempts, clock } = supervised({ random: () => 0.99 });
    supervisor.start();
    for (let loss = 0; loss < 7; loss++) {
      await settle();
      last().end(ended('unreachable'));
      await clock.advance(loss < 6 ? 300_000 : 0);
    }
    clock.suspend(5_000);
    await clock.advance(6_000);
    expect(attempts).toHaveLength(7);
  });

  it('stops while connecting, online and waiting, and leaves no timer', async () => {
    for (const stage of ['connecting', 'online', 'waiting']) {
      const { supervisor, last, clock, states } = supervised();
      supervisor.start();
      await settle();
      if (stage === 'online') last().online('me');
      if (stage === 'waiting') last().end(ended('unreachable'));
      await settle();
      expect(states.at(-1)).toBe(stage);
      await supervisor.stop();
      expect(supervisor.status.state).toBe('offline');
      expect(clock.sleepers).toBe(0);
    }
  });

  it('can be started again after a stop, and while it still stops', async () => {
    const { supervisor, attempts } = supervised();
    supervisor.start();
    await settle();
    await supervisor.stop();
    supervisor.start();
    await settle();
    expect(attempts).toHaveLength(2);
    const stopped = supervisor.stop();
    supervisor.start();
    await settle();
    expect(attempts).toHaveLength(3);
    await stopped;
    expect(supervisor.status.state).toBe('connecting');
    await supervisor.stop();
    expect(attempts.every(({ signal }) => signal.aborted)).toBe(true);
  });

  it('tells a new name once it is online', async () => {
    const { supervisor, last } = supervised();
    supervisor.start();
    await settle();
    last().online('me');
    last().online('me_');
    expect(supervisor.status).toEqual({ state: 'online', self: 'me_' });
  });
});

describe('the pace', () => {
  it('F14 lets fifty accounts connect one after another, the first few at once', async () => {
    const clock = fakeClock();
    const pace = createPace(clock, { burst: 4, everyMs: 150 });
    const began = clock.now();
    const at: number[] = [];
    const all = Array.from({ length: 50 }, () =>
      pace(new AbortController().signal).then(() => at.push(clock.now() - began)),
    );
    await clock.advance(10_000);
    await Promise.all(all);
    expect(at.slice(0, 6)).toEqual([0, 0, 0, 0, 150, 300]);
    expect(at.at(-1)).toBe(46 * 150);
  });

  it('F14 fifty accounts whose servers were away for a minute come back spread out, and none gives up', async () => {
    const clock = fakeClock();
    const began = clock.now();
    const pace = createPace(clock);
    let seed = 1;
    const random = (): number => {
      seed = (seed * 48_271) % 0x7fff_ffff;
      return seed / 0x7fff_ffff;
    };
    const accounts = Array.from({ length: 50 }, () => {
      const attempts: number[] = [];
      const supervisor = createSupervisor({
        attempt: (signal, online) => {
          attempts.push(clock.now() - began);
          const down = { how: 'loss', error: new AdapterError('unreachable', 'down') } as const;
          if (clock.now() - began < 60_000) return Promise.resolve(down);
          online('me');
          return new Promise((end) => signal.addEventListener('abort', () => end(down)));
        },
        status: () => {},
        clock,
        pace,
        random,
      });
      supervisor.start();
      return { attempts, supervisor };
    });
    await clock.advance(180_000);
    expect(accounts.map(({ supervisor }) => supervisor.status.state)).toEqual(Array(50).fill('online'));
    const gaps = accounts.flatMap(({ attempts }) =>
      attempts.slice(1).map((at, before) => at - (attempts[before] ?? 0)),
    );
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000);
    const back = accounts.map(({ attempts }) => attempts.at(-1) ?? 0);
    expect(Math.max(...back) - Math.min(...back)).toBeGreaterThan(10_000);
    await Promise.all(accounts.map(({ supervisor }) => supervisor.stop()));
    expect(clock.sleepers).toBe(0);
  });

  it('F7 holds nobody up when the clock is set back a day', async () => {
    const clock = fakeClock();
    const pace = createPace(clock);
    for (let i = 0; i < 4; i++) await pace(new AbortController().signal);
    clock.suspend(-86_400_000);
    let passed = false;
    void pace(new AbortController().signal).then(() => {
      passed = true;
    });
    await clock.advance(1_000);
    expect(passed).toBe(true);
  });
});

describe('the watch for a wake', () => {
  it('tells of changed addresses of the machine', async () => {
    const clock = fakeClock();
    let addresses = '10.0.0.2/24';
    let woke = 0;
    watchWake(clock, { addresses: () => addresses }).on(() => woke++);
    await clock.advance(20_000);
    expect(woke).toBe(0);
    addresses = '192.168.1.9/24';
    await clock.advance(20_000);
    expect(woke).toBe(1);
  });

  it('looks only while somebody listens', async () => {
    const clock = fakeClock();
    const wake = watchWake(clock, { addresses: () => '' });
    const ends = [wake.on(() => {}), wake.on(() => {})];
    expect(clock.sleepers).toBe(1);
    for (const end of ends) end();
    await settle();
    expect(clock.sleepers).toBe(0);
  });
});
