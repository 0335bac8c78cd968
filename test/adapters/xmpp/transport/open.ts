import type { Element } from '@xmpp/xml';
import { expect } from 'vitest';
import type { Clock } from '../../../../adapters/contract.ts';
import { AdapterError, type ErrorCode } from '../../../../adapters/errors.ts';
import type { NameService } from '../../../../adapters/xmpp/transport/srv.ts';
import { openStream, type Stream, type StreamSettings } from '../../../../adapters/xmpp/transport/stream.ts';
import { type TestHost, testHost } from '../../../contract/host.ts';

export interface Opened {
  readonly stream: Stream;
  readonly host: TestHost;
  /** Stanzas as the upper layer gets them. */
  readonly stanzas: readonly Element[];
}

export interface OpenOptions {
  readonly settings?: Partial<StreamSettings>;
  readonly password?: string;
  /** Kept over connections, as over restarts of the process. */
  readonly memory?: Map<string, string>;
  readonly host?: TestHost;
  readonly clock?: Clock;
  /** Looks the server up by DNS; the port does not matter then. */
  readonly names?: NameService;
  readonly signal?: AbortSignal;
  readonly onStanza?: (stanza: Element) => void;
}

/** Opens a stream for alice@localhost; in clear text unless the settings say otherwise. */
export async function open(port: number, options: OpenOptions = {}): Promise<Opened> {
  const host =
    options.host ??
    testHost({ ...(options.memory && { memory: options.memory }), ...(options.clock && { clock: options.clock }) });
  const stanzas: Element[] = [];
  const stream = await openStream(
    {
      jid: 'alice@localhost',
      tls: 'none',
      ...(options.names === undefined && { server: { host: '127.0.0.1', port } }),
      ...options.settings,
    },
    { ...host, password: async () => options.password ?? 'secret' },
    (stanza) => {
      stanzas.push(stanza);
      options.onStanza?.(stanza);
    },
    options.signal ?? new AbortController().signal,
    options.names,
  );
  return { stream, host, stanzas };
}

/** Asserts that it rejects with an AdapterError of that code, and gives the error. */
export async function refusal(promise: Promise<unknown>, code: ErrorCode): Promise<AdapterError> {
  const error: unknown = await promise.then(
    () => expect.fail('it should have been refused'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(AdapterError);
  if (!(error instanceof AdapterError)) throw error;
  expect(`${error.code}: ${error.message}`).toMatch(new RegExp(`^${code}: `));
  return error;
}
