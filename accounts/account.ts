import type {
  AdapterEvent,
  Chat,
  ChatId,
  Clock,
  Limits,
  Memory,
  MessageId,
  Nonce,
  Prompt,
  SendOptions,
  Session,
} from '../adapters/contract.ts';
import type { AdapterError } from '../adapters/errors.ts';

declare const named: unique symbol;
/** The name that a person gave an account: letters, digits, `.`, `_`, `-`; at most 32. */
export type AccountName = string & { readonly [named]: true };

export type Facet = Exclude<
  { [K in keyof Session]-?: undefined extends Session[K] ? K : never }[keyof Session],
  undefined
>;

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

/** A configured account: settings, session and supervisor. The only holder of a Session. */
export interface Account {
  readonly name: AccountName;
  readonly network: string;
  readonly status: Status;
  /** Begins to connect, and again after each loss, by the supervisor's policy. */
  start(): void;
  /** Connects now rather than at the next try; also after `failed`. */
  retry(): void;
  /** Signs out and resolves when every resource is released. */
  stop(): Promise<void>;
  /** @throws AdapterError `unreachable` while there is no session. */
  send(chat: ChatId, text: string, nonce: Nonce, options?: SendOptions): Promise<MessageId>;
  resolve(address: string, signal: AbortSignal): Promise<Chat>;
  limits(chat: ChatId): Limits;
  /** The facets of the network, known before it is online. */
  readonly facets: ReadonlySet<Facet>;
  /** @throws AdapterError `unsupported` where the network lacks it, `unreachable` while there is no session. */
  facet<F extends Facet>(facet: F): NonNullable<Session[F]>;
}

export type { Clock };
