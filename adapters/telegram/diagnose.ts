import type { Diagnosis, Host } from '../contract.ts';
import { connectStepwise, failed } from '../diagnosis.ts';
import type { TelegramSettings } from './settings.ts';
import { BotApi } from './transport/client.ts';
import { checkToken } from './transport/token.ts';

const TOKEN = 'ask @BotFather for the token (/mybots), then: imux account set NAME --secret-stdin';

/** Name, TCP and TLS of the Bot API's root, then getMe: whether the token is a bot's. */
export async function* diagnose(
  { api }: TelegramSettings,
  host: Pick<Host, 'secret' | 'clock'>,
  signal: AbortSignal,
): AsyncIterable<Diagnosis> {
  const tls = api.protocol === 'https:';
  const name = api.hostname.replace(/^\[|\]$/g, '');
  const socket = yield* connectStepwise({ host: name, port: Number(api.port) || (tls ? 443 : 80), tls }, signal);
  if (!socket) return;
  socket.destroy();
  let bot: BotApi | undefined;
  try {
    bot = new BotApi(checkToken(await host.secret('token')), api, host.clock);
    const me = await bot.invoke('getMe', {}, { signal });
    yield { step: 'token', ok: true, text: `the token is that of @${me.username}` };
  } catch (error) {
    const step = failed('token', error);
    yield step.code === 'auth' ? { ...step, remedy: TOKEN } : step;
  } finally {
    bot?.disconnect();
  }
}
