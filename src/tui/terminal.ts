import { writeSync } from 'node:fs';
import type { ReadStream, WriteStream } from 'node:tty';
import { COLUMN_MARK } from './width.ts';

/** Buttons and wheel, as SGR reports. https://invisible-island.net/xterm/ctlseqs/ctlseqs.html#h2-Mouse-Tracking */
const MOUSE_ON = '\x1b[?1000h\x1b[?1006h';
const MOUSE_OFF = '\x1b[?1006l\x1b[?1000l';
/** Focus reports and bracketed paste. */
const REPORTS_ON = '\x1b[?1004h\x1b[?2004h';
const REPORTS_OFF = '\x1b[?1004l\x1b[?2004l';
/** For a process that dies: what ink would have put back. */
const LEAVE = '\x1b[?2026l\x1b[0m\x1b[?1049l\x1b[?25h';

const STDOUT = 1;

export interface Terminal {
  mouse(on: boolean): void;
  /** Gives the terminal back as it was; ink leaves the alternate screen itself. */
  restore(): void;
  /** The same where ink cannot: at once, and all of it. */
  rescue(): void;
}

/** Takes the keyboard raw, with mouse, focus and paste reports; `input` gets what the terminal sends. */
export function takeTerminal(stdin: ReadStream, stdout: WriteStream, input: (chunk: string) => void): Terminal {
  let taken = true;
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  stdin.on('data', input);
  stdin.resume();
  stdout.write(MOUSE_ON + REPORTS_ON);

  const release = (): void => {
    taken = false;
    stdin.off('data', input);
    try {
      stdin.setRawMode(false);
    } catch {
      // The terminal is gone, and with it its modes.
    }
    stdin.pause();
    stdin.unref();
  };
  return {
    mouse: (on) => {
      stdout.write(on ? MOUSE_ON : MOUSE_OFF);
    },
    restore() {
      if (!taken) return;
      release();
      stdout.write(MOUSE_OFF + REPORTS_OFF);
    },
    rescue() {
      if (taken) release();
      try {
        writeSync(STDOUT, MOUSE_OFF + REPORTS_OFF + LEAVE);
      } catch {
        // Nobody is left to see it.
      }
    },
  };
}

/** The same terminal, where the column mark is written as a move to the column that it stands for (from 0). */
export function withColumns(stdout: WriteStream, column: () => number): WriteStream {
  const write = (chunk: string | Uint8Array, ...rest: []): boolean =>
    stdout.write(typeof chunk === 'string' ? chunk.replaceAll(COLUMN_MARK, `\x1b[${column() + 1}G `) : chunk, ...rest);
  return new Proxy(stdout, {
    get(target, name) {
      if (name === 'write') return write;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
