/**
 * The screen on the fake hub, to look at and to test: `node test/tui/dev.ts [SCENE]`.
 * Scenes: talk (as it is), lively, flood [messages a second], hostile, widths, alone (no accounts), crash, busy (10,000 contacts).
 */
import type { ContactView, MessageView, Snapshot } from '../../src/link/messages.ts';
import { openScreen } from '../../src/tui/index.ts';
import { contact, type FakeHub, fakeHub, smallTalk, wonderland } from './fake-hub.ts';
import { HOSTILE } from './hostile.ts';
import { WIDTH_TABLE } from './widths.ts';

const [, , scene = 'talk', count = '500'] = process.argv;
const TARGETS = ['work:alice@example.org', 'libera:#imux', 'tg:@bob'];

function talk(hub: FakeHub, perSecond: number): void {
  let said = 0;
  const started = performance.now();
  setInterval(
    () => {
      const due = ((performance.now() - started) / 1000) * perSecond;
      while (said < due) {
        const target = TARGETS[said++ % TARGETS.length] ?? '';
        hub.say(hub.keyOf(target), `message ${said}, about the weather in Wonderland and what the rabbit said of it`);
      }
    },
    Math.max(2, Math.min(50, 1_000 / perSecond)),
  ).unref();
}

/** Every string of a network, as bad as it can be: core would have cleaned it before. */
function hostile(): FakeHub {
  const { accounts, contacts } = wonderland();
  const [work] = accounts;
  if (!work) throw new Error('no account');
  const named = HOSTILE.map((text, i) =>
    contact(work, `h${i}${text}`, text, { presence: 'online', status: text, groups: [text] }),
  );
  const room: ContactView = contact(work, '#bad', HOSTILE.join(''), {
    kind: 'room',
    topic: HOSTILE.join(' '),
    unread: 1,
  });
  const snapshot: Snapshot = {
    accounts: [{ ...work, state: 'failed', error: { code: 'auth', message: HOSTILE.join(' ') } }],
    contacts: [room, ...named, ...contacts.slice(0, 1)],
    requests: [{ id: 'r', account: 'work', kind: 'subscription', from: HOSTILE.join(''), text: HOSTILE.join('') }],
    prompts: [],
  };
  const stored = HOSTILE.map(
    (text): MessageView => ({
      id: '',
      conversation: room.conversation,
      account: 'work',
      network: 'xmpp',
      target: room.target,
      kind: 'room',
      from: { id: text, name: text, self: false },
      at: new Date(2026, 10, 20, 12).toISOString(),
      text,
      files: [{ id: 'f', name: text }],
      reactions: { [text]: ['x'] },
      error: { code: 'refused', message: text },
    }),
  );
  return fakeHub(snapshot, stored);
}

function crowd(size: number): FakeHub {
  const { accounts, contacts } = wonderland();
  const [work] = accounts;
  if (!work) throw new Error('no account');
  const many = Array.from({ length: size }, (_, i) => contact(work, `c${i}@example.org`, `Contact ${i}`));
  return fakeHub({ accounts, contacts: [...contacts, ...many], requests: [], prompts: [] }, smallTalk());
}

function hubFor(): FakeHub {
  switch (scene) {
    case 'hostile':
      return hostile();
    case 'alone':
      return fakeHub({ accounts: [], contacts: [], requests: [], prompts: [] });
    case 'busy':
      return crowd(10_000);
    case 'widths': {
      const { accounts } = wonderland();
      const [work] = accounts;
      if (!work) throw new Error('no account');
      const contacts = WIDTH_TABLE.map((name, i) => contact(work, `c${i}@x`, name));
      return fakeHub({ accounts, contacts, requests: [], prompts: [] });
    }
    default:
      return fakeHub(undefined, smallTalk());
  }
}

const hub = hubFor();
if (scene === 'lively') talk(hub, 0.5);
if (scene === 'flood' || scene === 'busy') talk(hub, Number(count));
if (scene === 'crash') {
  hub.answers.typing = () => {
    setImmediate(() => {
      throw new Error('a fault of ours');
    });
    return {};
  };
}
process.exitCode = await openScreen({ connect: () => hub.connect() });
