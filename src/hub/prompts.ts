import type { Prompt } from '../../adapters/contract.ts';
import { AdapterError } from '../../adapters/errors.ts';
import { Fault } from '../core/fault.ts';
import { sanitise } from '../core/sanitise.ts';
import type { State } from '../core/state.ts';
import type { Change } from '../link/messages.ts';

/** Questions of accounts to the person, on their way to whichever front is there. */
export interface Prompts {
  /** @throws AdapterError `auth` where nobody is there to answer, or the last one leaves. */
  ask(account: string, prompt: Prompt): Promise<string>;
  /** @throws Fault `not-found` */
  answer(id: string, text: string): void;
  /** Fronts came or went. */
  audience(): void;
  /** The account no longer waits for an answer. */
  withdraw(account: string): void;
}

interface Open {
  readonly account: string;
  resolve(text: string): void;
  reject(error: Error): void;
}

/** @param retry connects an account whose question found nobody, now that somebody is there. */
export function createPrompts(
  state: State,
  listening: () => boolean,
  tell: (changes: Change[]) => void,
  retry: (account: string) => void,
): Prompts {
  const open = new Map<string, Open>();
  const unheard = new Set<string>();

  const close = (id: string): Open | undefined => {
    const found = open.get(id);
    open.delete(id);
    if (state.prompts.delete(id)) tell([{ type: 'prompt-done', id }]);
    return found;
  };
  const nobody = (prompt: string): AdapterError =>
    new AdapterError('auth', `nobody is here to answer "${prompt}"; open imux, or go on in a terminal`);

  return {
    async ask(account, prompt) {
      const text = sanitise(prompt.text);
      if (!listening()) {
        unheard.add(account);
        throw nobody(text);
      }
      state.counter += 1;
      const view = { id: `p${state.counter}`, account, prompt: { ...prompt, text } };
      state.prompts.set(view.id, view);
      tell([{ type: 'prompt', prompt: view }]);
      return await new Promise((resolve, reject) => open.set(view.id, { account, resolve, reject }));
    },
    answer(id, text) {
      const found = close(id);
      if (!found) throw new Fault('not-found', 'that question is no longer open');
      found.resolve(text);
    },
    audience() {
      if (listening()) {
        const waiting = [...unheard];
        unheard.clear();
        for (const account of waiting) retry(account);
        return;
      }
      for (const id of [...open.keys()]) {
        const text = state.prompts.get(id)?.prompt.text ?? '';
        const left = close(id);
        if (left) unheard.add(left.account);
        left?.reject(nobody(text));
      }
    },
    withdraw(account) {
      for (const [id, prompt] of [...open]) {
        if (prompt.account === account) close(id)?.reject(new AdapterError('unreachable', 'the connection ended'));
      }
    },
  };
}
