/**
 * docs/supported.md from what each adapter says of itself and from the tables below: `npm run docs` writes it, and a test
 * fails where it is not what this makes, or where a table and the code disagree.
 */
import { writeFile } from 'node:fs/promises';
import { loadAdapter, networkNames } from '../../adapters/index.ts';
import { WANTED } from '../../adapters/irc/transport/caps.ts';

/** Number, name, how far, and the namespaces or words by which the code is found. */
export const xeps: readonly (readonly [number: string, name: string, how: string, code: readonly string[]])[] = [
  ['0004', 'Data Forms', 'in people search and room creation', ['jabber:x:data']],
  ['0012', 'Last Activity', 'answered to contacts only', ['jabber:iq:last']],
  [
    '0030',
    'Service Discovery',
    'asked and answered',
    ['http://jabber.org/protocol/disco#info', 'http://jabber.org/protocol/disco#items'],
  ],
  [
    '0045',
    'Multi-User Chat',
    'join, leave, members, topic, invite, private messages; no moderation commands',
    [
      'http://jabber.org/protocol/muc',
      'http://jabber.org/protocol/muc#user',
      'http://jabber.org/protocol/muc#admin',
      'http://jabber.org/protocol/muc#owner',
    ],
  ],
  ['0054', 'vcard-temp', 'profiles, read and written', ['vcard-temp']],
  ['0055', 'Jabber Search', 'people search', ['jabber:iq:search']],
  ['0059', 'Result Set Management', 'pages of the archive', ['http://jabber.org/protocol/rsm']],
  [
    '0060',
    'Publish-Subscribe',
    'what bookmarks and read markers need',
    [
      'http://jabber.org/protocol/pubsub',
      'http://jabber.org/protocol/pubsub#event',
      'http://jabber.org/protocol/pubsub#publish-options',
    ],
  ],
  ['0066', 'Out of Band Data', 'the address of a file', ['jabber:x:oob']],
  ['0085', 'Chat State Notifications', 'typing', ['http://jabber.org/protocol/chatstates']],
  ['0092', 'Software Version', 'answered to contacts only', ['jabber:iq:version']],
  ['0100', 'Gateway Interaction', 'contacts behind a gateway show its network', ["category === 'gateway'"]],
  ['0115', 'Entity Capabilities', 'sent', ['http://jabber.org/protocol/caps']],
  ['0184', 'Message Delivery Receipts', 'sent to contacts only', ['urn:xmpp:receipts']],
  ['0191', 'Blocking Command', 'yes', ['urn:xmpp:blocking']],
  ['0198', 'Stream Management', 'acknowledged after it is stored; resumed', ['NS_SM']],
  ['0199', 'Ping', 'yes', ['urn:xmpp:ping']],
  ['0202', 'Entity Time', 'answered to contacts only, in UTC', ['urn:xmpp:time']],
  ['0203', 'Delayed Delivery', 'yes', ['urn:xmpp:delay']],
  ['0249', 'Direct MUC Invitations', 'sent and shown; never accepted unasked', ['jabber:x:conference']],
  ['0280', 'Message Carbons', 'of the own account only', ['urn:xmpp:carbons:2', 'urn:xmpp:forward:0']],
  ['0308', 'Last Message Correction', 'by the same sender only', ['urn:xmpp:message-correct:0']],
  ['0313', 'Message Archive Management', 'history and gaps, of people and rooms', ['urn:xmpp:mam:2']],
  ['0333', 'Chat Markers', 'yes', ['urn:xmpp:chat-markers:0']],
  ['0334', 'Message Processing Hints', 'sent', ['urn:xmpp:hints']],
  ['0359', 'Unique Stanza IDs', 'trusted from the own server and the room only', ['urn:xmpp:sid:0']],
  ['0363', 'HTTP File Upload', 'files out', ['urn:xmpp:http:upload:0']],
  ['0368', 'SRV records for TLS', 'direct TLS, against the domain', ['xmpps-client']],
  ['0402', 'PEP Native Bookmarks', 'rooms', ['urn:xmpp:bookmarks:1']],
  ['0421', 'Occupant identifiers', 'who may edit what in a room', ['urn:xmpp:occupant-id:0']],
  ['0424', 'Message Retraction', 'by the author only', ['urn:xmpp:message-retract:1']],
  ['0428', 'Fallback Indication', 'read and written', ['urn:xmpp:fallback:0']],
  ['0444', 'Message Reactions', 'yes', ['urn:xmpp:reactions:0']],
  ['0461', 'Message Replies', 'yes', ['urn:xmpp:reply:0']],
  ['0478', 'Stream Limits', 'a text is cut, or refused, by them', ['urn:xmpp:stream-limits:0']],
  ['0490', 'Message Displayed Synchronization', 'what was read elsewhere', ['urn:xmpp:mds:displayed:0']],
];

/** What the adapter calls of the Bot API, by what it is for. */
export const botApi: readonly (readonly [what: string, methods: readonly string[]])[] = [
  ['signing in, updates', ['getMe', 'getUpdates']],
  ['texts', ['sendMessage', 'editMessageText', 'deleteMessage', 'sendChatAction', 'setMessageReaction']],
  ['chats', ['getChat', 'getChatMember', 'getChatAdministrators', 'leaveChat', 'setChatDescription']],
  ['files', ['sendDocument', 'getFile']],
  ['the own account (Telegram Business)', ['getBusinessConnection', 'deleteBusinessMessages']],
];

const tables: Readonly<Record<string, () => readonly string[]>> = {
  xmpp: () => [
    'RFC 6120, 6121, 7622 and 7590: SRV, STARTTLS (never without it, but for a loopback address), SCRAM-SHA-256, -512',
    "and -1 with the server's signature checked, PLAIN under TLS where SCRAM was never offered.",
    '',
    '| XEP | | how far |',
    '|---|---|---|',
    ...xeps.map(
      ([number, name, how]) => `| [${number}](https://xmpp.org/extensions/xep-${number}.html) | ${name} | ${how} |`,
    ),
  ],
  irc: () => [
    'RFC 1459 and 2812, as <https://modern.ircdocs.horse> has them. TLS, STS, SASL PLAIN, EXTERNAL and SCRAM-SHA-256;',
    'presence by MONITOR, else ISON. CTCP ACTION, and VERSION, PING and TIME answered, one in ten seconds at most; no DCC.',
    '',
    'IRCv3 capabilities that are asked for where a server has them:',
    '',
    ...[...WANTED].map((name) => `- ${name}`),
  ],
  telegram: () => [
    'The [Bot API](https://core.telegram.org/bots/api), with a bot token:',
    '',
    ...botApi.map(([what, methods]) => `- ${what}: ${methods.join(', ')}`),
  ],
};

export async function supported(): Promise<string> {
  const sections = await Promise.all(
    networkNames.map(async (network) => {
      const { about } = await loadAdapter(network);
      const table = tables[network]?.();
      return [
        `## ${about.title}`,
        '',
        ...about.can.map((ability) => `- ${ability}`),
        ...about.cannot.map((lack) => `- not: ${lack}`),
        '',
        ...(table ? [...table, ''] : []),
      ];
    }),
  );
  const head = ['# What is supported', '', 'Made by `npm run docs`. `imux networks` says the first part of each.', ''];
  return `${[...head, ...sections.flat()].join('\n').trimEnd()}\n`;
}

if (import.meta.main) await writeFile(new URL('../../docs/supported.md', import.meta.url), await supported());
