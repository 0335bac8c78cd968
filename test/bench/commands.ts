import { createHmac, pbkdf2Sync } from 'node:crypto';
import { scram } from '../../adapters/scram.ts';
import { type Prosody, startProsody } from '../servers/prosody.ts';
import { type BenchHub, benchHub, program } from './hub.ts';
import { cpuOfCommand, type Figure, median } from './measure.ts';

interface SendStage {
  readonly hub: BenchHub;
  readonly prosody: Prosody;
}

/** A hub online on a Prosody account, for sends to bob@localhost. */
export async function onSendStage<T>(use: (on: SendStage) => Promise<T>): Promise<T> {
  const prosody = await startProsody({
    users: [
      { name: 'me', password: 'mepw' },
      { name: 'bob', password: 'bobpw' },
    ],
  });
  const hub = await benchHub({ BENCH_SECRET: 'mepw' });
  await hub.add({
    network: 'xmpp',
    name: 'work',
    settings: { jid: 'me@localhost', server: `127.0.0.1:${prosody.ports.c2s}`, ca: prosody.ca },
    secrets: { password: { kind: 'env', variable: 'BENCH_SECRET' } },
  });
  await hub.online('work');
  const result = await use({ hub, prosody });
  await hub.stop();
  await prosody.stop();
  return result;
}

export const sendCommand = `${process.execPath} ${program} send work:bob@localhost -m hello`;

/** `imux send` through a running hub and `imux unread` against a bare Node, in turn, so that the machine's mood is in all. */
export function sendCost(runs: number): Promise<readonly Figure[]> {
  return onSendStage(async ({ hub }) => {
    const bare: number[] = [];
    const send: number[] = [];
    const unread: number[] = [];
    for (let run = 0; run < runs; run++) {
      bare.push(cpuOfCommand(`${process.execPath} -e ''`, hub.env).cpu);
      send.push(cpuOfCommand(sendCommand, hub.env).cpu);
      unread.push(cpuOfCommand(`${process.execPath} ${program} unread`, hub.env).cpu);
    }
    const against = (name: string, cost: readonly number[]): Figure => ({
      name: `${name}, CPU of \`node -e ""\``,
      value: median(cost) / median(bare),
      unit: 'x',
      bound: 2,
      note: `${median(cost).toFixed(0)} ms against ${median(bare).toFixed(0)} ms, medians of ${runs}`,
    });
    return [against('imux send through a running hub', send), against('imux unread', unread)];
  });
}

/** The client's whole share of a SCRAM-SHA-256 sign-in at the iteration count that servers use. */
export async function scramCost(): Promise<readonly Figure[]> {
  const iterations = 10_000;
  const costs: number[] = [];
  for (let run = 0; run < 10; run++) {
    const exchange = scram('sha256', 'me', 'pencil', 'fyko+d2lbbFgONRv9qkxdawL');
    const salt = Buffer.from('QSXCR+Q6sek8bf92', 'base64');
    const serverFirst = `r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=${salt.toString('base64')},i=${iterations}`;
    const from = process.cpuUsage();
    const final = await exchange.final(serverFirst);
    const { user, system } = process.cpuUsage(from);
    costs.push((user + system) / 1000);
    const key = createHmac('sha256', pbkdf2Sync('pencil', salt, iterations, 32, 'sha256'))
      .update('Server Key')
      .digest();
    const [withoutProof = ''] = final.split(',p=');
    const auth = `${exchange.first().slice(3)},${serverFirst},${withoutProof}`;
    exchange.verify(`v=${createHmac('sha256', key).update(auth).digest('base64')}`);
  }
  return [{ name: 'SCRAM-SHA-256 sign-in, 10,000 iterations', value: median(costs), unit: 'ms', bound: 60 }];
}
