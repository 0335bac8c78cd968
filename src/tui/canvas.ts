import type { ReadStream, WriteStream } from 'node:tty';
import { type Instance, render } from 'ink';
import { createElement } from 'react';
import type { Picture } from './draw.ts';
import { Screen } from './screen.ts';
import { withColumns } from './terminal.ts';

/** Where pictures go: ink, on the alternate screen, from the first picture on. */
export interface Canvas {
  show(picture: Picture): void;
  /** The next picture is drawn whole, whatever the terminal shows now. */
  wipe(): void;
  /** Leaves the alternate screen. @throws where ink cannot. */
  close(): void;
}

/** `column`: where the conversation begins, for the column mark. */
export function openCanvas(stdin: ReadStream, stdout: WriteStream, column: () => number): Canvas {
  let ink: Instance | undefined;
  let shown: Picture | undefined;
  return {
    show(picture) {
      if (shown && same(shown, picture)) return;
      shown = picture;
      const screen = createElement(Screen, { picture });
      if (ink) ink.rerender(screen);
      else ink = render(screen, { ...OPTIONS, stdin, stdout: withColumns(stdout, column) });
    },
    wipe() {
      if (!ink) return;
      ink.clear();
      stdout.write('\x1b[2J\x1b[H');
      shown = undefined;
    },
    close: () => ink?.unmount(),
  };
}

const OPTIONS = {
  alternateScreen: true,
  incrementalRendering: true,
  // Also under CI, where ink would otherwise write the last picture only.
  interactive: true,
  exitOnCtrlC: false,
  patchConsole: false,
  // Pictures are spaced by frames.ts, not there.
  maxFps: 1000,
} as const;

function same(a: Picture, b: Picture): boolean {
  if (a.cursor.x !== b.cursor.x || a.cursor.y !== b.cursor.y || a.rows.length !== b.rows.length) return false;
  return a.rows.every((row, i) => row === b.rows[i]);
}
