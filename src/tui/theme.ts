import type { Presence } from '../../adapters/contract.ts';
import type { AccountView, MessageState } from '../link/messages.ts';

export type Paint = (text: string) => string;

/** How roles look. Every role has a shape or an attribute of its own, so that the screen reads the same without colour. */
export interface Theme {
  readonly strong: Paint;
  /** Secondary text. */
  readonly soft: Paint;
  /** Lines, hours, hints. */
  readonly faint: Paint;
  /** Only for what needs the person. */
  readonly alert: Paint;
  readonly selected: Paint;
  readonly underline: Paint;
  readonly good: Paint;
  readonly warm: Paint;
  /** An account's own colour, the same everywhere; `order` is its place among the accounts. */
  accent(order: number): Paint;
}

function sgr(on: string, off: string): Paint {
  return (text) => (text ? `\x1b[${on}m${text}\x1b[${off}m` : '');
}

const OWN_STYLES = /\x1b\[[\d;]*m/g;

const plain: Paint = (text) => text;
// The terminal's own sixteen colours, so that they suit its background.
const ACCENTS = ['36', '33', '35', '32', '34', '96', '93', '95', '92', '94'].map((colour) => sgr(colour, '39'));

/** https://no-color.org: colours go, weights stay. */
export function makeTheme(env: NodeJS.ProcessEnv): Theme {
  const colour = !env.NO_COLOR && env.TERM !== 'dumb';
  const inverse = sgr('7', '27');
  // One bar: a colour within would show as a patch of its own.
  const selected: Paint = (text) => inverse(text.replace(OWN_STYLES, ''));
  const weights = { strong: sgr('1', '22'), selected, underline: sgr('4', '24') };
  if (!colour) {
    const dim = sgr('2', '22');
    return {
      ...weights,
      soft: plain,
      faint: dim,
      alert: weights.strong,
      good: plain,
      warm: plain,
      accent: () => weights.strong,
    };
  }
  return {
    ...weights,
    soft: sgr('37', '39'),
    faint: sgr('90', '39'),
    alert: sgr('31', '39'),
    good: sgr('32', '39'),
    warm: sgr('33', '39'),
    accent: (order) => ACCENTS[order % ACCENTS.length] ?? plain,
  };
}

export function presenceMark(theme: Theme, presence: Presence): string {
  switch (presence) {
    case 'online':
      return theme.good('●');
    case 'away':
      return theme.warm('◐');
    case 'busy':
      return theme.warm('⊘');
    case 'offline':
      return theme.faint('○');
    case 'unknown':
      return theme.faint('·');
  }
}

export function presenceWord(presence: Presence): string {
  switch (presence) {
    case 'online':
      return 'available';
    case 'away':
    case 'busy':
    case 'offline':
      return presence;
    case 'unknown':
      return '';
  }
}

/** One or two columns. */
export function stateMark(theme: Theme, state: MessageState, accent: Paint): string {
  switch (state) {
    case 'queued':
      return theme.faint('◷');
    case 'sent':
      return theme.faint('·');
    case 'accepted':
      return theme.faint('✓');
    case 'delivered':
      return theme.faint('✓✓');
    case 'read':
      return theme.underline(accent('✓✓'));
    case 'failed':
      return theme.alert('✗');
    case 'unknown':
      return theme.alert('?');
  }
}

export function accountMark(theme: Theme, account: AccountView, accent: Paint): string {
  if (!account.enabled) return theme.faint('–');
  switch (account.state) {
    case 'online':
      return accent(account.presence === 'away' ? '◐' : account.presence === 'busy' ? '⊘' : '●');
    case 'connecting':
    case 'waiting':
      return accent('◌');
    case 'offline':
      return theme.faint('○');
    case 'failed':
      return theme.alert('✗');
  }
}
