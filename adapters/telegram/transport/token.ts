import { AdapterError } from '../../errors.ts';

/**
 * A bot token as @BotFather gives it: the bot's number, a colon, a secret.
 * @throws AdapterError `auth`, without a word of what was given.
 */
export function checkToken(given: string | undefined): string {
  const token = given?.trim() ?? '';
  if (token === '') throw new AdapterError('auth', 'there is no bot token; @BotFather gives one');
  if (!/^\d{1,20}:[A-Za-z0-9_-]{20,200}$/.test(token))
    throw new AdapterError('auth', 'that is no bot token: one looks like 123456:ABC…, as @BotFather gives it');
  return token;
}

/**
 * Takes the token out of any text: the Bot API carries it in the path of each address, so that proxies, sign-in pages
 * and servers may repeat it, as it is or percent-encoded, once or several times over.
 */
export function scrubber(token: string): (text: string) => string {
  const colon = token.indexOf(':');
  const any = (text: string): string => [...text].map(plainOrEncoded).join('');
  const pattern = new RegExp(`(?:${any(token.slice(0, colon + 1))})?${any(token.slice(colon + 1))}`, 'gi');
  return (text) => text.replace(pattern, '[token]');
}

function plainOrEncoded(char: string): string {
  const code = char.charCodeAt(0).toString(16).padStart(2, '0');
  return `(?:${char}|%(?:25)*${code})`;
}
