import { PassThrough } from 'node:stream';
import type { ReadStream, WriteStream } from 'node:tty';
import headless from '@xterm/headless';
import { describe, expect, it, vi } from 'vitest';
import { type Canvas, openCanvas } from '../../src/tui/canvas.ts';
import { COLUMN_MARK } from '../../src/tui/width.ts';

/** Ink on streams that say they are a terminal, and the terminal that reads them. */
function canvasOn(columns: number, rows: number) {
  const terminal = new headless.Terminal({ cols: columns, rows, allowProposedApi: true, convertEol: true });
  const written: string[] = [];
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns, rows });
  stdout.on('data', (chunk: Buffer) => {
    written.push(chunk.toString());
    terminal.write(chunk);
  });
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const canvas: Canvas = openCanvas(stdin as unknown as ReadStream, stdout as unknown as WriteStream, () => 5);
  const rowsNow = (): string[] => {
    const { active } = terminal.buffer;
    return Array.from({ length: rows }, (_, y) => active.getLine(active.baseY + y)?.translateToString(true) ?? '');
  };
  const shows = (wanted: readonly unknown[]): Promise<void> => vi.waitFor(() => expect(rowsNow()).toEqual(wanted));
  return { canvas, shows, written, terminal };
}

describe('pictures through ink', () => {
  it('fill the terminal to its last cell without scrolling it', async () => {
    const { canvas, shows } = canvasOn(12, 4);
    const rows = ['abcdefghijkl', '', '', 'ABCDEFGHIJKL'];
    canvas.show({ rows, cursor: { x: 0, y: 3 } });
    await shows(rows);
    canvas.close();
  });

  it('write only the rows that changed, and nothing for the same picture again', async () => {
    const { canvas, shows, written } = canvasOn(20, 4);
    canvas.show({ rows: ['first', 'second', 'third', 'last'], cursor: { x: 1, y: 3 } });
    await shows(['first', 'second', 'third', 'last']);
    written.length = 0;
    const changed = { rows: ['first', 'second', 'changed', 'last'], cursor: { x: 1, y: 3 } };
    canvas.show(changed);
    await shows(changed.rows);
    canvas.show({ ...changed, rows: [...changed.rows] });
    canvas.show({ rows: ['first', 'second', 'again', 'last'], cursor: { x: 1, y: 3 } });
    await shows(['first', 'second', 'again', 'last']);
    expect(written.join('')).not.toMatch(/first|second|last/);
    expect(written.join('').match(/changed/g)).toHaveLength(1);
    canvas.close();
  });

  it('put the cursor where the picture says', async () => {
    const { canvas, shows, terminal } = canvasOn(20, 3);
    canvas.show({ rows: ['', 'prompt', ''], cursor: { x: 6, y: 1 } });
    await shows(['', 'prompt', '']);
    await vi.waitFor(() => expect([terminal.buffer.active.cursorX, terminal.buffer.active.cursorY]).toEqual([6, 1]));
    canvas.close();
  });

  it('V8 begin the conversation in its column, whatever stands before it', async () => {
    const { canvas, shows, terminal } = canvasOn(20, 3);
    // This terminal knows no graphemes, and gives the family another width than ink does.
    canvas.show({ rows: [`👨‍👩‍👧 ${COLUMN_MARK}one`, `ab   ${COLUMN_MARK}two`, ''], cursor: { x: 0, y: 0 } });
    await shows([expect.stringMatching(/one$/), 'ab    two', '']);
    const columnOf = (y: number, text: string): number =>
      Array.from({ length: 20 }, (_, x) => x).findIndex((x) =>
        terminal.buffer.active.getLine(y)?.translateToString(true, x).startsWith(text),
      );
    expect([columnOf(0, 'one'), columnOf(1, 'two')]).toEqual([6, 6]);
    canvas.close();
  });

  it('come whole again after a wipe', async () => {
    const { canvas, shows, terminal } = canvasOn(20, 3);
    const picture = { rows: ['one', 'two', 'three'], cursor: { x: 0, y: 2 } };
    canvas.show(picture);
    await shows(picture.rows);
    terminal.write('\x1b[2;1Hrubbish from elsewhere');
    await shows(['one', expect.stringContaining('rubbish'), expect.anything()]);
    canvas.wipe();
    canvas.show(picture);
    await shows(picture.rows);
    canvas.close();
  });
});
