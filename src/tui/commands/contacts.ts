import type { Presence } from '../../../adapters/contract.ts';
import { type App, attempt, focusedConversation, type PageLine, tell } from '../app.ts';
import { focusContact } from '../focus.ts';
import { showPage } from '../page.ts';
import { answerRequest } from '../questions.ts';
import { addressIn, openRoom, openRow } from './arguments.ts';
import type { Command } from './command.ts';

function join(app: App, rest: string): void {
  const { account, address } = addressIn(app, rest);
  const [room = '', password] = address.split(/\s+/);
  attempt(app, `${account}: not in ${room}`, async () => {
    const { contact } = await app.call('rooms.join', { account, address: room, ...(password ? { password } : {}) });
    focusContact(app, contact);
  });
}

function leave(app: App): void {
  const row = openRoom(app);
  attempt(app, `${row.contact.account}: still there`, () => app.call('rooms.leave', { conversation: row.key }));
}

function topic(app: App, rest: string): void {
  const row = openRoom(app);
  if (!rest) {
    tell(app, row.contact.topic ? `topic: ${row.contact.topic}` : 'there is no topic; /topic TEXT sets one');
    return;
  }
  attempt(app, `${row.contact.account}: topic not set`, () =>
    app.call('rooms.topic', { conversation: row.key, text: rest }),
  );
}

function invite(app: App, rest: string): void {
  const row = openRoom(app);
  if (!rest) throw new Error('/invite ADDRESS');
  const done = `${rest} is invited`;
  attempt(app, `${rest} not invited`, () => app.call('rooms.invite', { conversation: row.key, address: rest }), done);
}

function members(app: App): void {
  const row = openRoom(app);
  attempt(app, `${row.contact.account}: no list of members`, async () => {
    const { members: found } = await app.call('rooms.members', { conversation: row.key });
    const conversation = focusedConversation(app);
    if (conversation) conversation.members = new Map(found.map((member) => [member.id, member]));
    const lines: PageLine[] = found.map((member) => ({ term: member.name, text: member.role ?? '' }));
    showPage(app, `${row.contact.name}: ${found.length} here`, lines);
  });
}

function setPresence(presence: Presence): Command['run'] {
  return (app, rest) =>
    attempt(app, 'presence not set', () => app.call('presence.set', { presence, ...(rest ? { note: rest } : {}) }));
}

function add(app: App, rest: string): void {
  const { account, address } = addressIn(app, rest);
  const done = `${account}: ${address} is added`;
  attempt(app, `${account}: ${address} not added`, () => app.call('contacts.add', { account, address }), done);
}

function remove(app: App): void {
  const row = openRow(app);
  app.mode = {
    kind: 'ask',
    question: `take ${row.contact.name} off the contacts of ${row.contact.account}?`,
    choices: [
      {
        key: 'y',
        label: 'remove',
        run: () => attempt(app, 'not removed', () => app.call('contacts.remove', { conversation: row.key })),
      },
    ],
  };
}

function profile(app: App): void {
  const row = openRow(app);
  attempt(app, `${row.contact.account}: no profile`, async () => {
    const { profile: found } = await app.call('profile', { conversation: row.key });
    const lines = Object.entries(found).map(([term, text]) => ({ term, text }));
    showPage(app, row.contact.name, [{ term: 'address', text: row.contact.target }, ...lines]);
  });
}

const block =
  (blocked: boolean): Command['run'] =>
  (app) => {
    const row = openRow(app);
    const done = `${row.contact.name} is ${blocked ? '' : 'no longer '}blocked`;
    attempt(app, 'not done', () => app.call('contacts.block', { conversation: row.key, blocked }), done);
  };

export const contactCommands: readonly Command[] = [
  { name: 'join', usage: '/join [ACCOUNT:]ROOM [PASSWORD]', about: 'enters a room', words: ['account'], run: join },
  { name: 'leave', usage: '/leave', about: 'leaves this room', needs: 'rooms', run: leave },
  { name: 'topic', usage: '/topic [TEXT]', about: "shows or sets the room's topic", needs: 'rooms', run: topic },
  { name: 'invite', usage: '/invite ADDRESS', about: 'asks somebody into this room', needs: 'rooms', run: invite },
  { name: 'members', usage: '/members', about: 'who is in this room', needs: 'rooms', run: members },
  { name: 'away', usage: '/away [NOTE]', about: 'all accounts: away', run: setPresence('away') },
  { name: 'busy', usage: '/busy [NOTE]', about: 'all accounts: do not disturb', run: setPresence('busy') },
  { name: 'back', usage: '/back [NOTE]', about: 'all accounts: here again', run: setPresence('online') },
  { name: 'add', usage: '/add [ACCOUNT:]ADDRESS', about: 'adds a contact', words: ['account'], run: add },
  { name: 'remove', usage: '/remove', about: 'takes this contact off the list', needs: 'contacts', run: remove },
  {
    name: 'rename',
    usage: '/rename NAME',
    about: 'gives this contact another name',
    needs: 'contacts',
    run: (app, rest) => {
      const row = openRow(app);
      if (!rest) throw new Error('/rename NAME');
      attempt(app, 'not renamed', () => app.call('contacts.rename', { conversation: row.key, name: rest }));
    },
  },
  {
    name: 'group',
    usage: '/group [NAME, NAME…]',
    about: 'puts this contact in groups',
    needs: 'contacts',
    run: (app, rest) => {
      const row = openRow(app);
      const groups = rest
        .split(',')
        .map((one) => one.trim())
        .filter(Boolean);
      attempt(app, 'groups not set', () => app.call('contacts.group', { conversation: row.key, groups }));
    },
  },
  { name: 'block', usage: '/block', about: 'hears no more of this contact', needs: 'contacts', run: block(true) },
  { name: 'unblock', usage: '/unblock', about: 'hears of this contact again', needs: 'contacts', run: block(false) },
  {
    name: 'accept',
    usage: '/accept',
    about: 'says yes to the request above the prompt',
    run: (app) => answerRequest(app, true),
  },
  {
    name: 'refuse',
    usage: '/refuse',
    about: 'says no to the request above the prompt',
    run: (app) => answerRequest(app, false),
  },
  { name: 'info', usage: '/info', about: 'what this contact tells of themselves', needs: 'profiles', run: profile },
];
