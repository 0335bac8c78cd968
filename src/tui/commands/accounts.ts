import { type App, attempt, type PageLine, tell } from '../app.ts';
import { showPage } from '../page.ts';
import { reasonOf } from '../panes/status.ts';
import { checkAccount, openSecret, openWizard } from '../wizard-flow.ts';
import { accountNamed, openRow } from './arguments.ts';
import type { Command } from './command.ts';

const VERBS = ['add', 'list', 'show', 'check', 'set', 'secret', 'enable', 'disable', 'retry', 'remove'] as const;
type Verb = (typeof VERBS)[number];

function account(app: App, rest: string): void {
  const [verb = 'list', name = '', ...more] = rest.split(/\s+/).filter(Boolean);
  const known = VERBS.find((one) => one === verb);
  if (!known) throw new Error(`/account ${VERBS.join('|')} [NAME]`);
  run(app, known, name, more);
}

function run(app: App, verb: Verb, name: string, more: readonly string[]): void {
  switch (verb) {
    case 'add':
      openWizard(app, name || undefined);
      break;
    case 'list':
      showAccounts(app);
      break;
    case 'show':
      showAccount(app, accountNamed(app, name).account);
      break;
    case 'check':
      checkAccount(app, accountNamed(app, name).account);
      break;
    case 'set':
      setAccount(app, accountNamed(app, name).account, more);
      break;
    case 'secret':
      openSecret(app, accountNamed(app, name), more[0]);
      break;
    case 'enable':
    case 'disable':
      enableAccount(app, accountNamed(app, name).account, verb === 'enable');
      break;
    case 'retry':
      attempt(app, name, () => app.call('accounts.retry', { account: accountNamed(app, name).account }));
      break;
    case 'remove':
      removeAccount(app, accountNamed(app, name).account);
      break;
  }
}

function showAccounts(app: App): void {
  const lines: PageLine[] = [...app.store.accounts.values()].map((one) => ({
    term: one.account,
    text: [one.network, one.id, one.enabled ? one.state : 'off', reasonOf(one)].filter(Boolean).join(' · '),
    ...(one.state === 'failed' ? { tone: 'alert' as const } : {}),
  }));
  showPage(app, 'Accounts', [
    ...(lines.length > 0 ? lines : [{ text: 'There are none yet.' }]),
    { text: '' },
    { text: `/account ${VERBS.join(' | ')}`, tone: 'faint' },
  ]);
}

function showAccount(app: App, name: string): void {
  attempt(app, name, async () => {
    const found = await app.call('accounts.show', { account: name });
    showPage(app, `Account ${name}`, [
      { term: 'network', text: found.account.network },
      { term: 'state', text: [found.account.state, reasonOf(found.account)].filter(Boolean).join(' · ') },
      ...Object.entries(found.settings).map(([term, text]) => ({ term, text })),
      ...Object.entries(found.secrets).map(([term, text]) => ({ term, text: `kept in: ${text}` })),
      { term: 'can', text: found.account.abilities.join(', ') },
    ]);
  });
}

function setAccount(app: App, name: string, more: readonly string[]): void {
  const settings: Record<string, string> = {};
  for (const pair of more) {
    const at = pair.indexOf('=');
    if (at < 1) throw new Error('/account set NAME KEY=VALUE…');
    settings[pair.slice(0, at)] = pair.slice(at + 1);
  }
  if (more.length === 0) throw new Error('/account set NAME KEY=VALUE…');
  attempt(app, name, () => app.call('accounts.set', { account: name, settings, secrets: {} }), `${name}: changed`);
}

function enableAccount(app: App, name: string, enabled: boolean): void {
  const done = `${name} is ${enabled ? 'on' : 'off'}`;
  attempt(app, name, () => app.call('accounts.enable', { account: name, enabled }), done);
}

function removeAccount(app: App, name: string): void {
  app.mode = {
    kind: 'ask',
    question: `remove the account ${name}, with its settings and secrets? Its messages stay in the archive.`,
    choices: [
      {
        key: 'y',
        label: 'remove',
        run: () => attempt(app, name, () => app.call('accounts.remove', { account: name }), `${name} is removed`),
      },
    ],
  };
}

/** A nick is a setting of the account; networks without it refuse it by name. */
function setNick(app: App, nick: string): void {
  if (!nick || /\s/.test(nick)) throw new Error('/nick NAME, a word');
  setAccount(app, openRow(app).contact.account, [`nick=${nick}`]);
}

function showNetworks(app: App): void {
  attempt(app, 'networks', async () => {
    const { networks } = await app.call('networks', {});
    const lines = networks.flatMap((one): PageLine[] => [
      { text: one.title, tone: 'strong' },
      { term: 'address', text: one.addressExample },
      {
        term: 'needs',
        text: one.fields
          .filter((field) => !field.optional)
          .map((field) => field.label)
          .join(', '),
      },
      { term: 'can', text: one.can.join(', ') },
      { term: 'cannot', text: one.cannot.join(', ') || '–' },
      { text: '' },
    ]);
    if (lines.length === 0) tell(app, 'this imux knows no network', true);
    showPage(app, 'Networks', lines);
  });
}

export const accountCommands: readonly Command[] = [
  {
    name: 'account',
    usage: `/account ${VERBS.join('|')} [NAME]`,
    about: 'adds, checks, changes or removes an account',
    words: [VERBS, 'account'],
    run: account,
  },
  {
    name: 'nick',
    usage: '/nick NAME',
    about: 'your name in the rooms of this account, which signs in again with it',
    needs: 'rooms',
    run: setNick,
  },
  { name: 'networks', usage: '/networks', about: 'each network: what it can and cannot do', run: showNetworks },
];
