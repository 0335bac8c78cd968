import { spawn } from '@lydell/node-pty';
import { isInstalled, tempDir, waitFor } from '../servers/process.ts';
import { onSendStage, sendCommand } from './commands.ts';
import { contactList, liveContacts } from './contacts.ts';
import { ircFloodOnce, plainProsody, rosterOnce, xmppFloodOnce } from './floods.ts';
import { ircBurst } from './irc-burst.ts';
import { cpuOf, cpuOfCommand, type Figure, median, settled } from './measure.ts';
import { ircRivals, layOut, RIVAL, type Rival, sendRivals, xmppRivals } from './rival-clients.ts';
import { type XmppBot, xmppBot } from './xmpp-bot.ts';

const MESSAGES = 20_000;
const CONTACTS = 10_000;
const LIMIT_S = 90;
const NOBODY = 65_534;

/** Seconds. */
interface Cost {
  readonly cpu: number;
  readonly wall: number;
  /** Whether it came to the end within the limit. */
  readonly finished: boolean;
}

/**
 * The other clients on the same work, on the same servers, in the same run: each in a terminal that is read but not
 * drawn. Figures are imux's CPU divided by theirs. For imux all of the hub counts, its archive and index included,
 * which most of them do not have; for them the whole client, its screen included.
 */
export async function rivals(): Promise<readonly Figure[]> {
  return [...(await oneShot()), ...(await ircFloods()), ...(await xmppFloods()), ...(await rosters())];
}

/** Runs a rival in a terminal and a home of its own. @throws Error, with what it last showed, where it ends by itself. */
async function inTerminal(rival: Rival, use: (pid: number) => Promise<Cost>): Promise<Cost> {
  const home = await tempDir('rival');
  // Some refuse to be root, who may run the bench.
  const owner = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  await layOut(rival, home.path, owner.uid);
  const env = { PATH: process.env.PATH ?? '', HOME: home.path, TERM: 'xterm-256color', LANG: 'C.UTF-8' };
  const pty = spawn(rival.command, [...rival.args], { cols: 120, rows: 40, cwd: home.path, env, ...owner });
  let shown = '';
  pty.onData((data) => {
    shown = (shown + data).slice(-2_000);
  });
  const gone = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
  const early = gone.then((code) => {
    throw new Error(`it ended with ${code}`);
  });
  try {
    return await Promise.race([use(pty.pid), early]);
  } catch (cause) {
    throw new Error(`${rival.name} failed; it last wrote ${JSON.stringify(shown.slice(-500))}`, { cause });
  } finally {
    pty.kill('SIGKILL');
    await early.catch(() => undefined);
    await home.remove();
  }
}

interface Start {
  readonly cpu: number;
  readonly at: number;
}

const now = (pid: number): Start => ({ cpu: cpuOf(pid), at: performance.now() });

function costSince(pid: number, from: Start, finished: boolean): Cost {
  const { cpu, at } = now(pid);
  return { cpu: cpu - from.cpu, wall: (at - from.at) / 1000, finished };
}

/** True once the work is done; false where that takes longer than the limit. */
async function inTime(work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), LIMIT_S * 1000);
  });
  const done = await Promise.race([work.then((value) => value !== false), late]);
  clearTimeout(timer);
  return done;
}

/** Measures each rival that is installed, and says which are not or would not run. */
async function each(list: readonly Rival[], work: string, ours: Cost, cost: (rival: Rival) => Promise<Cost>) {
  const figures: Figure[] = [];
  for (const rival of list) {
    if (!isInstalled(rival.command)) {
      process.stderr.write(`left out: ${rival.name}, not installed\n`);
      continue;
    }
    process.stderr.write(`measuring ${rival.name}, ${work} …\n`);
    try {
      const figure = ratio(`${work}: imux / ${rival.name}`, ours, await cost(rival));
      process.stderr.write(`${figure.value.toFixed(2)} x: ${figure.note}\n`);
      figures.push(figure);
    } catch (error) {
      process.stderr.write(`left out: ${error instanceof Error ? error.message : error}\n`);
    }
  }
  return figures;
}

/** Of CPU; of time where the rival was stopped at the limit, and then it is at most that. */
function ratio(name: string, ours: Cost, theirs: Cost): Figure {
  const note = `${told(ours)} against ${told(theirs)}`;
  if (!theirs.finished) {
    const late = ', and it had not finished: the ratio is of time, at most';
    return { name, value: ours.wall / theirs.wall, unit: 'x', note: note + late };
  }
  return { name, value: ours.cpu / theirs.cpu, unit: 'x', note };
}

const told = ({ cpu, wall }: Cost): string =>
  wall < 1
    ? `${(cpu * 1000).toFixed(0)} ms of CPU in ${(wall * 1000).toFixed(0)} ms`
    : `${cpu.toFixed(2)} s of CPU in ${wall.toFixed(1)} s`;

async function xmppFloods(): Promise<readonly Figure[]> {
  const prosody = await plainProsody();
  const ours = { ...(await xmppFloodOnce(prosody, MESSAGES)), finished: true };
  const figures = await each(xmppRivals(prosody.ports.c2s), '20,000 XMPP messages', ours, async (rival) => {
    const bot = await xmppBot(prosody.ports.c2s, 'localhost', 'bot', 'botpw');
    try {
      return await inTerminal(rival, (pid) => floodOver(bot, pid));
    } finally {
      bot.close();
    }
  });
  await prosody.stop();
  return figures;
}

async function floodOver(bot: XmppBot, pid: number): Promise<Cost> {
  if (!(await bot.answered(RIVAL, 20_000))) throw new Error('it never came online');
  await settled(pid, 10_000);
  const from = now(pid);
  const flood = bot.flood(RIVAL, MESSAGES).then(() => bot.answered(RIVAL, LIMIT_S * 1000));
  return costSince(pid, from, await inTime(flood));
}

async function rosters(): Promise<readonly Figure[]> {
  const prosody = await plainProsody();
  await prosody.roster('me', contactList(CONTACTS));
  const contacts = await liveContacts(prosody);
  const ours = { ...(await rosterOnce(prosody, contacts, CONTACTS)), finished: true };
  const work = '10,000 contacts, 1,000 online';
  const figures = await each(xmppRivals(prosody.ports.c2s), work, ours, (rival) =>
    inTerminal(rival, async (pid) => {
      const all = contacts.presences() + CONTACTS / 10;
      const from = { cpu: 0, at: performance.now() };
      const loaded = waitFor(() => contacts.presences() >= all, { timeoutMs: LIMIT_S * 1000, what: 'presences' })
        .then(() => contacts.answered(RIVAL, LIMIT_S * 1000))
        .catch(() => false);
      return costSince(pid, from, await inTime(loaded));
    }),
  );
  contacts.close();
  await prosody.stop();
  return figures;
}

async function ircFloods(): Promise<readonly Figure[]> {
  const ours = { ...(await ircFloodOnce(MESSAGES)), finished: true };
  const server = await ircBurst();
  const figures = await each(ircRivals(server.port), '20,000 IRC lines', ours, (rival) =>
    inTerminal(rival, async (pid) => {
      if (!(await server.join(20_000))) throw new Error('it never joined');
      await settled(pid, 10_000);
      const from = now(pid);
      return costSince(pid, from, await inTime(server.burst(MESSAGES)));
    }),
  );
  server.stop();
  return figures;
}

function oneShot(): Promise<readonly Figure[]> {
  return onSendStage(async ({ hub, prosody }) => {
    const figures: Figure[] = [];
    for (const { name, command, args } of sendRivals(prosody.ports.c2s)) {
      if (!isInstalled(command)) {
        process.stderr.write(`left out: ${name}, not installed\n`);
        continue;
      }
      const runs = Array.from({ length: 10 }, () => ({
        ours: cpuOfCommand(sendCommand, hub.env),
        theirs: cpuOfCommand(`${command} ${args.join(' ')} <<<hello`, hub.env),
      }));
      const middle = (of: 'ours' | 'theirs'): Cost => ({
        cpu: median(runs.map((run) => run[of].cpu)) / 1000,
        wall: median(runs.map((run) => run[of].wall)) / 1000,
        finished: true,
      });
      figures.push(ratio(`one message sent: imux / ${name}`, middle('ours'), middle('theirs')));
    }
    return figures;
  });
}
