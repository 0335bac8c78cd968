/** The part of irc-framework 4.14 that this adapter uses; the library brings no types of its own. */
declare module 'irc-framework' {
  export interface IrcUserEvent {
    readonly nick: string;
    readonly ident?: string;
    readonly hostname?: string;
  }

  export interface IrcNames {
    readonly nick: string;
    readonly ident: string;
    readonly hostname: string;
    /** Mode letters, highest first. */
    readonly modes: readonly string[];
  }

  /** What the library emits, by event; strings are missing where a server left a parameter out. */
  export interface IrcEvents {
    registered: { readonly nick: string };
    'server options': { readonly options: IsupportTokens };
    'nick in use': { readonly nick?: string };
    'nick invalid': { readonly nick?: string; readonly reason?: string };
    join: IrcUserEvent & { readonly channel?: string; readonly account?: string | false };
    part: IrcUserEvent & { readonly channel?: string; readonly message: string };
    kick: IrcUserEvent & { readonly channel?: string; readonly kicked?: string; readonly message: string };
    quit: IrcUserEvent & { readonly message: string };
    nick: IrcUserEvent & { readonly new_nick?: string };
    topic: { readonly channel?: string; readonly topic?: string; readonly nick?: string };
    userlist: { readonly channel?: string; readonly users: readonly IrcNames[] };
    mode: {
      readonly target?: string;
      readonly nick: string;
      readonly modes: readonly { readonly mode: string; readonly param?: string | null }[];
    };
    away: IrcUserEvent & { readonly self: boolean; readonly message: string };
    back: IrcUserEvent & { readonly self: boolean };
    invite: IrcUserEvent & { readonly invited?: string; readonly channel?: string };
    'users online': { readonly nicks: readonly string[] };
    'users offline': { readonly nicks: readonly string[] };
    'displayed host': { readonly nick: string; readonly hostname?: string };
    'user updated': IrcUserEvent & { readonly new_ident?: string; readonly new_hostname?: string };
    motd: { readonly motd?: string; readonly error?: string };
  }

  export interface IsupportTokens {
    readonly CASEMAPPING?: string;
    readonly CHANTYPES?: string | readonly string[] | true;
    readonly PREFIX?: readonly { readonly symbol: string; readonly mode: string }[];
    readonly CLIENTTAGDENY?: readonly string[];
    readonly [token: string]: unknown;
  }

  /** What the library calls on a transport; it listens for `open`, `line` and `close`. */
  export interface IrcTransport {
    connect(): void;
    writeLine(line: string, written?: () => void): void;
    close(force?: boolean): void;
    setEncoding(encoding: string): boolean;
    disposeSocket(): void;
    on(event: string, listener: (...values: unknown[]) => void): unknown;
    removeAllListeners(event?: string): unknown;
  }

  export interface ClientOptions {
    readonly nick: string;
    readonly username: string;
    readonly gecos: string;
    readonly password?: string;
    readonly version: string | null;
    readonly auto_reconnect: boolean;
    readonly ping_interval: number;
    readonly ping_timeout: number;
    readonly transport: new (options: ClientOptions) => IrcTransport;
  }

  export class Client {
    constructor(options?: ClientOptions);
    readonly network: {
      readonly name: string;
      readonly options: IsupportTokens;
      readonly cap: { enabled: string[]; negotiating: boolean };
      isChannelName(name: string): boolean;
      supportsTag(tag: string): boolean;
      supports(token: string): unknown;
    };
    readonly user: { nick: string; username: string; host: string };
    connect(options?: ClientOptions): void;
    on<E extends keyof IrcEvents>(event: E, listener: (event: IrcEvents[E]) => void): this;
    removeAllListeners(): this;
    raw(command: string, ...parameters: string[]): void;
    say(target: string, text: string): void;
    part(channel: string, reason?: string): void;
    changeNick(nick: string): void;
    caseLower(text: string): string;
  }
}
