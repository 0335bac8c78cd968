import type { Adapter, Presence } from '../../adapters/contract.ts';

/** Settings and secrets as the accounts file and the ladder would give them. */
export interface TestAccount {
  readonly settings: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  /** How a peer writes to it. */
  readonly address: string;
}

/** Somebody else on the network, on a client that is not ours. */
export interface Peer {
  /** How our account names it. */
  readonly address: string;
  say(to: TestAccount, text: string): Promise<void>;
  /** The first text from our account (or in that room) that passes; several parts of one text are joined by line feeds. */
  heard(passes: (text: string) => boolean, room?: string): Promise<string>;
  /** All texts so far, in order. */
  texts(): readonly string[];
  /** Joins the room and speaks there. */
  sayInRoom(room: string, text: string): Promise<void>;
  /** Absent where peers have no presence that others see. */
  present?(state: Extract<Presence, 'online' | 'away' | 'offline'>, note?: string): Promise<void>;
  typing?(to: TestAccount): Promise<void>;
  close(): Promise<void>;
}

export interface Hostile {
  readonly name: string;
  /** Sends it to our account, which is online. It may end the connection; nothing else may happen. */
  inject(to: TestAccount): Promise<void>;
}

/** How the behaviour suite drives one network: its adapter, its server and other people on it. */
export interface Driver {
  readonly adapter: Adapter;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** The server goes away without a word and comes back at the same address; absent where there is no server of its own. */
  readonly outage?: { begin(): Promise<void>; end(): Promise<void> };
  /** A fresh account that can sign in. */
  account(): Promise<TestAccount>;
  /** The same account with a wrong secret; absent where the network asks none. */
  wrongSecret?(account: TestAccount): TestAccount;
  /** Settings that lead to a port where nobody listens; absent where nothing is dialled. */
  unreachable?(account: TestAccount): TestAccount;
  /** Settings that `parse` refuses, each with a word that its error must hold. */
  readonly badSettings: readonly { readonly settings: Record<string, unknown>; readonly names: string }[];
  peer(): Promise<Peer>;
  /** Makes the peer a contact of the account, so that its presence is seen; called before the account signs in. */
  befriend?(account: TestAccount, peer: Peer): Promise<void>;
  /** Address of a room that may be joined; absent where the network has none that an account can join by itself. */
  room?(): Promise<string>;
  /** What the network keeps for an account that is not signed in, and gives it afterwards; absent: nothing. */
  readonly keeps?: { readonly direct?: boolean; readonly rooms?: boolean };
  /** Nobody is there. */
  readonly nobody: string;
  readonly hostile: readonly Hostile[];
  /** Texts of the table that this network cannot carry as they are, with the reason and what arrives instead. */
  readonly altered?: Readonly<Record<string, (text: string) => string>>;
}
