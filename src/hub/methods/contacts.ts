import { Fault } from '../../core/fault.ts';
import { cleanMember, takeChat } from '../../core/roster.ts';
import { sanitise, sanitiseLine } from '../../core/sanitise.ts';
import type { Entry } from '../../core/state.ts';
import { accountView, contactView } from '../../core/views.ts';
import type { Change, Handlers, Method } from '../../link/messages.ts';
import type { Accounts } from '../accounts.ts';
import type { HubParts } from '../parts.ts';
import type { Resolving } from '../resolving.ts';
import { timeoutOf } from '../sending.ts';

type Ours = 'contacts' | 'resolve' | 'look' | 'profile' | 'presence.set' | 'requests.answer' | 'prompts.answer';
type ContactMethods = Pick<Handlers, Ours | Extract<Method, `contacts.${string}` | `rooms.${string}`>>;

/** Seconds. */
const resolveTimeout = 30;

export function contactMethods(parts: HubParts, accounts: Accounts, resolving: Resolving): ContactMethods {
  const { core, publish } = parts;
  const { state } = core;

  const person = (entry: Entry) => {
    const { contact } = entry;
    if (!contact)
      throw new Fault('not-found', `${entry.address} is not in the contact list of ${entry.account.account}`);
    return contact.id;
  };
  const facetOf = <F extends 'contacts' | 'rooms' | 'profiles'>(entry: Entry, facet: F) =>
    accounts.of(entry).account.facet(facet);

  return {
    contacts: async ({ account }) => {
      if (account === undefined) return { contacts: Array.from(state.entries.values(), contactView) };
      return { contacts: Array.from(accounts.get(account).entry.byChat.values(), contactView) };
    },
    resolve: async ({ target, timeout = resolveTimeout }) => {
      const entry = await resolving.target(target, timeoutOf(timeout));
      return { contact: contactView(entry), limits: accounts.of(entry).account.limits(entry.chat) };
    },
    look: async ({ target, timeout = resolveTimeout }) => await resolving.look(target, timeoutOf(timeout)),
    profile: async ({ conversation }) => {
      const entry = resolving.entry(conversation);
      const profile = await facetOf(entry, 'profiles').read(person(entry));
      const fields = Object.entries(profile).map(([field, value]) => [sanitiseLine(field), sanitise(value)]);
      return { profile: Object.fromEntries(fields) };
    },
    'presence.set': async ({ account, presence, note }) => {
      const chosen = account === undefined ? accounts.all() : [accounts.get(account)];
      await Promise.all(
        chosen.map(async (running) => {
          // Asked of all, it concerns those that can; nobody is shown as away whom the network shows as here.
          if (!running.account.facets.has('presence')) {
            if (account === undefined) return;
            throw new Fault('unsupported', `${account}: its network has no presence to set`);
          }
          running.entry.wanted = presence;
          running.entry.note = note;
          if (running.entry.state === 'online') await running.account.facet('presence').set(presence, note);
          publish([{ type: 'account', account: accountView(running.entry) }]);
        }),
      );
      return {};
    },
    'contacts.add': async ({ account, address }) => {
      await accounts.get(account).account.facet('contacts').add(address);
      return {};
    },
    'contacts.remove': async ({ conversation }) => {
      const entry = resolving.entry(conversation);
      await facetOf(entry, 'contacts').remove(person(entry));
      return {};
    },
    'contacts.rename': async ({ conversation, name }) => {
      const entry = resolving.entry(conversation);
      await facetOf(entry, 'contacts').rename(person(entry), name);
      return {};
    },
    'contacts.group': async ({ conversation, groups }) => {
      const entry = resolving.entry(conversation);
      await facetOf(entry, 'contacts').group(person(entry), groups);
      return {};
    },
    'contacts.block': async ({ conversation, blocked }) => {
      const entry = resolving.entry(conversation);
      await facetOf(entry, 'contacts').block(person(entry), blocked);
      return {};
    },
    'requests.answer': async ({ id, accept }) => {
      const request = state.requests.get(id);
      if (!request) throw new Fault('not-found', 'that request is no longer open');
      await accounts.get(request.view.account).account.facet('contacts').answer(request.native, accept);
      if (state.requests.delete(id)) publish([{ type: 'request-done', id }]);
      return {};
    },
    'prompts.answer': async ({ id, text }) => {
      parts.prompts.answer(id, text);
      return {};
    },
    'rooms.join': async ({ account, address, nick, password }) => {
      const { account: joining, entry } = accounts.get(account);
      const chat = await joining.facet('rooms').join(address, {
        ...(nick === undefined ? {} : { nick }),
        ...(password === undefined ? {} : { password }),
      });
      const changes: Change[] = [];
      const room = takeChat(core, entry, chat, true, changes);
      publish(changes);
      return { contact: contactView(room) };
    },
    'rooms.leave': async ({ conversation }) => {
      const entry = resolving.entry(conversation);
      await facetOf(entry, 'rooms').leave(entry.chat);
      return {};
    },
    'rooms.topic': async ({ conversation, text }) => {
      const entry = resolving.entry(conversation);
      await facetOf(entry, 'rooms').topic(entry.chat, text);
      return {};
    },
    'rooms.invite': async ({ conversation, address }) => {
      const room = resolving.entry(conversation);
      const guest = room.account.byAddress.get(address);
      if (!guest)
        throw new Fault('not-found', `${room.account.account} has no contact ${address}; only its own can be invited`);
      await facetOf(room, 'rooms').invite(room.chat, person(guest));
      return {};
    },
    'rooms.members': async ({ conversation }) => {
      const entry = resolving.entry(conversation);
      if (entry.members) return { members: [...entry.members.values()] };
      const members = await facetOf(entry, 'rooms').members(entry.chat);
      return { members: members.map(cleanMember) };
    },
  };
}
