import { BlockList, isIP } from 'node:net';
import type { About } from '../contract.ts';
import { DEFAULT_ROOT } from './transport/root.ts';

export interface TelegramSettings {
  /** Root of the Bot API, for a server of one's own (https://github.com/tdlib/telegram-bot-api). */
  readonly api: URL;
}

export const about: About = {
  title: 'Telegram (bot)',
  fields: [
    {
      key: 'token',
      label: 'Bot token',
      secret: true,
      hint: 'open @BotFather in Telegram, send /newbot, copy the token',
    },
    {
      key: 'api',
      label: 'Bot API root',
      optional: true,
      hint: 'only for a Bot API server of your own',
      preset: DEFAULT_ROOT,
    },
  ],
  can: [
    'chat with the people who wrote to the bot, in groups, forum topics and channels',
    'chat as yourself, where you linked the bot to your own account (Telegram Business)',
    'edit and take back what was sent; reply; react; send and fetch files; show that you are typing',
  ],
  cannot: [
    'write first to a person who never wrote to the bot',
    'see who is online, who is typing or what has been read: Telegram does not tell bots',
    'join a group by itself: a member has to add the bot',
    'list all members of a group, only its admins and those who were seen',
    'fetch older messages, or see messages in groups while the privacy mode of @BotFather is on',
    'fetch files of more than 20 MB (2,000 MB with a server of your own)',
  ],
  addressExample: '@name',
};

/** @throws Error in words for the person. */
export function parse(raw: unknown): TelegramSettings {
  const given = typeof raw === 'object' && raw !== null && 'api' in raw ? raw.api : undefined;
  if (given === undefined || given === '') return { api: new URL(DEFAULT_ROOT) };
  const api = typeof given === 'string' && URL.canParse(given) ? new URL(given) : undefined;
  if (!api || !['http:', 'https:'].includes(api.protocol))
    throw new Error('"api" has to be an address such as https://bots.example.org');
  if (api.username || api.password || api.search || api.hash)
    throw new Error('"api" may hold no name, password, ? or #');
  // The token is part of each request: over plain HTTP anyone on the way could take the bot over.
  if (api.protocol === 'http:' && !isLoopback(api.hostname))
    throw new Error('"api" has to begin with https://; plain http:// is for a server on this machine alone');
  return { api };
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  const family = isIP(host);
  return family !== 0 && loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
