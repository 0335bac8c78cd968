import { describe, expect, it } from 'vitest';
import { Fault } from '../../src/core/fault.ts';
import { reduce } from '../../src/core/reduce.ts';
import { targetOf } from '../../src/core/state.ts';
import { findTarget } from '../../src/core/targets.ts';
import { contactOf, messageOf } from '../hub/network.ts';
import { testCore } from './archive.ts';

async function withContacts() {
  const { core, work, home } = await testCore();
  const contacts = (...names: string[]) => names.map((name) => contactOf(name));
  reduce(core, work, { type: 'roster', contacts: contacts('Alice', 'Bob'), chats: [] }, 1);
  reduce(core, home, { type: 'roster', contacts: contacts('Alice', 'Carol', 'carol2'), chats: [] }, 1);
  reduce(core, work, { type: 'message', live: true, message: messageOf('Carol', 'a stranger of that name') }, 1);
  return (text: string, aliases: Readonly<Record<string, string>> = {}) => {
    const found = findTarget(core, text, () => new Map(Object.entries(aliases)));
    return found.kind === 'known' ? targetOf(found.entry) : `? ${found.account.account} ${found.address}`;
  };
}

describe('a target', () => {
  it('with an account is split at the first colon', async () => {
    const find = await withContacts();
    expect(find('work:bob@test')).toBe('work:bob@test');
    expect(find('work:x:y')).toBe('? work x:y');
  });

  it('without one is the name or the address of a contact, whatever its case, if only one has it', async () => {
    const find = await withContacts();
    expect(find('Bob')).toBe('work:bob@test');
    expect(find('bob')).toBe('work:bob@test');
    expect(find('bob@test')).toBe('work:bob@test');
    expect(find('CAROL')).toBe('home:carol@test');
  });

  it('that may be several is refused with the candidates', async () => {
    const find = await withContacts();
    expect(() => find('alice')).toThrow(Fault);
    try {
      find('alice');
    } catch (error) {
      expect(error).toMatchObject({
        detail: { code: 'ambiguous', candidates: ['work:alice@test', 'home:alice@test'] },
      });
    }
  });

  it('may be an alias, but not an alias of one', async () => {
    const find = await withContacts();
    expect(find('boss', { boss: 'work:bob@test' })).toBe('work:bob@test');
    expect(() => find('a', { a: 'b', b: 'a' })).toThrow(/no contact/);
  });

  it.each([['nobody'], ['nowhere:bob@test']])('that is nobody is not found: %s', async (text) => {
    const find = await withContacts();
    expect(() => find(text)).toThrow(/no contact or room/);
  });
});
