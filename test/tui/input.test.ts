import { describe, expect, it } from 'vitest';
import { decodeInput, type InputEvent } from '../../src/tui/input.ts';

/** A decoder on a clock that is moved by hand. */
function decoder() {
  const events: InputEvent[] = [];
  let now = 0;
  let timers: { at: number; run: () => void }[] = [];
  const decode = decodeInput((event) => events.push(event), {
    setTimer(run, ms) {
      const timer = { at: now + ms, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
  });
  const wait = (ms: number): void => {
    now += ms;
    const due = timers.filter((timer) => timer.at <= now);
    timers = timers.filter((timer) => timer.at > now);
    for (const timer of due) timer.run();
  };
  return { events, push: decode.push, wait };
}

function eventsOf(...chunks: string[]): InputEvent[] {
  const { events, push, wait } = decoder();
  for (const chunk of chunks) push(chunk);
  wait(100);
  return events;
}

const key = (name: string): InputEvent => ({ type: 'key', key: name });

describe('input from the terminal', () => {
  it.each([
    ['\r', 'enter'],
    ['\x1b\r', 'alt-enter'],
    ['\x1b[13;3u', 'alt-enter'],
    ['\x1b[27;2;13~', 'shift-enter'],
    ['\n', 'ctrl-j'],
    ['\x0b', 'ctrl-k'],
    ['\x1ba', 'alt-a'],
    ['\x1b1', 'alt-1'],
    ['\x1b[1;3A', 'alt-up'],
    ['\x1b\x1b[A', 'alt-up'],
    ['\x1bOP', 'f1'],
    ['\x1b[11~', 'f1'],
    ['\x1b[[A', 'f1'],
    ['\x1b[5~', 'pageup'],
    ['\x1b[1;5H', 'ctrl-home'],
    ['\x1b[Z', 'shift-tab'],
    ['\x7f', 'backspace'],
    ['\x1b\x7f', 'alt-backspace'],
    ['\x1b', 'esc'],
  ])('knows %j as %s', (sent, name) => {
    expect(eventsOf(sent)).toEqual([key(name)]);
    expect(eventsOf(...sent)).toEqual([key(name)]);
  });

  it('keeps text whole around keys', () => {
    expect(eventsOf('hi 👍\r\x1b[Ax')).toEqual([
      { type: 'text', text: 'hi 👍' },
      key('enter'),
      key('up'),
      { type: 'text', text: 'x' },
    ]);
  });

  it('says nothing for sequences that are no keys: replies, unknown modes, releases', () => {
    expect(eventsOf('\x1b[?62;1c\x1b[12;40R\x1b[<0;3;4m\x1b[99~')).toEqual([]);
  });

  it('tells the focus of the terminal, the wheel and clicks', () => {
    expect(eventsOf('\x1b[O\x1b[I\x1b[<64;10;5M\x1b[<0;3;4M\x1b[<35;3;4M')).toEqual([
      { type: 'focus', focused: false },
      { type: 'focus', focused: true },
      { type: 'mouse', what: 'wheel-up', column: 9, row: 4 },
      { type: 'mouse', what: 'press', column: 2, row: 3 },
    ]);
  });
});

describe('a paste', () => {
  it('V4 is one event, however it is cut into chunks', () => {
    const sent = '\x1b[200~one\rtwo\x03\x1b[A\x1b[201~';
    expect(eventsOf(sent)).toEqual([{ type: 'paste', text: 'one\rtwo\x03\x1b[A' }]);
    expect(eventsOf(...sent)).toEqual([{ type: 'paste', text: 'one\rtwo\x03\x1b[A' }]);
  });

  it('V4 does not end at an end mark inside it', () => {
    expect(eventsOf('\x1b[200~echo\x1b[201~\rrm -rf /\r\x1b[201~')).toEqual([
      { type: 'paste', text: 'echo\rrm -rf /\r' },
    ]);
    expect(eventsOf('\x1b[200~echo\x1b[201~', '\rrm -rf /\r')).toEqual([{ type: 'paste', text: 'echo\rrm -rf /\r' }]);
  });

  it('is over when a hand types on', () => {
    const { events, push, wait } = decoder();
    push('\x1b[200~pasted\x1b[201~');
    wait(50);
    push('\r');
    expect(events).toEqual([{ type: 'paste', text: 'pasted' }, key('enter')]);
  });
});
