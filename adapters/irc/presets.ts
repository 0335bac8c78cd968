/** A well-known network; every one of them is reached by TLS. */
export interface Preset {
  readonly title: string;
  /** `host:port`. */
  readonly server: string;
  /** Whether its services take a SASL login. */
  readonly sasl: boolean;
}

/** What the setting `server` may name instead of a host. */
export const presets: Readonly<Record<string, Preset>> = {
  libera: { title: 'Libera.Chat', server: 'irc.libera.chat:6697', sasl: true },
  oftc: { title: 'OFTC', server: 'irc.oftc.net:6697', sasl: false },
  hackint: { title: 'hackint', server: 'irc.hackint.org:6697', sasl: true },
  ergo: { title: 'Ergo test network', server: 'testnet.ergo.chat:6697', sasl: true },
  undernet: { title: 'Undernet', server: 'irc.undernet.org:6697', sasl: false },
  efnet: { title: 'EFnet', server: 'irc.efnet.org:6697', sasl: false },
  ircnet: { title: 'IRCnet', server: 'ssl.ircnet.ovh:6697', sasl: false },
  quakenet: { title: 'QuakeNet', server: 'irc.quakenet.org:6697', sasl: false },
  rizon: { title: 'Rizon', server: 'irc.rizon.net:6697', sasl: true },
  dalnet: { title: 'DALnet', server: 'irc.dal.net:6697', sasl: true },
  snoonet: { title: 'Snoonet', server: 'irc.snoonet.org:6697', sasl: true },
  tilde: { title: 'tilde.chat', server: 'irc.tilde.chat:6697', sasl: true },
};
