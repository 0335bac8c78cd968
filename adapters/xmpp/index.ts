import type { Adapter } from '../contract.ts';
import { diagnose } from './diagnose.ts';
import { openSession } from './session.ts';
import { about, parseSettings, type XmppSettings } from './settings.ts';
import { openStream } from './transport/stream.ts';

export type { XmppSettings };

export const xmpp: Adapter<XmppSettings> = {
  network: 'xmpp',
  about,
  parse: parseSettings,
  open: (settings, host) => openSession(settings, host, (...args) => openStream(...args)),
  diagnose,
};
