import { NS } from '@xmpp/stream-management';
import { xml } from '@xmpp/xml';
import { asAdapterError } from '../../errors.ts';
import type { ClientConnection } from './connection.ts';
import type { Counters } from './management.ts';
import type { StreamHost } from './stream-types.ts';

/** As many stanzas may be handled and not yet on disk; then the socket is not read until they are. */
const UNSAVED_LIMIT = 4_096;
const SAVE_AGAIN_MS = 1_000;
/** What the disk gets when the stream is closed in order. */
const LAST_SAVE_MS = 2_000;

/** Tells the server what was received (XEP-0198 section 4), once that is on disk and never before. */
export interface Acknowledger {
  /** The server sent `<r/>`. */
  requested(): void;
  /** One stanza more was handled. */
  handled(): void;
  /** Before the stream is closed: the server learns what it need not keep for us. */
  last(): Promise<void>;
}

export function acknowledger(
  connection: ClientConnection,
  counters: Counters,
  host: StreamHost,
  ended: AbortSignal,
): Acknowledger {
  let wanted = false;
  let saving = false;
  let saved = counters.inbound;
  const tooMuch = (): boolean => (counters.inbound - saved) >>> 0 > UNSAVED_LIMIT;

  /** One wait for the disk serves all that was handled before it began. */
  const saveOnce = async (): Promise<void> => {
    const { inbound } = counters;
    const answer = wanted;
    wanted = false;
    if (tooMuch()) connection.socket?.pause();
    try {
      await host.saved();
      saved = inbound;
      connection.socket?.resume();
      if (answer && !connection.over) connection.push(xml('a', { xmlns: NS, h: inbound }));
    } catch (error) {
      wanted ||= answer;
      host.log('warn', `what was received could not be stored: ${asAdapterError(error).message}`);
      await host.clock.sleep(SAVE_AGAIN_MS, ended).catch(() => {});
    }
  };

  const save = async (): Promise<void> => {
    if (saving) return;
    saving = true;
    do await saveOnce();
    while (!connection.over && (wanted || tooMuch()));
    saving = false;
  };

  return {
    requested() {
      wanted = true;
      void save();
    },
    handled() {
      counters.handled();
      if (tooMuch()) void save();
    },
    async last() {
      const limit = new AbortController();
      const { inbound } = counters;
      const onDisk = host.saved().then(
        () => true,
        () => false,
      );
      const late = host.clock.sleep(LAST_SAVE_MS, limit.signal).then(
        () => false,
        () => false,
      );
      const done = await Promise.race([onDisk, late]);
      limit.abort();
      if (done && !connection.over) connection.push(xml('a', { xmlns: NS, h: inbound }));
    },
  };
}
