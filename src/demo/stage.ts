import type { Person, Room } from './story.ts';

/** One network of the demo: its people act by these calls, and hear what the person at the screen says. */
export interface Stage {
  /** How an account on it is set up; `secret` belongs to the field `secretField`. */
  readonly account: {
    readonly network: string;
    readonly name: string;
    readonly settings: Readonly<Record<string, string>>;
    readonly secretField?: string;
    readonly secret?: string;
  };
  readonly people: readonly Person[];
  readonly rooms: readonly Room[];
  say(who: string, text: string, room?: string): void;
  typing(who: string, active: boolean): void;
  present(who: string, state: Person['state'], note?: string): void;
  /** `to` is a person's name; in a room, that room is given too. */
  onMessage(listener: (to: string, text: string, room?: string) => void): void;
  stop(): Promise<void>;
}
