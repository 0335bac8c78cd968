import type { Field } from '../../adapters/contract.ts';
import type { AccountInput, NetworkView, SecretSource } from '../link/messages.ts';

/** Adding an account, one question at a time. Pure: `answer` gives the next state. */
export interface Wizard {
  readonly networks: readonly NetworkView[];
  /** Names of accounts that there are. */
  readonly taken: readonly string[];
  readonly step: Step;
  readonly network?: NetworkView;
  readonly name?: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, SecretSource>>;
  readonly past?: Wizard;
  /** Not a new account: one secret of an account that there is. */
  readonly secretOnly?: true;
}

type Step =
  | { readonly kind: 'network' }
  | { readonly kind: 'name' }
  | { readonly kind: 'field'; readonly field: Field }
  | { readonly kind: 'place'; readonly field: Field }
  | { readonly kind: 'secret'; readonly field: Field; readonly place: Place }
  | { readonly kind: 'more' };
type Place = 'keychain' | 'file' | 'command' | 'env';

export interface Question {
  readonly label: string;
  /** Stands in the empty prompt. */
  readonly hint: string;
  readonly secret: boolean;
  /** What stands above, a line each; choices are numbered. */
  readonly about: readonly string[];
  readonly choices: readonly string[];
}

const PLACES: readonly Place[] = ['keychain', 'file', 'command', 'env'];
const PLACE_TEXT: Readonly<Record<Place, string>> = {
  keychain: "the system's keychain: locked with your session, and no file of ours holds it",
  file: 'an encrypted file of imux, opened by a passphrase: for machines without a keychain',
  command: 'a command prints it, such as `pass show chat`: imux keeps nothing',
  env: 'an environment variable of the hub: imux keeps nothing',
};

export function newWizard(networks: readonly NetworkView[], taken: readonly string[], network?: string): Wizard {
  const start: Wizard = { networks, taken, step: { kind: 'network' }, settings: {}, secrets: {} };
  if (!network) return start;
  const next = answer(start, network);
  return 'wizard' in next ? next.wizard : start;
}

export function questionOf(wizard: Wizard): Question {
  const { step } = wizard;
  const base = { secret: false, choices: [], about: [], hint: '' };
  switch (step.kind) {
    case 'network':
      return {
        ...base,
        label: 'Network',
        hint: 'a number or a name',
        about: ['Which network is the account on?'],
        choices: wizard.networks.map((one) => `${one.title}   ${one.addressExample}`),
      };
    case 'name':
      return {
        ...base,
        label: 'Name',
        hint: `Enter: ${freeName(wizard)}`,
        about: [
          'How do you want to call this account?',
          'The name stands beside each of its contacts and before each message that you send by it.',
        ],
      };
    case 'field':
      return {
        ...base,
        label: step.field.label,
        hint: hintOf(wizard, step.field),
        about: step.field.hint ? [step.field.hint] : [],
        choices: step.field.choices ?? [],
      };
    case 'place':
      return {
        ...base,
        label: 'Keep it in',
        hint: step.field.optional ? 'Enter: 1, the keychain · - : there is none' : 'Enter: 1, the keychain',
        about: [`Where shall the ${step.field.label.toLowerCase()} be kept? It is never written in the accounts file.`],
        choices: PLACES.map((one) => PLACE_TEXT[one]),
      };
    case 'secret':
      return secretQuestion(step.field, step.place);
    case 'more':
      return {
        ...base,
        label: 'Sign in',
        hint: 'Enter signs in; or KEY=VALUE first',
        about: [
          'That is all that is needed. More can be set, as KEY=VALUE:',
          ...optionalFields(wizard).map((field) => {
            const set = wizard.settings[field.key] ?? field.preset;
            return `· ${field.key}${set ? `=${set}` : ''}: ${field.label}`;
          }),
        ],
      };
  }
}

function secretQuestion(field: Field, place: Place): Question {
  const base = { secret: false, choices: [], about: [`Kept by ${PLACE_TEXT[place]}.`], hint: '' };
  switch (place) {
    case 'keychain':
    case 'file':
      return { ...base, label: field.label, secret: true };
    case 'command':
      return { ...base, label: 'Command', hint: 'pass show chat/work' };
    case 'env':
      return { ...base, label: 'Variable', hint: 'IMUX_WORK_PASSWORD' };
  }
}

function hintOf(wizard: Wizard, field: Field): string {
  const known = wizard.settings[field.key] ?? field.preset;
  if (known) return `Enter: ${known}`;
  return field.optional ? 'Enter: none' : (field.hint ?? '');
}

const optionalFields = (wizard: Wizard): Field[] =>
  wizard.network?.fields.filter((field) => field.optional && !field.secret) ?? [];

function freeName(wizard: Wizard): string {
  const base = wizard.network?.network ?? 'account';
  if (!wizard.taken.includes(base)) return base;
  for (let i = 2; ; i++) if (!wizard.taken.includes(`${base}${i}`)) return `${base}${i}`;
}

export type Answered =
  | { readonly wizard: Wizard }
  | { readonly fault: string }
  /** All is known. */
  | { readonly input: AccountInput };

export function answer(wizard: Wizard, given: string): Answered {
  const { step } = wizard;
  const text = step.kind === 'secret' ? given : given.trim();
  switch (step.kind) {
    case 'network': {
      const network =
        pick(wizard.networks, text, (one) => one.network) ?? pick(wizard.networks, text, (one) => one.title);
      return network ? advance(wizard, { network }, { kind: 'name' }) : { fault: `no network called "${text}"` };
    }
    case 'name': {
      const name = text || freeName(wizard);
      if (!/^[A-Za-z0-9._-]{1,32}$/.test(name)) return { fault: 'letters, digits, . _ - and at most 32 of them' };
      if (wizard.taken.includes(name)) return { fault: `there is an account called ${name} already` };
      return advance(wizard, { name }, stepAfter(wizard, undefined));
    }
    case 'field':
      return answerField(wizard, step.field, text);
    case 'place':
      return answerPlace(wizard, step.field, text);
    case 'secret':
      return answerSecret(wizard, step.field, step.place, text);
    case 'more':
      return answerMore(wizard, text);
  }
}

/** One question back; what was answered since is offered again. */
export function questionBefore(wizard: Wizard): Wizard | undefined {
  let { past } = wizard;
  while (past?.step.kind === 'more') past = past.past;
  if (!past || past.step.kind === 'network') return past;
  return { ...past, settings: { ...past.settings, ...wizard.settings } };
}

function advance(wizard: Wizard, change: Partial<Wizard>, step: Step): Answered {
  return { wizard: { ...wizard, ...change, step, past: wizard } };
}

/** Only what cannot do without an answer is asked; the rest is discovered, or set at the end. */
function stepAfter(wizard: Wizard, field: Field | undefined): Step {
  const asked = wizard.network?.fields.filter((one) => one.secret || !one.optional) ?? [];
  const next = asked[field ? asked.indexOf(field) + 1 : 0];
  if (!next) return { kind: 'more' };
  return next.secret ? { kind: 'place', field: next } : { kind: 'field', field: next };
}

function answerField(wizard: Wizard, field: Field, text: string): Answered {
  const chosen = field.choices && text ? pick(field.choices, text, (one) => one) : text;
  if (chosen === undefined) return { fault: `one of: ${field.choices?.join(', ')}` };
  const value = chosen || wizard.settings[field.key] || field.preset || '';
  if (!value && !field.optional) return { fault: `${field.label} is needed` };
  const settings = value ? { ...wizard.settings, [field.key]: value } : wizard.settings;
  return advance(wizard, { settings }, stepAfter(wizard, field));
}

function answerPlace(wizard: Wizard, field: Field, text: string): Answered {
  if (text === '-' && field.optional) return advance(wizard, {}, stepAfter(wizard, field));
  const place = text ? pick(PLACES, text, (one) => one) : 'keychain';
  return place
    ? advance(wizard, {}, { kind: 'secret', field, place })
    : { fault: '1, 2, 3 or 4; the next question is for the secret itself' };
}

function answerSecret(wizard: Wizard, field: Field, place: Place, text: string): Answered {
  if (!text) return { fault: `${field.label} is empty; Esc goes back` };
  const secrets = { ...wizard.secrets, [field.key]: sourceOf(place, text) };
  return advance(wizard, { secrets }, stepAfter(wizard, field));
}

function sourceOf(place: Place, text: string): SecretSource {
  switch (place) {
    case 'keychain':
    case 'file':
      return { kind: 'given', secret: text, into: place };
    case 'command':
      return { kind: 'command', command: text.trim() };
    case 'env':
      return { kind: 'env', variable: text.trim() };
  }
}

function answerMore(wizard: Wizard, text: string): Answered {
  const { network, name, settings, secrets } = wizard;
  if (text) {
    const at = text.indexOf('=');
    const key = text.slice(0, at).trim();
    if (at < 1 || !network?.fields.some((field) => field.key === key && !field.secret)) {
      return { fault: 'KEY=VALUE with a key from above; Enter alone signs in' };
    }
    return advance(wizard, { settings: { ...settings, [key]: text.slice(at + 1).trim() } }, wizard.step);
  }
  if (!network || name === undefined) return { fault: 'no network chosen' };
  return { input: { network: network.network, name, settings, secrets } };
}

function pick<T>(choices: readonly T[], text: string, nameOf: (one: T) => string): T | undefined {
  if (/^\d+$/.test(text)) return choices[Number(text) - 1];
  const wanted = text.toLowerCase();
  if (!wanted) return undefined;
  return (
    choices.find((one) => nameOf(one).toLowerCase() === wanted) ??
    choices.find((one) => nameOf(one).toLowerCase().startsWith(wanted))
  );
}
