import { accountCommands } from './accounts.ts';
import type { Command } from './command.ts';
import { contactCommands } from './contacts.ts';
import { messageCommands } from './messages.ts';
import { screenCommands } from './screen.ts';

/** All commands, by name. */
export const COMMANDS: readonly Command[] = [
  ...messageCommands,
  ...contactCommands,
  ...accountCommands,
  ...screenCommands,
].sort((a, b) => (a.name < b.name ? -1 : 1));
