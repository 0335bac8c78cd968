import { keyName } from './keys.ts';
import { type Mouse, parseMouse } from './mouse.ts';

export type InputEvent =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'key'; readonly key: string }
  | { readonly type: 'paste'; readonly text: string }
  | { readonly type: 'focus'; readonly focused: boolean }
  | Mouse;

/** A lone ESC is the key when nothing follows for so long. */
const ESCAPE_MS = 25;
/**
 * Terminals exist that let `CSI 201~` through inside a paste. What follows an end mark within this time was not typed by
 * a hand, and still belongs to the paste.
 */
const PASTE_TAIL_MS = 30;

const PASTE_START = '\x1b[200~';
const PASTE_END = '\x1b[201~';
// ECMA-48 control sequences, SS3 keys, and the Linux console's function keys.
const sequence = /^\x1b(?:\[\[[A-E]|\[[\x30-\x3f]*[\x20-\x2f]*[\x40-\x5a\x5c-\x7e]|O[\x30-\x3b]*[\x40-\x7e])/;
const unfinished = /^\x1b(?:\[\[?|\[[\x30-\x3f]*[\x20-\x2f]*|O[\x30-\x3b]*)?$/;

export interface Clocked {
  setTimer(run: () => void, ms: number): () => void;
}

/** Turns what a terminal sends into events; keeps what is not complete until the rest comes. */
export interface Decoder {
  push(chunk: string): void;
  /** Forgets timers and half sequences. */
  end(): void;
}

export function decodeInput(emit: (event: InputEvent) => void, clock: Clocked): Decoder {
  let pending = '';
  let pasted: string | undefined;
  let tail = false;
  let stop = (): void => {};

  const finishPaste = (): void => {
    const text = pasted ?? '';
    pasted = undefined;
    tail = false;
    emit({ type: 'paste', text: text.replaceAll(PASTE_START, '').replaceAll(PASTE_END, '') });
  };

  const takePaste = (chunk: string): void => {
    pasted = (pasted ?? '') + chunk;
    // The mark may have come in two pieces, so the whole is searched near its end.
    if (tail || pasted.includes(PASTE_END, Math.max(0, pasted.length - chunk.length - PASTE_END.length))) {
      tail = true;
      stop = clock.setTimer(finishPaste, PASTE_TAIL_MS);
    }
  };

  const takeKeys = (): void => {
    while (pending) {
      const step = nextEvent(pending);
      if (step === undefined) break;
      if (step.event === 'paste') {
        const rest = pending.slice(step.length);
        pending = '';
        takePaste(rest);
        return;
      }
      pending = pending.slice(step.length);
      if (step.event) emit(step.event);
    }
    if (pending) stop = clock.setTimer(flush, ESCAPE_MS);
  };

  const flush = (): void => {
    const rest = pending;
    pending = '';
    if (rest === '\x1b' || rest === '\x1b\x1b') emit({ type: 'key', key: 'esc' });
    else if (rest.startsWith('\x1b') && rest.length === 2) emit({ type: 'key', key: `alt-${rest[1]}` });
  };

  return {
    push(chunk) {
      stop();
      if (pasted !== undefined) return takePaste(chunk);
      pending += chunk;
      takeKeys();
    },
    end: () => stop(),
  };
}

interface Step {
  readonly length: number;
  /** Absent: a sequence that says nothing to us. */
  readonly event?: InputEvent | 'paste';
}

/** The first event of what has come; undefined while it is not complete. */
function nextEvent(input: string): Step | undefined {
  if (!input.startsWith('\x1b')) return plainEvent(input);
  if (input.startsWith(PASTE_START)) return { length: PASTE_START.length, event: 'paste' };
  const found = sequence.exec(input)?.[0];
  if (found) return { length: found.length, ...sequenceEvent(found) };
  if (unfinished.test(input) || unfinished.test(input.slice(1))) return undefined;
  // Two escapes: the first is the key, or Alt before a sequence.
  if (input[1] === '\x1b') {
    const inner = sequence.exec(input.slice(1))?.[0];
    if (inner) {
      const key = keyName(inner);
      return { length: inner.length + 1, ...(key ? { event: { type: 'key', key: `alt-${key}` } as const } : {}) };
    }
    return { length: 1, event: { type: 'key', key: 'esc' } };
  }
  const character = String.fromCodePoint(input.codePointAt(1) ?? 0);
  return { length: 1 + character.length, event: { type: 'key', key: `alt-${keyName(character) ?? character}` } };
}

function sequenceEvent(found: string): { readonly event?: InputEvent } {
  if (found === '\x1b[I') return { event: { type: 'focus', focused: true } };
  if (found === '\x1b[O') return { event: { type: 'focus', focused: false } };
  if (found.startsWith('\x1b[<')) {
    const mouse = parseMouse(found);
    return mouse ? { event: mouse } : {};
  }
  const key = keyName(found);
  return key ? { event: { type: 'key', key } } : {};
}

function plainEvent(input: string): Step {
  const first = input[0] ?? '';
  if (first < ' ' || first === '\x7f') {
    const key = keyName(first);
    return { length: 1, ...(key ? { event: { type: 'key', key } as const } : {}) };
  }
  const end = input.search(/[\x00-\x1f\x7f]/);
  const text = end < 0 ? input : input.slice(0, end);
  return { length: text.length, event: { type: 'text', text } };
}
