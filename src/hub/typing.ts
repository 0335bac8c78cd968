import type { ChatId, UserId } from '../../adapters/contract.ts';

/** Who types without ever saying that they stopped does so for this long. */
const typingMs = 30_000;

export interface TypingClock {
  /** Somebody of an account types, or stopped. */
  note(account: string, chat: ChatId, user: UserId, active: boolean): void;
  stop(): void;
}

export function createTypingClock(expired: (account: string, chat: ChatId, user: UserId) => void): TypingClock {
  const typists = new Map<string, { account: string; chat: ChatId; user: UserId; until: number }>();
  let timer: NodeJS.Timeout | undefined;

  const sweep = (): void => {
    const now = performance.now();
    for (const [name, { account, chat, user, until }] of typists) {
      if (until > now) continue;
      typists.delete(name);
      expired(account, chat, user);
    }
    timer = typists.size > 0 ? setTimeout(sweep, 1_000).unref() : undefined;
  };

  return {
    note(account, chat, user, active) {
      const name = JSON.stringify([account, chat, user]);
      if (!active) typists.delete(name);
      else typists.set(name, { account, chat, user, until: performance.now() + typingMs });
      timer ??= setTimeout(sweep, 1_000).unref();
    },
    stop: () => clearTimeout(timer),
  };
}
