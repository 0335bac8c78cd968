import { type TestCa, testCa } from '../servers/ca.ts';
import { type Ngircd, startNgircd } from '../servers/ngircd.ts';
import { need } from '../servers/process.ts';
import { ircDriver } from './irc.driver.ts';
import { contractSuite } from './suite.ts';

let ca: TestCa;
let server: Ngircd;

if (need('IRC on ngIRCd', 'ngircd')) {
  contractSuite(
    'IRC on ngIRCd, which knows no extensions',
    ircDriver({
      async start() {
        ca = await testCa();
        server = await startNgircd(ca);
      },
      async stop() {
        await server.stop();
        await ca.remove();
      },
      ports: () => ({ account: server.ports.tls, peers: server.ports.plain }),
      settings: () => ({ ca: ca.caFile }),
      outage: { begin: () => server.kill(), end: () => server.start() },
      tellsPresence: false,
      trimsLines: true,
    }),
  );
}
