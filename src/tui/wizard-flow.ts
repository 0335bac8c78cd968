import type { AccountInput, AccountView, SecretSource } from '../link/messages.ts';
import { type App, attempt, CHAT, tell, textOf } from './app.ts';
import { emptyEditor } from './editor.ts';
import { showPage } from './page.ts';
import { answer, newWizard, questionBefore, type Wizard } from './wizard.ts';

export function openWizard(app: App, network?: string): void {
  attempt(app, 'no account added', async () => {
    const { networks } = await app.call('networks', {});
    show(app, newWizard(networks, [...app.store.accounts.keys()], network));
  });
}

/** Asks a secret of an account again: after a changed password. */
export function openSecret(app: App, account: AccountView, key: string | undefined): void {
  attempt(app, account.account, async () => {
    const { networks } = await app.call('networks', {});
    const network = networks.find((one) => one.network === account.network);
    const field = network?.fields.find((one) => one.secret && (key === undefined || one.key === key));
    if (!network || !field) throw new Error(`${account.network} has no such secret`);
    show(app, {
      networks,
      taken: [],
      network: { ...network, fields: [field] },
      name: account.account,
      secretOnly: true,
      step: { kind: 'place', field },
      settings: {},
      secrets: {},
    });
  });
}

function show(app: App, wizard: Wizard): void {
  app.mode = { kind: 'wizard', editor: emptyEditor, wizard, busy: false, fault: '' };
  app.redraw('key');
}

export function answerWizard(app: App): void {
  const { mode } = app;
  if (mode.kind !== 'wizard' || mode.busy) return;
  const next = answer(mode.wizard, mode.editor.text);
  if ('fault' in next) {
    mode.fault = next.fault;
    // Where a place was asked for, it may have been the secret itself: it is not left standing there.
    if (mode.wizard.step.kind === 'place') mode.editor = emptyEditor;
    app.redraw('key');
    return;
  }
  if ('wizard' in next) {
    const { secretOnly, step, name = '', secrets } = next.wizard;
    if (secretOnly && step.kind === 'more') setSecrets(app, name, secrets);
    else show(app, next.wizard);
    return;
  }
  mode.busy = true;
  mode.fault = '';
  addAccount(app, next.input, mode.wizard);
}

export function wizardBack(app: App): void {
  if (app.mode.kind !== 'wizard') return;
  const past = questionBefore(app.mode.wizard);
  if (past) show(app, past);
  else app.mode = CHAT;
  app.redraw('key');
}

function setSecrets(app: App, account: string, secrets: Readonly<Record<string, SecretSource>>): void {
  app.mode = CHAT;
  const done = `${account}: kept; signing in`;
  attempt(
    app,
    account,
    async () => {
      await app.call('accounts.set', { account, settings: {}, secrets });
      await app.call('accounts.retry', { account });
    },
    done,
  );
}

function addAccount(app: App, input: AccountInput, wizard: Wizard): void {
  app.redraw('key');
  app.call('accounts.add', input).then(
    ({ account, kept }) => {
      checkAccount(app, account.account);
      const places = Object.entries(kept).map(([key, place]) => `${key} is kept in: ${place}`);
      tell(app, `${account.account} is added. ${places.join('; ')}`);
    },
    (error: unknown) => {
      show(app, wizard);
      if (app.mode.kind === 'wizard') app.mode.fault = `${textOf(error)}. Esc goes back a question`;
      app.redraw('key');
    },
  );
}

/** Signs in with a connection of its own and shows each step. */
export function checkAccount(app: App, name: string): void {
  showPage(app, `Checking ${name} …`, []);
  app.call('accounts.check', { account: name }).then(
    ({ ok, steps }) => {
      // What failed stands first: there may be no room for all of them.
      const failed = steps.filter((step) => !step.ok);
      const lines = [...failed, ...steps.filter((step) => step.ok)].map((step) => ({
        term: `${step.ok ? '✓' : '✗'} ${step.step}`,
        text: step.text,
        ...(step.ok ? {} : { tone: 'alert' as const }),
      }));
      const remedy = failed.some(({ code }) => code === 'auth')
        ? [{ text: `/account secret ${name} gives the secret again` }, { text: '' }]
        : [];
      const [first, ...rest] = lines;
      showPage(app, ok ? `${name} works` : `${name} does not work`, [...(first ? [first] : []), ...remedy, ...rest]);
    },
    (error: unknown) => showPage(app, `${name} could not be checked`, [{ text: textOf(error), tone: 'alert' }]),
  );
}
