import { resolve } from 'node:path';
import { type App, attempt, CHAT, draftOf, focusedConversation, tell } from '../app.ts';
import { correct, deliver } from '../chat.ts';
import { editorOf } from '../editor.ts';
import { focusContact } from '../focus.ts';
import { openSearch } from '../search.ts';
import { lastMessage, lastOwnMessage, openRow } from './arguments.ts';
import type { Command } from './command.ts';

const FILE_SECONDS = 300;

function message(app: App, rest: string): void {
  const [target = '', ...words] = rest.split(' ');
  if (!target) throw new Error('/msg TARGET [TEXT]');
  attempt(app, `/msg ${target}`, async () => {
    const { contact } = await app.call('resolve', { target });
    focusContact(app, contact);
    const row = app.store.rows.get(contact.conversation);
    if (row && words.length > 0) deliver(app, row, words.join(' '), { aside: true });
  });
}

function edit(app: App, rest: string): void {
  const own = lastOwnMessage(app, (one) => one.text !== '');
  if (rest) {
    correct(app, openRow(app), own.id, rest);
    return;
  }
  // The prompt is emptied after a command; what is to be corrected comes after that.
  queueMicrotask(() => {
    const draft = draftOf(app);
    draft.editing = own.id;
    draft.editor = editorOf(own.text);
    app.redraw('key');
  });
}

function react(app: App, rest: string): void {
  const last = lastMessage(app, (one) => !one.from.self && !one.retracted, 'message of others');
  const emoji = rest.split(/\s+/).filter(Boolean);
  attempt(app, 'no reaction', () => app.call('react', { message: last.id, emoji }));
}

function reply(app: App, rest: string): void {
  if (!rest) throw new Error('/reply TEXT');
  const last = lastMessage(app, (one) => !one.from.self && !one.retracted, 'message of others');
  deliver(app, openRow(app), rest, { replyTo: last.id });
}

function sendFile(app: App, rest: string): void {
  const row = openRow(app);
  const path = resolve(rest.replace(/^~(?=\/)/, process.env.HOME ?? '~'));
  if (!rest) throw new Error('/file PATH');
  tell(app, `sending ${path} …`);
  attempt(
    app,
    `${row.contact.account}: ${path} not sent`,
    () => app.call('files.send', { conversation: row.key, path, wait: 'accepted', timeout: FILE_SECONDS }),
    `${path} sent`,
  );
}

function saveFile(app: App, rest: string): void {
  const holder = lastMessage(
    app,
    (one) => one.files?.some((file) => !rest || file.name.includes(rest)) ?? false,
    rest ? `file called ${rest}` : 'file',
  );
  const file = holder.files?.find((one) => !rest || one.name.includes(rest));
  if (!file) throw new Error('there is no such file here');
  const folder = process.cwd();
  app.call('files.save', { message: holder.id, file: file.id, folder }).then(
    ({ path }) => tell(app, `saved as ${path}`),
    (error: unknown) => tell(app, `not saved: ${error instanceof Error ? error.message : error}`, true),
  );
}

const isStuck = (one: { readonly state?: string }): boolean => one.state === 'failed' || one.state === 'unknown';

export const messageCommands: readonly Command[] = [
  {
    name: 'msg',
    usage: '/msg TARGET [TEXT]',
    about: 'opens a conversation, and writes there',
    words: ['target'],
    run: message,
  },
  {
    name: 'me',
    usage: '/me TEXT',
    about: 'says what you do, in the third person',
    run: (app, rest) => {
      if (!rest) throw new Error('/me TEXT');
      deliver(app, openRow(app), `/me ${rest}`);
    },
  },
  { name: 'edit', usage: '/edit [TEXT]', about: 'corrects your last message', needs: 'edits', run: edit },
  {
    name: 'retract',
    usage: '/retract',
    about: 'takes your last message back',
    needs: 'retractions',
    run: (app) => {
      const own = lastOwnMessage(app);
      attempt(app, 'not taken back', () => app.call('retract', { message: own.id }));
    },
  },
  { name: 'react', usage: '/react EMOJI', about: 'reacts to the last message', needs: 'reactions', run: react },
  { name: 'reply', usage: '/reply TEXT', about: 'answers the last message, quoting it', run: reply },
  { name: 'file', usage: '/file PATH', about: 'sends a file', needs: 'files', run: sendFile },
  { name: 'save', usage: '/save [NAME]', about: 'saves the last file here', needs: 'files', run: saveFile },
  {
    name: 'retry',
    usage: '/retry',
    about: 'sends again what failed',
    run: (app) => {
      const own = lastOwnMessage(app, isStuck);
      attempt(app, 'not sent again', () => app.call('outbox.retry', { message: own.id }));
    },
  },
  {
    name: 'discard',
    usage: '/discard',
    about: 'drops what was not sent',
    run: (app) => {
      const own = lastOwnMessage(app, (one) => isStuck(one) || one.state === 'queued');
      attempt(app, 'not dropped', async () => {
        await app.call('outbox.discard', { message: own.id });
        const conversation = focusedConversation(app);
        if (conversation) conversation.messages = conversation.messages.filter((one) => one.id !== own.id);
      });
    },
  },
  {
    name: 'search',
    usage: '/search WORDS',
    about: 'searches all conversations (from: in: account: before: after: has:file)',
    run: (app, rest) => {
      app.mode = CHAT;
      openSearch(app, rest);
    },
  },
];
