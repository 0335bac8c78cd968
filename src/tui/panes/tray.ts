import type { PromptView, RequestView } from '../../link/messages.ts';
import { type App, can, editorIn, focusedRow } from '../app.ts';
import { commandIn } from '../commands/command.ts';
import { tameLine, truncate, wrap } from '../width.ts';

/** The first question that waits for the person, over all accounts. */
export function waitingQuestion(
  app: App,
): { readonly prompt: PromptView } | { readonly request: RequestView } | undefined {
  for (const prompt of app.store.prompts.values()) return { prompt };
  for (const request of app.store.requests.values()) return { request };
  return undefined;
}

/** Lines above the prompt that come when there is something to say: a question, an error, what a command does. */
export function drawTray(app: App, width: number): string[] {
  const rows: string[] = [];
  const { notice, theme } = app;
  if (notice && notice.until > app.now()) {
    const paint = notice.alert ? theme.alert : theme.soft;
    rows.push(...wrap(tameLine(notice.text), width - 2, 3).map((row) => ` ${paint(row)}`));
  }
  const { mode } = app;
  const question = waitingQuestion(app);
  if (mode.kind === 'answer') {
    const { account, prompt } = mode.prompt;
    rows.push(...wrap(`${account} asks: ${tameLine(prompt.text)}`, width - 2, 3).map((row) => ` ${theme.strong(row)}`));
  } else if (question && !(mode.kind === 'wizard' && !mode.busy)) {
    rows.push(...questionRows(question, width).map((row) => ` ${theme.strong(row)}`));
  }
  const hint = commandHint(app);
  if (hint) rows.push(` ${theme.soft(truncate(hint, width - 2))}`);
  return rows.slice(0, Math.max(0, app.rows - 6));
}

function questionRows(question: NonNullable<ReturnType<typeof waitingQuestion>>, width: number): string[] {
  if ('prompt' in question) {
    const { account, prompt } = question.prompt;
    return wrap(`${account} asks: ${tameLine(prompt.text)}  [Alt-Y] answer`, width - 2, 3);
  }
  const { account, kind, from, text } = question.request;
  const wish = kind === 'invite' ? 'invites you to a room' : 'wants to see when you are there';
  const words = text ? ` "${tameLine(text.slice(0, 300))}"` : '';
  return wrap(`${account}: ${tameLine(from)} ${wish}${words}  [Alt-Y] accept  [Alt-N] refuse`, width - 2, 3);
}

/** A command says what it does while it is typed, and whether this network can. */
function commandHint(app: App): string {
  const { text } = editorIn(app);
  if (app.mode.kind !== 'chat' || !text.startsWith('/') || text.startsWith('//')) return '';
  const found = commandIn(app.commands, text);
  if (found.command) {
    const row = focusedRow(app);
    const { needs } = found.command;
    if (needs && row && !can(app, row.contact, needs))
      return `/${found.command.name}: not possible on ${row.contact.network}`;
    return `${found.command.usage} — ${found.command.about}`;
  }
  const names = found.near.map((one) => `/${one.name}`);
  return names.length > 0
    ? `${names.join('  ')}   Tab completes`
    : 'no such command; // sends a text that begins with /';
}
