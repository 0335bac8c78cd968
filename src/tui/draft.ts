import type { ConversationKey } from '../link/messages.ts';
import { type Editor, editorOf, emptyEditor } from './editor.ts';

/** What is being written to one conversation, and what was sent there before. */
export interface Draft {
  editor: Editor;
  /** Texts sent, oldest first. */
  readonly history: string[];
  /** Place in the history while walking it; undefined: writing. */
  at: number | undefined;
  /** What was being written when the walk began. */
  kept: Editor;
  /** The message (ours) being corrected. */
  editing: string | undefined;
  /** Why sending needs a yes first: focus came here while the person was typing elsewhere, or the text was cut there. */
  doubt: { readonly from: ConversationKey } | undefined;
}

const HISTORY_LIMIT = 200;

export function newDraft(): Draft {
  return { editor: emptyEditor, history: [], at: undefined, kept: emptyEditor, editing: undefined, doubt: undefined };
}

/** Walks the texts sent before; past the latest one comes back to what was being written. */
export function walkHistory(draft: Draft, direction: -1 | 1): boolean {
  const at = (draft.at ?? draft.history.length) + direction;
  if (at < 0 || at > draft.history.length || (draft.at === undefined && direction > 0)) return false;
  if (draft.at === undefined) draft.kept = draft.editor;
  draft.at = at === draft.history.length ? undefined : at;
  draft.editor = draft.at === undefined ? draft.kept : editorOf(draft.history[draft.at] ?? '');
  return true;
}

export function remember(draft: Draft, text: string): void {
  if (draft.history.at(-1) !== text) draft.history.push(text);
  if (draft.history.length > HISTORY_LIMIT) draft.history.shift();
}

/** The prompt after sending. */
export function emptied(draft: Draft): void {
  draft.editor = emptyEditor;
  draft.at = undefined;
  draft.editing = undefined;
  draft.doubt = undefined;
}
