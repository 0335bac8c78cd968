import { type App, attempt, focusedConversation, tell } from '../app.ts';
import { loadOlder } from '../focus.ts';
import { showHelp } from '../page.ts';
import type { Command } from './command.ts';

function quit(app: App): void {
  const stop = (): void => {
    // The hub closes the link as it ends; that is no error then.
    app.call('hub.stop', {}).then(
      () => app.exit(0),
      () => app.exit(0),
    );
  };
  attempt(app, '/quit', async () => {
    const { fronts } = await app.call('hub.status', {});
    if (fronts <= 1) return stop();
    const others = fronts === 2 ? 'another front is' : `${fronts - 1} other fronts are`;
    app.mode = {
      kind: 'ask',
      question: `${others} attached. End the hub for all?`,
      choices: [
        { key: 'y', label: 'end it', run: stop },
        { key: 'd', label: 'only leave', run: () => app.exit(0) },
      ],
    };
    app.redraw('key');
  });
}

export const screenCommands: readonly Command[] = [
  { name: 'help', usage: '/help', about: 'keys and commands', run: (app) => showHelp(app) },
  { name: 'quit', usage: '/quit', about: 'ends the hub: all accounts go offline (Ctrl-D only leaves)', run: quit },
  { name: 'detach', usage: '/detach', about: 'leaves the screen; the hub stays', run: (app) => app.exit(0) },
  {
    name: 'mouse',
    usage: '/mouse on|off',
    about: 'off: the terminal selects text as usual',
    words: [['on', 'off']],
    run: (app, rest) => {
      if (rest !== 'on' && rest !== 'off') throw new Error('/mouse on|off');
      app.mouse(rest === 'on');
      tell(app, `mouse ${rest}`);
    },
  },
  {
    name: 'history',
    usage: '/history',
    about: 'asks for older messages of this conversation',
    run: (app) => {
      const conversation = focusedConversation(app);
      if (!conversation) throw new Error('open a conversation first: Ctrl-K');
      attempt(app, 'older messages', async () => {
        if (!(await loadOlder(app, conversation))) tell(app, 'there are no older messages');
      });
    },
  },
  {
    name: 'connect',
    usage: '/connect',
    about: 'starts the hub again after it was stopped',
    run: (app) => app.connect(),
  },
  { name: 'redraw', usage: '/redraw', about: 'draws the screen anew', run: (app) => app.repaint() },
];
