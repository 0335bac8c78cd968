import type { AdapterEvent, Memory, Prompt } from '../adapters/contract.ts';
import type { AdapterError } from '../adapters/errors.ts';

declare const named: unique symbol;
/** The name that a person gave an account: letters, digits, `.`, `_`, `-`; at most 32. */
export type AccountName = string & { readonly [named]: true };

/** Where one secret of an account is kept; see accounts/secrets. */
export type SecretRef =
  | { readonly kind: 'keychain' }
  | { readonly kind: 'file' }
  | { readonly kind: 'command'; readonly command: string }
  | { readonly kind: 'env'; readonly variable: string };

/** One account as the accounts file has it. */
export interface AccountConfig {
  readonly name: AccountName;
  readonly network: string;
  readonly enabled: boolean;
  readonly settings: Readonly<Record<string, string>>;
  /** By the key of a secret field. */
  readonly secrets: Readonly<Record<string, SecretRef>>;
}

export type Status =
  | { readonly state: 'offline' }
  | { readonly state: 'connecting' }
  | { readonly state: 'online'; readonly self: string }
  /** `until`: milliseconds since the epoch. */
  | { readonly state: 'waiting'; readonly until: number; readonly error: AdapterError }
  /** Stopped until the person does something: wrong credentials, bad settings, a fault that came back too often. */
  | { readonly state: 'failed'; readonly error: AdapterError };

/** What core lends one account; bound to it, so none of these takes a name. */
export interface AccountSink {
  event(event: AdapterEvent): void;
  /** Called with each change, and by the one writer of it. */
  status(status: Status): void;
  saved(): Promise<void>;
  ask(prompt: Prompt): Promise<string>;
  readonly memory: Memory;
  log(level: 'debug' | 'info' | 'warn', text: string): void;
}
