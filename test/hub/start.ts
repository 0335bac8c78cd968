import { join } from 'node:path';
import { type Hub, type HubOptions, openHub } from '../../src/hub/hub.ts';
import { attach, type LinkClient } from '../../src/link/client.ts';
import type { Change, ChangeType, Snapshot } from '../../src/link/messages.ts';
import { findPaths, type Paths } from '../../src/paths.ts';
import { tempDir, waitFor } from '../servers/process.ts';
import { type TestNetwork, type TestNetworkOptions, testNetwork } from './network.ts';

export interface TestHub {
  readonly hub: Hub;
  readonly paths: Paths;
  /** For IMUX_HOME. */
  readonly home: string;
  readonly network: TestNetwork;
  front(name?: string): Promise<TestFront>;
  /** A new hub on the same folders, after the first one was stopped. */
  again(options?: Partial<HubOptions>): Promise<TestHub>;
  /** Ends it and its fronts and removes its folders. */
  end(): Promise<void>;
}

export interface TestFront {
  readonly call: LinkClient['call'];
  readonly link: LinkClient;
  readonly changes: Change[];
  resyncs(): number;
  subscribe(only?: readonly ChangeType[]): Promise<Snapshot>;
  /** The first change of that type that passes; waits for it. */
  next<T extends ChangeType>(
    type: T,
    passes?: (change: Extract<Change, { type: T }>) => boolean,
  ): Promise<Extract<Change, { type: T }>>;
  add(name: string, self?: string): Promise<void>;
  close(): void;
}

export async function startHub(options: Partial<HubOptions> & TestNetworkOptions = {}): Promise<TestHub> {
  const dir = await tempDir('hub');
  const network = testNetwork(options);
  return await startIn(join(dir.path, 'h'), network, options, dir.remove);
}

async function startIn(
  home: string,
  network: TestNetwork,
  options: Partial<HubOptions>,
  remove: () => Promise<void>,
): Promise<TestHub> {
  const paths = findPaths({ IMUX_HOME: home });
  const networks = { names: ['test'], load: async () => network.adapter };
  const hub = await openHub({ paths, env: { IMUX_HOME: home }, networks, ...options });
  const fronts: TestFront[] = [];
  return {
    hub,
    paths,
    home,
    network,
    async front(name = 'test') {
      const front = openFront(await attach(paths, name));
      fronts.push(front);
      return front;
    },
    again: async (more = {}) => await startIn(home, network, { ...options, ...more }, remove),
    async end() {
      for (const front of fronts) front.close();
      await hub.stop();
      await remove();
    },
  };
}

function openFront(link: LinkClient): TestFront {
  const changes: Change[] = [];
  let resyncs = 0;
  link.on('changes', (batch) => changes.push(...batch));
  link.on('resync', () => {
    resyncs += 1;
  });
  const front: TestFront = {
    link,
    call: link.call,
    changes,
    resyncs: () => resyncs,
    subscribe: (only) => link.call('subscribe', only ? { only } : {}),
    next: (type, passes) =>
      waitFor(
        () =>
          changes.find(
            (change): change is Extract<Change, { type: typeof type }> =>
              change.type === type && (passes?.(change as Extract<Change, { type: typeof type }>) ?? true),
          ),
        { what: `change ${type}; had ${changes.map((change) => change.type).join(' ')}` },
      ),
    async add(name, self = `${name}@test`) {
      await link.call('accounts.add', { network: 'test', name, settings: { self }, secrets: {} });
      await waitFor(async () => {
        const { accounts } = await link.call('accounts.list', {});
        return accounts.find((account) => account.account === name)?.state === 'online';
      });
    },
    close: link.close,
  };
  return front;
}
