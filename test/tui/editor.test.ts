import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newDraft, remember, walkHistory } from '../../src/tui/draft.ts';
import {
  type Edit,
  type Editor,
  edit,
  editorOf,
  emptyEditor,
  insert,
  moveLine,
  paste,
  undo,
} from '../../src/tui/editor.ts';

const after = (editor: Editor, ...steps: Edit[]): Editor => steps.reduce((now, step) => edit(now, step).editor, editor);
const FAMILY = '👨‍👩‍👧‍👦';

describe('the prompt editor', () => {
  it('moves and deletes by what a person calls a character', () => {
    const editor = editorOf(`a${FAMILY}e\u0301`);
    expect(after(editor, 'left').cursor).toBe(1 + FAMILY.length);
    expect(after(editor, 'left', 'left').cursor).toBe(1);
    expect(after(editor, 'delete-left').text).toBe(`a${FAMILY}`);
    expect(after(editor, 'delete-left', 'delete-left').text).toBe('a');
    expect(after(editor, 'line-start', 'right', 'delete-right').text).toBe('ae\u0301');
  });

  it('kills words and lines, and says what it took', () => {
    expect(edit(editorOf('one two'), 'kill-word')).toMatchObject({ editor: { text: 'one ' }, killed: 'two' });
    expect(edit(editorOf('one\ntwo'), 'kill-line-start')).toMatchObject({ editor: { text: 'one\n' }, killed: 'two' });
    expect(edit(after(editorOf('one two'), 'line-start'), 'kill-line-end').editor.text).toBe('');
    expect(after(editorOf('ab'), 'transpose').text).toBe('ba');
  });

  it('undoes a word at a time, and a paste in one step', () => {
    let editor = emptyEditor;
    for (const letter of 'one two') editor = insert(editor, letter);
    editor = paste(editor, ' three\nfour');
    expect(undo(editor).text).toBe('one two');
    expect(undo(undo(editor)).text).toBe('one ');
    expect(undo(undo(undo(editor))).text).toBe('');
  });

  it('undo brings back what was cleared', () => {
    expect(undo(edit(editorOf('precious'), 'kill-line-start').editor).text).toBe('precious');
  });

  it('walks the lines of a text, and leaves at its ends', () => {
    const editor = editorOf('first\nse');
    expect(moveLine(editor, -1)?.cursor).toBe(2);
    expect(moveLine({ ...editor, cursor: 5 }, 1)?.cursor).toBe(8);
    expect(moveLine(editor, 1)).toBeUndefined();
    expect(moveLine({ ...editor, cursor: 2 }, -1)).toBeUndefined();
  });

  it('V4 takes a paste as text: line ends as line feeds, no control characters, no sequences', () => {
    expect(paste(emptyEditor, 'a\r\nb\rc\x1b[201~\x03\x1b[Ad').text).toBe('a\nb\ncd');
  });

  it('keeps its cursor on a border between characters whatever is done', () => {
    const step = fc.constantFrom<Edit>(
      'left',
      'right',
      'word-left',
      'word-right',
      'line-start',
      'line-end',
      'delete-left',
      'delete-right',
      'kill-word',
      'kill-line-end',
      'transpose',
      'undo',
      'newline',
    );
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.array(step, { maxLength: 12 }), (text, steps) => {
        const end = after(insert(emptyEditor, text), ...steps);
        const borders = [...new Intl.Segmenter().segment(end.text)].map(({ index }) => index);
        expect([...borders, end.text.length]).toContain(end.cursor);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a draft', () => {
  it('walks what was sent, and comes back to what was being written', () => {
    const draft = newDraft();
    remember(draft, 'one');
    remember(draft, 'two');
    draft.editor = editorOf('unsent');
    expect(walkHistory(draft, -1) && draft.editor.text).toBe('two');
    expect(walkHistory(draft, -1) && draft.editor.text).toBe('one');
    expect(walkHistory(draft, -1)).toBe(false);
    walkHistory(draft, 1);
    expect(walkHistory(draft, 1) && draft.editor.text).toBe('unsent');
  });
});
