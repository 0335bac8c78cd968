import { AdapterError, asAdapterError } from '../../errors.ts';
import { WANTED } from './caps.ts';
import type { IrcLine } from './message.ts';
import { authenticateLines, type Credentials, type Mechanism, type SaslExchange, saslExchange } from './sasl.ts';

export interface RegistrationOptions {
  /** undefined: sign in as a guest. `any`: the strongest that the server offers. */
  readonly sasl: (Credentials & { readonly mechanism: Mechanism | 'any' }) | undefined;
  /** Whether PLAIN may be used: over TLS, or to this very machine. */
  readonly secure: boolean;
  write(line: string): void;
  /** After each change of the capabilities in force. */
  onCaps(caps: ReadonlySet<string>): void;
  /** The value of the `sts` capability (https://ircv3.net/specs/extensions/sts), where the server has one. */
  onSts(policy: string): void;
  /** The sign-in has failed for good; AUTHENTICATE * and QUIT are on their way. */
  onFailure(error: AdapterError): void;
}

export interface Registration {
  /** Takes CAP, AUTHENTICATE and the SASL numerics; true: the line was meant for the negotiation. */
  handle(line: IrcLine): boolean;
  readonly caps: ReadonlySet<string>;
}

const FAILURES: Readonly<Record<string, string>> = {
  '902': 'the login is locked',
  '904': 'wrong login or password',
  '905': 'the password is too long for this server',
  '906': 'the server broke the sign-in off',
  '907': 'the server says that we are signed in already',
};
/** What one CAP REQ may hold, well inside 512 bytes. */
const REQUEST_BYTES = 400;
const CHALLENGE_LIMIT = 16_384;

/** Capability negotiation and SASL; done here because the library goes on as a guest when a sign-in fails. */
export function registration(options: RegistrationOptions): Registration {
  const caps = new Set<string>();
  const offered = new Map<string, string>();
  const requested = new Set<string>();
  let phase: 'listing' | 'requesting' | 'signing-in' | 'done' | 'failed' = 'listing';
  let exchange: SaslExchange | undefined;
  let challenge = '';
  let turn = Promise.resolve();

  const fail = (error: AdapterError): void => {
    if (phase === 'failed') return;
    phase = 'failed';
    if (exchange) options.write('AUTHENTICATE *');
    options.write('QUIT');
    options.onFailure(error);
  };

  const end = () => {
    phase = 'done';
    options.write('CAP END');
  };

  const request = (names: readonly string[]) => {
    let group: string[] = [];
    let bytes = 0;
    for (const name of names) {
      requested.add(name);
      if (bytes + name.length > REQUEST_BYTES) {
        options.write(`CAP REQ :${group.join(' ')}`);
        group = [];
        bytes = 0;
      }
      group.push(name);
      bytes += name.length + 1;
    }
    if (group.length > 0) options.write(`CAP REQ :${group.join(' ')}`);
  };

  const wanted = (): readonly string[] =>
    [...offered.keys()].filter((name) => (WANTED.has(name) || (name === 'sasl' && options.sasl)) && !caps.has(name));

  const begin = (mechanism: Mechanism) => {
    if (!options.sasl) return;
    exchange = saslExchange(mechanism, options.sasl);
    challenge = '';
    options.write(`AUTHENTICATE ${mechanism}`);
  };

  const proceed = () => {
    if (phase !== 'requesting' || requested.size > 0) return;
    if (!options.sasl) return end();
    // No password was at risk, and services that are away come back: worth another try later.
    if (!caps.has('sasl')) return fail(new AdapterError('refused', 'the server offers no SASL sign-in just now'));
    const mechanism = choose(options.sasl.mechanism, offered.get('sasl') ?? '', options.secure);
    if (!mechanism) return fail(new AdapterError('auth', `the server offers ${offered.get('sasl')} only to sign in`));
    phase = 'signing-in';
    begin(mechanism);
  };

  const listed = (names: readonly string[], more: boolean) => {
    remember(offered, names);
    const sts = offered.get('sts');
    if (more) return;
    if (sts !== undefined) options.onSts(sts);
    if (phase !== 'listing') return;
    phase = 'requesting';
    request(wanted());
    proceed();
  };

  const acknowledged = (names: readonly string[]) => {
    for (const raw of names) {
      const name = raw.replace(/^[-~=]+/, '');
      if (raw.startsWith('-')) caps.delete(name);
      // An ACK for what was never asked for changes nothing.
      else if (requested.delete(name)) caps.add(name);
    }
    options.onCaps(caps);
    proceed();
  };

  const denied = (names: readonly string[]) => {
    const ours = names.filter((name) => requested.delete(name));
    // One bad name spoils the whole request, so each is asked for alone before it is given up.
    if (ours.length > 1) for (const name of ours) request([name]);
    proceed();
  };

  const capLine = (line: IrcLine) => {
    const names = (line.params.at(-1) ?? '').split(' ').filter((name) => name !== '');
    switch (line.params[1]?.toUpperCase()) {
      case 'LS':
        return listed(names, line.params[2] === '*');
      case 'ACK':
        return acknowledged(names);
      case 'NAK':
        return denied(names);
      case 'NEW':
        remember(offered, names);
        return request(wanted().filter((name) => name !== 'sasl' && !requested.has(name)));
      case 'DEL':
        for (const name of names) {
          offered.delete(name);
          caps.delete(name);
        }
        return options.onCaps(caps);
    }
  };

  const challenged = (piece: string) => {
    const current = exchange;
    if (!current || phase !== 'signing-in') return;
    if (piece !== '+') challenge += piece;
    if (challenge.length > CHALLENGE_LIMIT || !/^[A-Za-z0-9+/]*={0,2}$/.test(challenge)) {
      return fail(new AdapterError('auth', 'the server sent nonsense during the sign-in'));
    }
    if (piece.length === 400) return;
    const bytes = Buffer.from(challenge, 'base64');
    challenge = '';
    turn = turn.then(async () => {
      try {
        const reply = await current.answer(bytes);
        if (phase === 'signing-in') for (const text of authenticateLines(reply)) options.write(text);
      } catch (error) {
        fail(new AdapterError('auth', asAdapterError(error).message, { cause: error }));
      }
    });
  };

  const succeeded = (): void => {
    if (phase !== 'signing-in') return;
    // The proof may still be under way: RFC 5802 has the client check it before it believes in the success.
    turn = turn.then(() => {
      if (phase !== 'signing-in') return;
      if (exchange?.proven) end();
      else fail(new AdapterError('auth', 'the server claimed success without proving that it knows the password'));
    });
  };

  const failed = (line: IrcLine) => {
    if (phase !== 'signing-in') return;
    const mechanisms = offered.get('sasl') ?? '';
    const mayFallBack = exchange?.mechanism === 'SCRAM-SHA-256' && !exchange.proven && line.command === '904';
    if (mayFallBack && options.sasl?.mechanism === 'any' && options.secure && /(^|,)PLAIN(,|$)/.test(mechanisms)) {
      // Services keep SCRAM verifiers only for accounts that asked for it.
      return begin('PLAIN');
    }
    fail(new AdapterError('auth', FAILURES[line.command] ?? 'the sign-in was refused'));
  };

  return {
    caps,
    handle(line) {
      switch (line.command) {
        case 'CAP':
          capLine(line);
          return true;
        case 'AUTHENTICATE':
          challenged(line.params[0] ?? '');
          return true;
        case '903':
          succeeded();
          return true;
        case '902':
        case '904':
        case '905':
        case '906':
        case '907':
          failed(line);
          return true;
        case '908':
          return true;
        case '421':
          if (line.params[1]?.toUpperCase() !== 'CAP' || phase !== 'listing') return false;
          // A server from before capabilities.
          if (options.sasl) fail(new AdapterError('auth', 'the server offers no SASL sign-in'));
          else phase = 'done';
          return true;
        case '001':
          if (options.sasl && phase !== 'done') {
            fail(new AdapterError('auth', 'the server let us in as a guest, without the sign-in'));
            return true;
          }
          return phase === 'failed';
        default:
          return false;
      }
    },
  };
}

function remember(offered: Map<string, string>, names: readonly string[]): void {
  for (const entry of names) {
    const equals = entry.indexOf('=');
    const name = equals === -1 ? entry : entry.slice(0, equals);
    if (offered.size < 500) offered.set(name, equals === -1 ? '' : entry.slice(equals + 1));
  }
}

function choose(asked: Mechanism | 'any', value: string, secure: boolean): Mechanism | undefined {
  const offered = value.toUpperCase().split(',');
  // SASL 3.1 servers do not list their mechanisms.
  const has = (mechanism: Mechanism): boolean => value === '' || offered.includes(mechanism);
  if (asked !== 'any') return has(asked) ? asked : undefined;
  if (value !== '' && has('SCRAM-SHA-256')) return 'SCRAM-SHA-256';
  return secure && has('PLAIN') ? 'PLAIN' : undefined;
}
