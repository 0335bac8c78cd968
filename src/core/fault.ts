import { AdapterError } from '../../adapters/errors.ts';
import type { StoredError } from '../archive/types.ts';
import type { LinkError, LinkErrorCode } from '../link/messages.ts';
import { sanitise } from './sanitise.ts';

/** What a method of the hub fails with; crosses the link as a LinkError. Its text is for a person and holds no secret. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly detail: LinkError;

  constructor(code: LinkErrorCode, message: string, details: Omit<LinkError, 'code' | 'message'> = {}) {
    super(message);
    this.detail = { code, message, ...details };
  }
}

/** Any thrown value as what a front is told. What is neither ours nor an adapter's is a bug, and said to be one. */
export function asLinkError(error: unknown): LinkError {
  if (error instanceof Fault) return error.detail;
  if (error instanceof AdapterError) return linkError(storedError(error));
  if (error instanceof Error && error.name === 'ArchiveError') return { code: 'disk', message: error.message };
  if (error instanceof Error && error.name === 'SettingsError') return { code: 'settings', message: error.message };
  return { code: 'hub', message: error instanceof Error ? error.message : String(error) };
}

/** What the archive keeps of an adapter's error; its text may quote the network. */
export function storedError(error: AdapterError): StoredError {
  return {
    code: error.code,
    message: sanitise(error.message),
    ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
    ...(error.certain ? {} : { certain: false }),
  };
}

export function linkError(error: StoredError): LinkError {
  return {
    code: error.code,
    message: error.message,
    ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
    ...(error.certain === undefined ? {} : { certain: error.certain }),
  };
}
