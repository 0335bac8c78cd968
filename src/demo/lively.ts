import type { Stage } from './stage.ts';
import type { Person } from './story.ts';

/** Milliseconds. */
const pace = { first: 600, opening: 900, thinking: 500, writing: 1_100, idle: 11_000 };

/** Lets the people of a stage speak up, answer what is said to them, and come and go. Returns what ends it. */
export function enliven(stage: Stage): () => void {
  const timers = new Set<NodeJS.Timeout>();
  const turns = new Map<string, number>();
  const after = (ms: number, act: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      act();
    }, ms);
    timers.add(timer);
  };
  /** The next of a list, round and round. */
  const next = <T>(key: string, list: readonly T[]): T | undefined => {
    const turn = turns.get(key) ?? 0;
    turns.set(key, turn + 1);
    return list[turn % list.length];
  };

  const answer = (person: Person, said: string, room?: string): void => {
    const text = next(`answer ${person.name}`, person.answers)?.replace(
      '%',
      said.length > 60 ? `${said.slice(0, 60)}…` : said,
    );
    if (text === undefined) return;
    after(pace.thinking, () => {
      if (!room) stage.typing(person.name, true);
    });
    after(pace.thinking + pace.writing, () => {
      if (!room) stage.typing(person.name, false);
      stage.say(person.name, text, room);
    });
  };
  stage.onMessage((to, text, room) => {
    const person = room ? next(`in ${room}`, stage.people) : stage.people.find(({ name }) => name === to);
    if (person) answer(person, text, room);
  });

  stage.people.forEach((person, at) => {
    const first = person.says[0];
    if (first === undefined) return;
    after(pace.first + at * pace.opening, () =>
      stage.say(person.name, next(`says ${person.name}`, person.says) ?? first),
    );
  });
  for (const room of stage.rooms) {
    const talk = (wait: number): void =>
      after(wait, () => {
        const line = next(`talk ${room.name}`, room.talk);
        if (line) stage.say(line[0], line[1], room.name);
        talk((turns.get(`talk ${room.name}`) ?? 0) < 3 ? pace.opening : pace.idle);
      });
    talk(pace.first);
  }
  const comeAndGo = (): void =>
    after(pace.idle * 2, () => {
      const person = next('walk', stage.people);
      if (person)
        stage.present(
          person.name,
          person.state === 'away' && (turns.get('walk') ?? 0) % 2 === 0 ? 'online' : 'away',
          person.note,
        );
      comeAndGo();
    });
  comeAndGo();

  return () => {
    for (const timer of timers) clearTimeout(timer);
  };
}
