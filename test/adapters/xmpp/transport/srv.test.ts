import { afterEach, describe, expect, test } from 'vitest';
import { nameService, type SrvRecord, srvOrder, targets } from '../../../../adapters/xmpp/transport/srv.ts';
import { type DnsStub, dnsStub } from './dns-stub.ts';
import { refusal } from './open.ts';

let dns: DnsStub | undefined;
afterEach(() => {
  dns?.stop();
  dns = undefined;
});

const record = (name: string, priority: number, weight: number, port = 5222): SrvRecord => ({
  name,
  port,
  priority,
  weight,
});

async function zone(srv: Record<string, readonly SrvRecord[]>) {
  dns = await dnsStub({ srv });
  return nameService([dns.server]);
}

describe('where a domain takes clients', () => {
  test('L7 both services mixed by priority, the lowest first', async () => {
    const names = await zone({
      '_xmpp-client._tcp.im.example': [record('second.example', 20, 0), record('fourth.example', 40, 0)],
      '_xmpps-client._tcp.im.example': [record('third.example', 30, 0, 443), record('first.example', 10, 0, 5223)],
      '_xmpp-server._tcp.im.example': [record('wrong.example', 1, 0, 5269)],
    });
    expect(await targets('im.example', 'auto', names)).toEqual([
      { host: 'first.example', port: 5223, direct: true },
      { host: 'second.example', port: 5222, direct: false },
      { host: 'third.example', port: 443, direct: true },
      { host: 'fourth.example', port: 5222, direct: false },
    ]);
  });

  test.each([
    ['starttls', ['plain.example'], ['SRV _xmpp-client._tcp.im.example']],
    ['direct', ['direct.example'], ['SRV _xmpps-client._tcp.im.example']],
  ] as const)('L7 only the records for %s where that is wanted', async (policy, hosts, questions) => {
    const names = await zone({
      '_xmpp-client._tcp.im.example': [record('plain.example', 1, 1)],
      '_xmpps-client._tcp.im.example': [record('direct.example', 1, 1)],
    });
    const found = await targets('im.example', policy, names);
    expect(found.map(({ host }) => host)).toEqual(hosts);
    expect(dns?.questions).toEqual(questions);
  });

  test('the domain itself where it has no records, or where the name server is in trouble', async () => {
    const fallback = [
      { host: 'im.example', port: 5222, direct: false },
      { host: 'im.example', port: 5223, direct: true },
    ];
    expect(await targets('im.example', 'auto', await zone({}))).toEqual(fallback);
    dns?.stop();
    dns = await dnsStub({ broken: true });
    expect(await targets('im.example', 'auto', nameService([dns.server]))).toEqual(fallback);
  });

  test('nowhere, where the record says so', async () => {
    const names = await zone({ '_xmpp-client._tcp.im.example': [record('.', 0, 0, 0)] });
    const error = await refusal(targets('im.example', 'auto', names), 'unreachable');
    expect(error.message).toMatch(/no XMPP server/);
  });
});

describe('RFC 2782', () => {
  test('within a priority the weights decide how often one comes first', () => {
    const records = [record('light', 1, 1), record('heavy', 1, 3), record('later', 2, 100)];
    const first = new Map<string, number>();
    let seed = 1;
    // A fixed sequence (Park and Miller) in place of chance.
    const random = (): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    for (let time = 0; time < 4_000; time++) {
      const order = srvOrder(records, random).map(({ name }) => name);
      expect(order).toHaveLength(3);
      expect(order[2]).toBe('later');
      first.set(order[0] ?? '', (first.get(order[0] ?? '') ?? 0) + 1);
    }
    // Of the five numbers from 0 to 4, two draw the light one.
    expect((first.get('heavy') ?? 0) / 4_000).toBeCloseTo(0.6, 1);
  });

  test('weight 0 keeps a small chance, and equal weights lose nobody', () => {
    const records = [record('a', 1, 0), record('b', 1, 10), record('c', 1, 0)];
    expect(srvOrder(records, () => 0).map(({ name }) => name)).toEqual(['a', 'c', 'b']);
    expect(srvOrder(records, () => 0.999).map(({ name }) => name)).toEqual(['b', 'a', 'c']);
  });
});
