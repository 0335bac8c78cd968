import type { Client } from 'irc-framework';
import type { Clock } from '../contract.ts';
import { AdapterError } from '../errors.ts';
import type { IrcSettings } from './settings.ts';
import { stsPort } from './sts.ts';
import type { LibraryWire } from './transport/library.ts';
import { type Registration, registration } from './transport/registration.ts';

const SIGN_IN_MS = 30_000;

export interface Secrets {
  readonly password: string | undefined;
  readonly serverPassword: string | undefined;
}

export interface SignInParts {
  readonly client: Client;
  readonly settings: IrcSettings;
  readonly secrets: Secrets;
  readonly library: LibraryWire;
  readonly tls: boolean;
  /** By TLS, or on this machine. */
  readonly secure: boolean;
  write(line: string): void;
  onCaps(caps: ReadonlySet<string>): void;
  onSts(policy: string): void;
  fail(error: AdapterError): void;
}

/** Sends CAP LS, PASS, NICK and USER, and answers the negotiation that follows. */
export function signIn(parts: SignInParts): Registration {
  const { client, settings, secrets, library, tls, secure, write, fail } = parts;
  const negotiation = registration({
    sasl: saslOf(settings, secrets.password),
    secure,
    write,
    onCaps(caps) {
      client.network.cap.enabled = [...caps];
      parts.onCaps(caps);
    },
    onSts(policy) {
      parts.onSts(policy);
      if (!tls && stsPort(policy) !== undefined) fail(new AdapterError('unreachable', 'the server wants TLS'));
    },
    onFailure: fail,
  });
  client.connect({
    nick: settings.nick,
    username: settings.user,
    gecos: settings.realname,
    ...(secrets.serverPassword === undefined ? {} : { password: secrets.serverPassword }),
    version: null,
    auto_reconnect: false,
    ping_interval: 0,
    ping_timeout: 0,
    transport: library.transport,
  });
  return negotiation;
}

/** Gives a sign-in up that has not come to an end after half a minute; `signal` aborts when it has. */
export async function limitSignIn(
  clock: Clock,
  signal: AbortSignal,
  { write, fail }: Pick<SignInParts, 'write' | 'fail'>,
): Promise<void> {
  await clock.sleep(SIGN_IN_MS, signal);
  write('AUTHENTICATE *');
  write('QUIT');
  fail(new AdapterError('unreachable', `the server did not finish the sign-in within ${SIGN_IN_MS / 1000} s`));
}

function saslOf(settings: IrcSettings, password: string | undefined) {
  const { sasl, login } = settings;
  if (sasl === 'none' || (sasl === 'auto' && password === undefined)) return undefined;
  return { login, password: password ?? '', mechanism: sasl === 'auto' ? ('any' as const) : sasl };
}
