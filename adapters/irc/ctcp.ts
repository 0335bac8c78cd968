import type { Connection } from './connection.ts';

/** Milliseconds between two answers, whoever asks: a crowd that asks must not make us flood ourselves off. */
const PAUSE = 10_000;

/** Answers VERSION, PING and TIME (https://modern.ircdocs.horse/ctcp); everything else, DCC above all, is left unanswered. */
export function ctcpAnswers({ host, post }: Connection): (nick: string, request: string) => void {
  let answeredAt = Number.NEGATIVE_INFINITY;

  return (nick, request) => {
    const reply = answer(request, new Date(host.clock.now()));
    if (reply === undefined || host.clock.now() - answeredAt < PAUSE) return;
    answeredAt = host.clock.now();
    post('NOTICE', [nick, `\x01${reply}\x01`]);
  };
}

function answer(request: string, now: Date): string | undefined {
  const [verb = '', ...rest] = request.split(' ');
  switch (verb.toUpperCase()) {
    case 'VERSION':
      return 'VERSION imux';
    case 'TIME':
      return `TIME ${now.toISOString()}`;
    case 'PING':
      return `PING ${rest.join(' ').replaceAll('\x01', '').slice(0, 64)}`;
    default:
      return undefined;
  }
}
