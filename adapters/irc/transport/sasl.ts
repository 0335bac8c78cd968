import { AdapterError } from '../../errors.ts';
import { scram } from '../../scram.ts';

export type Mechanism = 'PLAIN' | 'EXTERNAL' | 'SCRAM-SHA-256';

export interface Credentials {
  readonly login: string;
  readonly password: string;
}

/** One SASL exchange: answers the server's challenges, both as plain bytes. */
export interface SaslExchange {
  readonly mechanism: Mechanism;
  /** @throws AdapterError `auth` or `protocol` where the exchange must be given up. */
  answer(challenge: Buffer): Promise<Buffer>;
  /** Whether a success may be believed: SCRAM needs the server's proof first. */
  readonly proven: boolean;
}

export function saslExchange(mechanism: Mechanism, { login, password }: Credentials): SaslExchange {
  switch (mechanism) {
    case 'PLAIN':
      return { mechanism, proven: true, answer: async () => Buffer.from(`${login}\0${login}\0${password}`, 'utf8') };
    case 'EXTERNAL':
      return { mechanism, proven: true, answer: async () => Buffer.alloc(0) };
    case 'SCRAM-SHA-256':
      return scramExchange(login, password);
  }
}

function scramExchange(login: string, password: string): SaslExchange {
  const exchange = scram('sha256', login, password);
  let step: 'first' | 'final' | 'verify' | 'done' = 'first';
  return {
    mechanism: 'SCRAM-SHA-256',
    get proven() {
      return step === 'done';
    },
    async answer(challenge) {
      const text = challenge.toString('utf8');
      switch (step) {
        case 'first':
          step = 'final';
          return Buffer.from(exchange.first());
        case 'final':
          step = 'verify';
          return Buffer.from(await exchange.final(text));
        case 'verify':
          exchange.verify(text);
          step = 'done';
          return Buffer.alloc(0);
        case 'done':
          throw new AdapterError('protocol', 'the server goes on asking after the sign-in was over');
      }
    },
  };
}

/** https://ircv3.net/specs/extensions/sasl-3.1#the-authenticate-command: base64 in pieces of 400, the last one shorter. */
export function authenticateLines(payload: Buffer): readonly string[] {
  if (payload.length === 0) return ['AUTHENTICATE +'];
  const encoded = payload.toString('base64');
  const lines: string[] = [];
  for (let at = 0; at < encoded.length; at += 400) lines.push(`AUTHENTICATE ${encoded.slice(at, at + 400)}`);
  if (encoded.length % 400 === 0) lines.push('AUTHENTICATE +');
  return lines;
}
