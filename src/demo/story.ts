/** Who lives on the demo's networks, and what they have to say. Invented, after a book that belongs to everybody. */

export interface Person {
  /** Local part, nick or Telegram username. */
  readonly name: string;
  readonly shown: string;
  readonly state: 'online' | 'away' | 'offline';
  readonly note?: string;
  readonly group?: string;
  /** Answers in turn; `%` stands for what was said to them. */
  readonly answers: readonly string[];
  /** Said unasked, in turn. */
  readonly says: readonly string[];
}

export interface Room {
  readonly name: string;
  readonly topic: string;
  readonly talk: readonly (readonly [who: string, text: string])[];
}

export const xmppPeople: readonly Person[] = [
  {
    name: 'alice',
    shown: 'Alice Liddell',
    state: 'online',
    note: 'in the garden',
    group: 'Friends',
    says: ['have you seen the rabbit?', 'he had a watch in his waistcoat-pocket', 'curiouser and curiouser!'],
    answers: [
      '“%”, you say? and when was that?',
      'then he is late again',
      'I shall ask the caterpillar',
      'thank you! 🐇',
    ],
  },
  {
    name: 'caterpillar',
    shown: 'The Caterpillar',
    state: 'away',
    note: 'on the mushroom',
    group: 'Friends',
    says: ['Who are YOU?'],
    answers: ['“%” — that is not said right.', 'It is wrong from beginning to end.', 'Keep your temper.'],
  },
  {
    name: 'duchess',
    shown: 'The Duchess',
    state: 'offline',
    group: 'Family',
    says: [],
    answers: ['Everything’s got a moral, if only you can find it.'],
  },
  {
    name: 'gryphon',
    shown: 'Gryphon',
    state: 'online',
    group: 'Family',
    says: ['Hjckrrh!'],
    answers: ['What fun!', 'Come on!', 'It’s all his fancy, that: %'],
  },
];

export const ircPeople: readonly Person[] = [
  {
    name: 'hatter',
    shown: 'hatter',
    state: 'online',
    says: [],
    answers: ['your hair wants cutting', 'why is a raven like a writing-desk?', '“%”? I haven’t the slightest idea'],
  },
  {
    name: 'marchhare',
    shown: 'marchhare',
    state: 'online',
    says: [],
    answers: ['have some wine', 'take some more tea', 'then you should say what you mean'],
  },
  { name: 'dormouse', shown: 'dormouse', state: 'away', says: [], answers: ['zzz', 'twinkle, twinkle…'] },
];

export const ircRooms: readonly Room[] = [
  {
    name: '#teaparty',
    topic: 'It is always six o’clock',
    talk: [
      ['hatter', 'two days wrong! I told you butter would not suit the works'],
      ['marchhare', 'it was the best butter'],
      ['hatter', 'but some crumbs must have got in as well'],
      ['dormouse', 'zzz'],
      ['marchhare', 'suppose we change the subject'],
      ['hatter', 'I want a clean cup. let’s all move one place on'],
    ],
  },
];

export const telegramPeople: readonly Person[] = [
  {
    name: 'whiterabbit',
    shown: 'White Rabbit',
    state: 'online',
    says: ['Oh dear! Oh dear! I shall be too late!', 'where did I drop my gloves?'],
    answers: ['no time to say hello', '“%”? run home this moment and fetch me a fan ⏰', 'the Queen! the Queen!'],
  },
  {
    name: 'cheshire',
    shown: 'Cheshire Cat 😸',
    state: 'online',
    says: ['we’re all mad here'],
    answers: ['that depends a good deal on where you want to get to', '😸', 'did you say pig, or fig?'],
  },
];

export const telegramRooms: readonly Room[] = [
  {
    name: 'Croquet',
    topic: '',
    talk: [
      ['cheshire', 'how do you like the Queen?'],
      ['whiterabbit', 'hush! she’ll hear you'],
      ['cheshire', 'well, I never heard it before'],
    ],
  },
];
