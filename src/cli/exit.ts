import type { LinkErrorCode, MessageState } from '../link/messages.ts';

/** Exit codes of sysexits.h, as far as imux uses them. */
export const exit = {
  ok: 0,
  usage: 64,
  data: 65,
  noUser: 67,
  noHost: 68,
  unavailable: 69,
  software: 70,
  io: 74,
  tempFail: 75,
  protocol: 76,
  noPerm: 77,
  config: 78,
  interrupted: 130,
  terminated: 143,
} as const;

export function exitCodeOf(code: LinkErrorCode): number {
  switch (code) {
    case 'usage':
    case 'unsupported':
      return exit.usage;
    case 'ambiguous':
    case 'bad-data':
    case 'too-long':
      return exit.data;
    case 'not-found':
      return exit.noUser;
    case 'host-unknown':
      return exit.noHost;
    case 'unreachable':
    case 'hub':
      return exit.unavailable;
    case 'disk':
      return exit.io;
    case 'rate-limited':
    case 'timeout':
      return exit.tempFail;
    case 'protocol':
      return exit.protocol;
    case 'auth':
    case 'refused':
      return exit.noPerm;
    case 'settings':
      return exit.config;
    case 'cancelled':
      return exit.interrupted;
  }
}

/** What a receipt in that state means to a script that asked for `wait`. */
export function exitCodeOfState(state: MessageState, reached: boolean, code: LinkErrorCode | undefined): number {
  if (reached) return exit.ok;
  if (state === 'failed') return exitCodeOf(code ?? 'protocol');
  // It is on its way or may have gone out. Only of what waits for the person to act is the reason told as well.
  return state === 'queued' && code && code !== 'unreachable' ? exitCodeOf(code) : exit.tempFail;
}

/** Of several targets: the worst, but 75 where any may still go out. */
export function worst(codes: readonly number[]): number {
  if (codes.includes(exit.tempFail)) return exit.tempFail;
  return codes.reduce((sum, code) => Math.max(sum, code), exit.ok);
}
