import { type App, attempt, CHAT, tell } from './app.ts';
import { emptyEditor } from './editor.ts';
import { waitingQuestion } from './panes/tray.ts';

/** Alt-Y and Alt-N, /accept and /refuse. */
export function answerRequest(app: App, accept: boolean): void {
  const question = waitingQuestion(app);
  if (!question) {
    tell(app, 'there is nothing to answer');
    return;
  }
  if ('prompt' in question) {
    app.mode = accept ? { kind: 'answer', editor: emptyEditor, prompt: question.prompt } : app.mode;
    app.redraw('key');
    return;
  }
  const { request } = question;
  attempt(app, `${request.account}: not answered`, async () => {
    await app.call('requests.answer', { id: request.id, accept });
    app.store.requests.delete(request.id);
  });
}

/** What was typed for a login code or a passphrase goes to the account that asked, and nowhere else. */
export function answerPrompt(app: App): void {
  if (app.mode.kind !== 'answer') return;
  const { prompt, editor } = app.mode;
  if (!editor.text) return;
  app.mode = app.mode.within ?? CHAT;
  attempt(app, `${prompt.account}: not answered`, async () => {
    await app.call('prompts.answer', { id: prompt.id, text: editor.text });
    app.store.prompts.delete(prompt.id);
  });
}
