import type { Adapter } from '../contract.ts';
import { diagnose } from './diagnose.ts';
import { openSession } from './session.ts';
import { about, type IrcSettings, parseSettings } from './settings.ts';

export type { IrcSettings } from './settings.ts';

/** IRC as of https://modern.ircdocs.horse/, with the IRCv3 extensions that the server has. */
export const irc: Adapter<IrcSettings> = { network: 'irc', about, parse: parseSettings, open: openSession, diagnose };
