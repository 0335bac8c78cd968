import type { LinkErrorCode } from '../../link/messages.ts';

/** One thing that `imux doctor` looked at. */
export interface Finding {
  /** `folders`, `socket`, `archive`, `settings`, `secrets`, `terminal`, `hub`, or `account`. */
  readonly area: string;
  /** Of the area `account`. */
  readonly account?: string;
  readonly step: string;
  readonly level: 'ok' | 'warning' | 'fault';
  readonly text: string;
  /** What kind of fault; decides the exit code. */
  readonly code?: LinkErrorCode;
  /** What to do about it. */
  readonly remedy?: string;
}

export const well = (area: string, step: string, text: string): Finding => ({ area, step, level: 'ok', text });

export const warning = (area: string, step: string, text: string, remedy: string): Finding => ({
  area,
  step,
  level: 'warning',
  text,
  remedy,
});

export const fault = (area: string, step: string, text: string, code: LinkErrorCode, remedy: string): Finding => ({
  area,
  step,
  level: 'fault',
  text,
  code,
  remedy,
});

export const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
