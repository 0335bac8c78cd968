import { describe, expect, it } from 'vitest';
import { makeFrames } from '../../src/tui/frames.ts';

/** Frames on a clock that is moved by hand, a millisecond at a time. */
function film() {
  let now = 1_000;
  let timer: { at: number; run: () => void } | undefined;
  const painted: number[] = [];
  const frames = makeFrames(() => painted.push(now), {
    now: () => now,
    setTimer(run, ms) {
      const mine = { at: now + ms, run };
      timer = mine;
      return () => {
        if (timer === mine) timer = undefined;
      };
    },
  });
  const pass = (ms: number, each: () => void = () => {}): void => {
    for (const end = now + ms; now < end; now++) {
      each();
      const due = timer;
      if (due && due.at <= now) {
        timer = undefined;
        due.run();
      }
    }
  };
  return { painted, frames, pass, now: () => now };
}

describe('when pictures are drawn', () => {
  it('the first key after a pause at once', () => {
    const { painted, frames, pass } = film();
    frames.request('key');
    pass(2);
    expect(painted).toEqual([1_000]);
  });

  it('at most 15 a second while messages pour in', () => {
    const { painted, frames, pass } = film();
    pass(1_000, () => frames.request('data'));
    expect(painted.length).toBeGreaterThanOrEqual(10);
    expect(painted.length).toBeLessThanOrEqual(15);
  });

  it('at most 30 a second whatever comes', () => {
    const { painted, frames, pass } = film();
    pass(1_000, () => {
      frames.request('data');
      frames.request('key');
    });
    expect(painted.length).toBeLessThanOrEqual(30);
  });

  it('a key is shown within 35 ms in the middle of a flood', () => {
    const { painted, frames, pass, now } = film();
    pass(500, () => frames.request('data'));
    for (let i = 0; i < 20; i++) {
      const pressed = now();
      frames.request('key');
      pass(40 + i, () => frames.request('data'));
      expect((painted.find((at) => at >= pressed) ?? Number.POSITIVE_INFINITY) - pressed).toBeLessThanOrEqual(35);
    }
  });

  it('a key that comes alone in a flood is shown within 11 ms', () => {
    const { painted, frames, pass, now } = film();
    pass(500, () => frames.request('data'));
    for (let i = 0; i < 20; i++) {
      const pressed = now();
      frames.request('key');
      pass(70 + i, () => frames.request('data'));
      expect((painted.find((at) => at >= pressed) ?? Number.POSITIVE_INFINITY) - pressed).toBeLessThanOrEqual(11);
    }
    for (let from = 1_000; from < now(); from++)
      expect(painted.filter((at) => at >= from && at < from + 1_000).length).toBeLessThanOrEqual(30);
  });

  it('none after the end', () => {
    const { painted, frames, pass } = film();
    frames.request('key');
    frames.end();
    frames.request('key');
    pass(200);
    expect(painted).toEqual([]);
  });
});
