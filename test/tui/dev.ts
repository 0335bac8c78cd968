/** Runs the screen on the fake hub, to look at: `node test/tui/dev.ts [lively | flood N]`. */
import { openScreen } from '../../src/tui/index.ts';
import { fakeHub, smallTalk } from './fake-hub.ts';

const [, , what, count] = process.argv;
const hub = fakeHub(undefined, smallTalk());
const targets = ['work:alice@example.org', 'libera:#imux', 'tg:@bob'];
let said = 0;
const say = (): void => {
  const target = targets[said++ % targets.length] ?? '';
  hub.say(hub.keyOf(target), `message ${said}, about the weather in Wonderland and what the rabbit said of it`);
};
if (what === 'lively') setInterval(say, 2_000).unref();
if (what === 'flood') {
  setInterval(() => {
    for (let i = 0; i < Number(count ?? 500) / 20; i++) say();
  }, 50).unref();
}
process.exitCode = await openScreen({ connect: () => hub.connect() });
