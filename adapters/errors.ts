/** What went wrong, in the one vocabulary that every network is translated into. */
export type ErrorCode =
  | 'auth'
  | 'unreachable'
  /** Names say that there is no such server: the account's, or the recipient's. */
  | 'host-unknown'
  | 'rate-limited'
  | 'refused'
  | 'not-found'
  /** What was given can be no address, or no message, on that network. */
  | 'bad-data'
  | 'too-long'
  | 'unsupported'
  | 'protocol';

export interface AdapterErrorOptions {
  readonly cause?: unknown;
  readonly retryAfter?: number;
  readonly certain?: boolean;
}

/** The only error that crosses the contract. Its text is for a person: it says what is wrong and never holds a secret. */
export class AdapterError extends Error {
  override readonly name = 'AdapterError';
  readonly code: ErrorCode;
  /** Seconds to wait before the next try, where the network said so. */
  readonly retryAfter: number | undefined;
  /** False: what was sent may have gone out all the same, so it is never sent again without asking the network. */
  readonly certain: boolean;

  constructor(code: ErrorCode, message: string, options: AdapterErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfter = options.retryAfter;
    this.certain = options.certain ?? true;
  }
}

/** Any thrown value as an AdapterError; one that is none yet becomes `code`, with the value as its cause. */
export function asAdapterError(error: unknown, code: ErrorCode = 'protocol'): AdapterError {
  if (error instanceof AdapterError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new AdapterError(code, text, { cause: error });
}
