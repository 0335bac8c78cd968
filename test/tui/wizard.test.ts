import { describe, expect, it } from 'vitest';
import { answer, newWizard, questionBefore, questionOf, type Wizard } from '../../src/tui/wizard.ts';
import { NETWORKS } from './fake-hub.ts';

function walk(wizard: Wizard, ...answers: string[]): Wizard {
  return answers.reduce((now, text) => {
    const next = answer(now, text);
    if (!('wizard' in next)) throw new Error(`${text}: ${JSON.stringify(next)}`);
    return next.wizard;
  }, wizard);
}

describe('the account wizard', () => {
  it('asks one thing at a time, only what is needed, and ends with the account', () => {
    const start = newWizard(NETWORKS, []);
    const asked = [start, walk(start, '1'), walk(start, '1', 'work'), walk(start, 'xmpp', 'work', 'a@b')];
    expect(asked.map((one) => questionOf(one).label)).toEqual(['Network', 'Name', 'Address', 'Keep it in']);
    const end = walk(start, '1', 'work', 'a@b', '', 'pass word ');
    expect(questionOf(end).label).toBe('Sign in');
    expect(answer(end, '')).toEqual({
      input: {
        network: 'xmpp',
        name: 'work',
        settings: { jid: 'a@b' },
        secrets: { password: { kind: 'given', secret: 'pass word ', into: 'keychain' } },
      },
    });
  });

  it('says where the secret will be kept and why, before it is typed, and does not show it', () => {
    const place = walk(newWizard(NETWORKS, [], 'xmpp'), 'work', 'a@b');
    expect(questionOf(place).choices.join()).toMatch(/keychain.*encrypted file.*command.*environment/s);
    const question = questionOf(walk(place, '2'));
    expect(question.secret).toBe(true);
    expect(question.about.join()).toContain('encrypted file');
    expect(questionOf(walk(place, '3')).secret).toBe(false);
  });

  it('takes presets, skips a secret that need not be, and more settings at the end', () => {
    const end = walk(newWizard(NETWORKS, ['irc'], 'irc'), '', '', 'alice', '-', 'server=localhost:6697');
    expect(answer(end, '')).toMatchObject({
      input: { name: 'irc2', settings: { server: 'localhost:6697', nick: 'alice' }, secrets: {} },
    });
  });

  it('refuses names that are taken or cannot be, and unknown networks', () => {
    const named = walk(newWizard(NETWORKS, ['work']), 'xmpp');
    expect(answer(named, 'work')).toMatchObject({ fault: expect.stringContaining('already') });
    expect(answer(named, 'a b')).toHaveProperty('fault');
    expect(answer(newWizard(NETWORKS, []), 'icq')).toHaveProperty('fault');
  });

  it('can go back', () => {
    const wizard = walk(newWizard(NETWORKS, []), '1', 'work');
    expect(wizard.past && questionOf(wizard.past).label).toBe('Name');
  });

  it('offers what was answered again after going back, and passes over what was set at the end', () => {
    const end = walk(newWizard(NETWORKS, []), '1', 'work', 'a@b', '1', 'secret', 'server=one', 'server=two');
    const again = questionBefore(end);
    expect(again && questionOf(again).label).toBe('Password');
    const address = again && questionBefore(questionBefore(again) ?? again);
    expect(address && questionOf(address)).toMatchObject({ label: 'Address', hint: 'Enter: a@b' });
    expect(address && walk(address, '', '', 'secret').settings).toEqual({ jid: 'a@b', server: 'two' });
  });
});
