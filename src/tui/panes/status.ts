import type { AccountView } from '../../link/messages.ts';
import type { App } from '../app.ts';
import { clockOf } from '../message-rows.ts';
import { accountMark } from '../theme.ts';
import { tameLine, truncate, widthOf } from '../width.ts';

const WITHOUT_HUB = {
  connecting: 'connecting to the hub …',
  lost: 'hub lost, connecting again …',
  stopped: 'the hub was stopped',
} as const;

/** Every account's state, and the reason where it is not well; what is unread; the hour. */
export function drawStatus(app: App, width: number): string {
  const right = rightSide(app);
  const room = width - widthOf(right.plain) - 3;
  const parts = [...app.store.accounts.values()].map((account) => describe(app, account));
  if (app.link !== 'up') {
    const text = WITHOUT_HUB[app.link];
    parts.unshift({ plain: `! ${text}`, drawn: app.theme.alert(`! ${text}`) });
  }
  let used = 1;
  let drawn = ' ';
  // What is well needs few words: the ones in trouble share what room the others leave.
  const needed = parts.reduce((sum, part) => sum + widthOf(part.plain) + 2, 0);
  const over = needed > room;
  for (const part of parts) {
    const left = room - used;
    if (left < 3) break;
    const short = over && part.short ? part.short : part;
    const fits = widthOf(short.plain) <= left;
    drawn += fits ? `${short.drawn}  ` : truncate(short.plain, left);
    used += Math.min(left, widthOf(short.plain)) + 2;
  }
  const gap = Math.max(1, width - Math.min(used, room + 1) - widthOf(right.plain) - 1);
  return `${drawn}${' '.repeat(gap)}${right.drawn}`;
}

interface Part {
  readonly plain: string;
  readonly drawn: string;
  readonly short?: Part;
}

function describe(app: App, account: AccountView): Part {
  const { theme } = app;
  const accent = theme.accent(app.store.accents.get(account.account) ?? 0);
  const mark = accountMark(theme, account, accent);
  const name = tameLine(account.account);
  const reason = reasonOf(account);
  const head = { plain: `● ${name}`, drawn: `${mark} ${accent(name)}` };
  if (!reason) return head;
  const paint = account.state === 'failed' ? theme.alert : theme.soft;
  const text = truncate(reason, 60);
  const brief = truncate(reason, 22);
  return {
    plain: `${head.plain} ${text}`,
    drawn: `${head.drawn} ${paint(text)}`,
    short: { plain: `${head.plain} ${brief}`, drawn: `${head.drawn} ${paint(brief)}` },
  };
}

export function reasonOf(account: AccountView): string {
  if (!account.enabled) return 'off';
  const why = account.error ? tameLine(account.error.message) : '';
  switch (account.state) {
    case 'online':
      return account.presence === 'online' || account.presence === 'unknown' ? '' : account.presence;
    case 'connecting':
      return 'connecting';
    case 'offline':
      return why || 'offline';
    case 'failed':
      return why || 'stopped';
    case 'waiting': {
      const seconds = Math.max(0, Math.ceil((Date.parse(account.retryAt ?? '') - Date.now()) / 1000) || 0);
      return `waiting ${seconds} s${why ? `: ${why}` : ''}`;
    }
  }
}

function rightSide(app: App): Part {
  const { unread, mentions } = app.store;
  const clock = clockOf(new Date());
  const counts = [
    ...(unread > 0 ? [`${unread} unread`] : []),
    ...(mentions > 0 ? [`${mentions} mention${mentions > 1 ? 's' : ''}`] : []),
  ].join('  ');
  const profile = app.profile ? `${app.profile}  ` : '';
  const plain = `${profile}${counts}${counts ? '  ' : ''}${clock}`;
  const loud = mentions > 0 ? app.theme.alert(counts) : app.theme.strong(counts);
  return { plain, drawn: `${app.theme.faint(profile)}${loud}${counts ? '  ' : ''}${app.theme.faint(clock)}` };
}
