import { chmodSync, closeSync, constants, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { sanitiseLine } from '../core/sanitise.ts';

export type Level = 'debug' | 'info' | 'warn';

/** hub.log: what happened, for a person who looks for a cause. Never a message's text, never a secret. */
export interface Log {
  write(level: Level, about: string, text: string): void;
  close(): void;
}

export interface LogOptions {
  /** At this size it becomes hub.log.1, in place of the one before. */
  readonly maxBytes?: number;
  readonly now?: () => number;
  readonly debug?: boolean;
}

/** Lines a second; what is more says only how many it were. */
const mostLines = 100;
const mostChars = 1_000;

export function openLog(path: string, options: LogOptions = {}): Log {
  const { maxBytes = 1024 * 1024, now = Date.now, debug = false } = options;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  let file = open(path);
  let bytes = fstatSync(file).size;
  let second = 0;
  let lines = 0;

  const put = (line: string): void => {
    try {
      if (bytes > maxBytes) {
        closeSync(file);
        renameSync(path, `${path}.1`);
        file = open(path);
        bytes = 0;
      }
      bytes += writeSync(file, line);
    } catch {
      // A full disk must not end the hub for want of a log.
    }
  };

  return {
    write(level, about, text) {
      if (level === 'debug' && !debug) return;
      const at = now();
      const time = new Date(at).toISOString();
      if (Math.floor(at / 1000) !== second) {
        if (lines > mostLines) put(`${time} warn hub: ${lines - mostLines} lines left out\n`);
        second = Math.floor(at / 1000);
        lines = 0;
      }
      lines += 1;
      if (lines <= mostLines) put(`${time} ${level} ${about}: ${sanitiseLine(text.slice(0, mostChars))}\n`);
    },
    close: () => closeSync(file),
  };
}

function open(path: string): number {
  const file = openSync(
    path,
    constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW,
    0o600,
  );
  chmodSync(path, 0o600);
  return file;
}
