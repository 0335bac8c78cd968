import { type TestCa, testCa } from '../servers/ca.ts';
import { type Inspircd, startInspircd } from '../servers/inspircd.ts';
import { need } from '../servers/process.ts';
import { ircDriver } from './irc.driver.ts';
import { contractSuite } from './suite.ts';

let ca: TestCa;
let server: Inspircd;

if (need('IRC on InspIRCd with Atheme', 'inspircd', 'atheme-services')) {
  contractSuite(
    'IRC on InspIRCd with Atheme, by TLS and SASL',
    ircDriver({
      async start() {
        ca = await testCa();
        server = await startInspircd(ca);
        const names = Array.from({ length: 100 }, (_, at) => `acc${at}`);
        await server.register(new Map(names.map((name) => [name, `pw-of-${name}`])));
      },
      async stop() {
        await server.stop();
        await ca.remove();
      },
      ports: () => ({ account: server.ports.tls, peers: server.ports.plain }),
      settings: () => ({ ca: ca.caFile }),
      // All were registered at the start, with one visit at NickServ.
      register: async () => {},
      outage: { begin: () => server.kill(), end: () => server.start() },
      tellsPresence: true,
      // By playing the last lines of a channel back to whoever joins.
      keeps: { rooms: true },
    }),
  );
}
