import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AdapterError } from '../../adapters/errors.ts';
import { chatId, messageOf, userId } from '../hub/network.ts';
import { startHub, type TestHub } from '../hub/start.ts';
import { waitFor } from '../servers/process.ts';
import { imux } from './run.ts';

let hub: TestHub;
beforeEach(async () => {
  hub = await startHub();
  await (await hub.front()).add('work');
});
afterEach(() => hub.end());

const ask = (...args: readonly string[]) => imux(['ask', ...args], { home: hub.home });
const say = (chat: string, text: string, from = chat, live = true): void =>
  hub.network
    .on('work@test')
    .emit({ type: 'message', live, message: messageOf(chat, text, { from: userId(from), at: new Date() }) });
/** Something is said as soon as that text has arrived. */
const whenAsked = (text: string, answer: () => void): void => {
  hub.network.onSend = async (_self, given) => {
    if (given === text) setImmediate(answer);
  };
};

describe('imux ask', () => {
  it('sends the text and prints the answer', async () => {
    whenAsked('really now?', () => say('alice@test', 'yes\nof course'));
    expect(await ask('work:alice@test', 'really', 'now?')).toEqual({ code: 0, stdout: 'yes\nof course\n', stderr: '' });
  });

  it('hears an answer that comes before the network has taken the question', async () => {
    hub.network.onSend = async () => {
      say('alice@test', 'quick');
      await waitFor(async () => {
        const front = await hub.front();
        return (await front.call('messages.since', { after: '1', limit: 1 })).messages.length === 1;
      });
    };
    expect(await ask('Alice', 'well?')).toMatchObject({ code: 0, stdout: 'quick\n' });
  });

  it('takes neither what was said before, nor elsewhere, nor by the account itself, nor from an archive', async () => {
    say('alice@test', 'before');
    whenAsked('well?', () => {
      say('bob@test', 'elsewhere');
      say('alice@test', 'from my phone', 'work@test');
      say('alice@test', 'of last week', 'alice@test', false);
      say('alice@test', 'the answer');
    });
    expect(await ask('work:alice@test', 'well?')).toMatchObject({ code: 0, stdout: 'the answer\n' });
  });

  it('in a room takes the next message by anybody else', async () => {
    whenAsked('go?', () => {
      say('#imux', 'echo', 'work@test');
      say('#imux', 'go', '#imux/bob');
    });
    const { stdout } = await ask('work:#imux', 'go?', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ v: 1, type: 'message', text: 'go', kind: 'room', target: 'work:#imux' });
  });

  it('ends with 75 where none came in time, and says so', async () => {
    const outcome = await ask('work:alice@test', 'hello?', '--timeout', '1');
    expect(outcome).toEqual({ code: 75, stdout: '', stderr: 'imux: work:alice@test: no answer in 1 s\n' });
  });

  it('ends as `send` does where the question is refused, and does not wait', async () => {
    hub.network.onSend = () => Promise.reject(new AdapterError('refused', 'not you'));
    expect(await ask('work:alice@test', 'hello?')).toMatchObject({ code: 77, stdout: '' });
  });

  it('asked again under its key does not ask twice, and takes an answer that came meanwhile', async () => {
    const again = ['--id', 'release-7', 'work:alice@test', 'Release 7?'];
    expect(await ask(...again, '--timeout', '1')).toMatchObject({ code: 75 });
    say('alice@test', 'yes');
    expect(await ask(...again)).toMatchObject({ code: 0, stdout: 'yes\n' });
    expect(hub.network.ledger).toMatchObject([{ chat: chatId('alice@test'), text: 'Release 7?' }]);
  });

  it('takes the question from standard input', async () => {
    whenAsked('from a pipe', () => say('alice@test', 'heard'));
    expect(await imux(['ask', 'Alice'], { home: hub.home, stdin: 'from a pipe\n' })).toMatchObject({
      stdout: 'heard\n',
    });
  });
});
