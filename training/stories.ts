import type { Random } from './random.ts';
import { ANIMALS, BOYS, CODAS, COLOURS, FEARS, FOODS, GIRLS, HOMES, ONSETS, PLACES, SKILLS, THINGS, TRAITS, VOWELS, WEATHERS, WORKS } from './words.ts';

/** Bytes in a story at most: with the byte that ends it, it fills a model's context. */
export const LONGEST_STORY = 318;

/** Of a hundred characters so many have a name that is made up. */
const INVENTED_NAMES = 70;

/** Somebody in a story, who keeps name, kind and pronouns throughout. */
export interface Character {
  readonly name: string;
  readonly kind: string;
  readonly trait: string;
  readonly he: string;
  readonly him: string;
  readonly his: string;
}

export interface Story { readonly text: string; readonly hero: Character; readonly friend: Character }

/** What the sentences of one story speak of. */
interface Scene {
  readonly random: Random;
  readonly hero: Character;
  readonly friend: Character;
  readonly home: string;
  readonly place: string;
  readonly elsewhere: string;
  readonly colour: string;
  readonly thing: string;
}

/** What happens, and who has reason to say thanks. */
interface Plot { readonly thankful: 'hero' | 'friend'; readonly tell: (scene: Scene) => readonly string[] }

/**
 * A story of simple English, for children: a hero, a friend, something that happens, an end. Grammar and choices only, no source text.
 * The same state of `random` gives the same story.
 */
export function drawStory(random: Random): Story {
  for (;;) {
    const scene = drawScene(random);
    const plot = random.pick(PLOTS);
    const text = [opening(scene), ...plot.tell(scene), ending(scene, plot)].join(' ');
    if (text.length <= LONGEST_STORY) return { text, hero: scene.hero, friend: scene.friend };
  }
}

/** The text of `drawStory`. */
export const story = (random: Random): string => drawStory(random).text;

function drawScene(random: Random): Scene {
  const hero = drawCharacter(random, []);
  const friend = drawCharacter(random, [hero.name, hero.kind]);
  const place = random.pick(PLACES);
  const elsewhere = random.pick(PLACES.filter((other) => other !== place));
  return { random, hero, friend, home: random.pick(HOMES), place, elsewhere, colour: random.pick(COLOURS), thing: random.pick(THINGS) };
}

function drawCharacter(random: Random, taken: readonly string[]): Character {
  const girl = random.chance(50);
  const list = (girl ? GIRLS : BOYS).filter((other) => !taken.includes(other));
  const name = random.chance(INVENTED_NAMES) ? inventName(random, taken) : random.pick(list);
  const kinds = [...ANIMALS, ...Array.from({ length: 5 }, () => (girl ? 'girl' : 'boy'))];
  const kind = random.pick(kinds.filter((other) => !taken.includes(other)));
  const pronouns = girl ? { he: 'she', him: 'her', his: 'her' } : { he: 'he', him: 'him', his: 'his' };
  return { name, kind, trait: random.pick(TRAITS), ...pronouns };
}

/** A name of two or three syllables, so that what a character is called has to be read, not guessed. */
export function inventName(random: Random, taken: readonly string[]): string {
  for (;;) {
    const syllables = Array.from({ length: random.chance(70) ? 2 : 3 }, () => random.pick(ONSETS) + random.pick(VOWELS));
    const name = capital(syllables.join('') + (random.chance(50) ? random.pick(CODAS) : ''));
    if (!taken.includes(name)) return name;
  }
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
const a = (words: string): string => `${/^[aeiou]/.test(words) ? 'an' : 'a'} ${words}`;

/** A character who is mentioned first. */
const introduce = ({ name, kind }: Character): string => (kind === 'girl' || kind === 'boy' ? `a ${kind} named ${name}` : `${name} the ${kind}`);

/** The hero's name, or the pronoun at a sentence's start. */
const again = ({ random, hero }: Scene): string => (random.chance(55) ? hero.name : capital(hero.he));

function opening({ random, hero, home }: Scene): string {
  const who = a(`${hero.trait} ${hero.kind}`);
  return random.pick([
    `Once upon a time there was ${who} named ${hero.name}. ${capital(hero.he)} lived ${home}.`,
    `Once there was ${who} called ${hero.name}, who lived ${home}.`,
    `${hero.name} was ${who}. ${capital(hero.he)} lived ${home}.`,
    `There was once ${who} ${home}. ${capital(hero.his)} name was ${hero.name}.`,
    `${capital(home)} lived ${who} named ${hero.name}.`,
  ]);
}

function ending({ random, hero, friend }: Scene, { thankful }: Plot): string {
  const thanks = thankful === 'hero' ? `"Thank you, ${friend.name}," said ${hero.name}.` : `"Thank you, ${hero.name}," said ${friend.name}.`;
  return random.pick([
    `${hero.name} and ${friend.name} were very happy.`,
    `From that day on ${hero.name} and ${friend.name} were best friends.`,
    `Then ${hero.name} went home and slept well.`,
    `${hero.name} smiled all the way home.`,
    `"What a good day!" said ${hero.name}.`,
    thanks,
    `They laughed and played until the sun went down.`,
    `That night ${hero.name} told ${hero.his} mother about it.`,
  ]);
}

const day = ({ random }: Scene): string => random.pick(['One day', 'One morning', 'One sunny day', 'One evening', 'On a warm day', 'One cold day']);

const meet = ({ random, hero, friend }: Scene): string => random.pick([
  `Then ${hero.he} met ${introduce(friend)}.`,
  `${capital(introduce(friend))} came along.`,
  `Soon ${friend.name}, ${a(`${friend.trait} ${friend.kind}`)}, came by.`,
]);

const find = (scene: Scene): readonly string[] => {
  const { random, hero, friend, place, colour, thing } = scene;
  return [
    random.pick([`${day(scene)} ${hero.name} found ${a(`${colour} ${thing}`)} ${place}.`, `${day(scene)} ${hero.he} saw ${a(`${colour} ${thing}`)} ${place}.`]),
    random.pick([`"Whose ${thing} is this?" asked ${hero.name}.`, `${again(scene)} picked up the ${thing} and looked at it.`, `It was a very nice ${thing}.`]),
    meet(scene),
    random.pick([`"That is my ${thing}!" said ${friend.name}.`, `"I lost my ${colour} ${thing}," said ${friend.name}.`, `${friend.name} was sad because ${friend.he} had lost ${friend.his} ${thing}.`]),
    random.pick([`${hero.name} gave the ${thing} back to ${friend.name}.`, `So ${hero.name} gave ${friend.him} the ${colour} ${thing}.`]),
  ];
};

const lose = (scene: Scene): readonly string[] => {
  const { random, hero, friend, place, elsewhere, colour, thing } = scene;
  return [
    random.pick([`${again(scene)} had ${a(`${colour} ${thing}`)} and loved it very much.`, `${capital(hero.his)} mother gave ${hero.him} ${a(`${colour} ${thing}`)}.`]),
    random.pick([`${day(scene)} the ${thing} was gone.`, `But ${day(scene).toLowerCase()} ${hero.he} could not find the ${thing}.`]),
    random.pick([`${again(scene)} looked ${elsewhere}, but it was not there.`, `${again(scene)} began to cry.`, `"Where is my ${thing}?" asked ${hero.name}.`]),
    meet(scene),
    random.pick([`"I will help you," said ${friend.name}.`, `"Do not cry," said ${friend.name}. "Let us look together."`]),
    random.pick([`They found the ${colour} ${thing} ${place}.`, `${friend.name} found the ${thing} ${place}.`]),
  ];
};

const fear = (scene: Scene): readonly string[] => {
  const { random, hero, friend } = scene;
  const scary = random.pick(FEARS);
  return [
    `${again(scene)} was afraid of ${scary}.`,
    random.pick([`${day(scene)} ${hero.he} told ${introduce(friend)} about it.`, `"I am scared," ${hero.he} said to ${introduce(friend)}.`]),
    random.pick([`"I was afraid of ${scary} too," said ${friend.name}.`, `"Take my hand," said ${friend.name}. "I am with you."`, `"You are very brave," said ${friend.name}.`]),
    random.pick([`So they went out together.`, `${hero.name} took a deep breath.`, `They sang a song together.`]),
    random.pick([`After that ${hero.name} was not afraid of ${scary} any more.`, `Now ${scary} did not look so bad.`]),
  ];
};

const share = (scene: Scene): readonly string[] => {
  const { random, hero, friend, place } = scene;
  const food = random.pick(FOODS);
  return [
    random.pick([`${day(scene)} ${hero.name} had some ${food} for lunch.`, `${day(scene)} ${hero.name} made some ${food}.`, `${again(scene)} loved to eat ${food}.`]),
    random.pick([`${capital(introduce(friend))} sat ${place} and was hungry.`, `${capital(hero.he)} met ${introduce(friend)} ${place}.`]),
    random.pick([`"I have no food," said ${friend.name}.`, `"I am so hungry," said ${friend.name}.`, `"May I have some ${food}?" asked ${friend.name}.`]),
    random.pick([`"You can have some of my ${food}," said ${hero.name}.`, `${hero.name} gave ${friend.him} half of the ${food}.`, `"Let us share it," said ${hero.name}.`]),
    random.pick([`They ate the ${food} together.`, `The ${food} was very good.`]),
  ];
};

const build = (scene: Scene): readonly string[] => {
  const { random, hero, friend } = scene;
  const [work, matter] = random.pick(WORKS);
  return [
    random.pick([`${day(scene)} ${hero.name} wanted to build a ${work}.`, `${again(scene)} wanted to make a big ${work}.`]),
    random.pick([`But the ${matter} ${/s$/.test(matter) ? 'were' : 'was'} too heavy for ${hero.him}.`, `It was hard to do it alone.`, `${again(scene)} worked all day, but the ${work} fell down.`]),
    meet(scene),
    random.pick([`"Can you help me?" asked ${hero.name}.`, `"I can help you with the ${work}," said ${friend.name}.`]),
    random.pick([`They worked together until the ${work} was done.`, `${friend.name} brought more ${matter}, and soon the ${work} was ready.`]),
  ];
};

const weather = (scene: Scene): readonly string[] => {
  const { random, hero, friend, place } = scene;
  const [name, began] = random.pick(WEATHERS);
  return [
    random.pick([`${day(scene)} ${hero.name} went for a walk.`, `${day(scene)} ${hero.he} played ${place}.`]),
    random.pick([`${began}, and ${hero.name} was cold.`, `${began}, and ${hero.he} could not go home.`]),
    random.pick([`"Come in!" said ${introduce(friend)}.`, `${capital(introduce(friend))} opened ${friend.his} door.`]),
    random.pick([`They sat by the fire and drank hot milk.`, `They told stories until the ${name} was over.`, `${friend.name} gave ${hero.him} a warm coat.`]),
    random.pick([`Then the sun came out again.`, `At last the ${name} went away.`]),
  ];
};

const learn = (scene: Scene): readonly string[] => {
  const { random, hero, friend } = scene;
  const skill = random.pick(SKILLS);
  return [
    random.pick([`${again(scene)} wanted to learn to ${skill}.`, `${again(scene)} could not ${skill}, and that made ${hero.him} sad.`]),
    random.pick([`"I will show you how to ${skill}," said ${introduce(friend)}.`, `${capital(hero.he)} asked ${introduce(friend)} for help.`]),
    random.pick([`At first it was hard.`, `The first day was not easy.`, `"Try again," said ${friend.name}.`]),
    random.pick([`But ${hero.name} tried again and again.`, `${hero.name} did not give up.`]),
    random.pick([`At last ${hero.he} could ${skill}!`, `In the end ${hero.he} could ${skill} very well.`, `"Look, I can ${skill}!" said ${hero.name}.`]),
  ];
};

const present = (scene: Scene): readonly string[] => {
  const { random, hero, friend, colour, thing } = scene;
  return [
    `${hero.name} had a friend, ${introduce(friend)}.`,
    random.pick([`It was ${friend.name}'s birthday.`, `${day(scene)} ${friend.name} was sick and had to stay in bed.`]),
    random.pick([`"What can I give ${friend.him}?" asked ${hero.name}.`, `${hero.name} wanted to give ${friend.him} something nice.`]),
    random.pick([`So ${hero.he} made ${a(`${colour} ${thing}`)} for ${friend.name}.`, `${capital(hero.he)} took ${a(`${colour} ${thing}`)} and went to ${friend.name}'s house.`]),
    random.pick([`"I love this ${thing}!" said ${friend.name}.`, `"${a(`${colour} ${thing}`).replace(/^a/, 'A')}! It is for me?" asked ${friend.name}.`, `${friend.name} liked the ${colour} ${thing} very much.`]),
  ];
};

const PLOTS: readonly Plot[] = [
  { thankful: 'friend', tell: find },
  { thankful: 'hero', tell: lose },
  { thankful: 'hero', tell: fear },
  { thankful: 'friend', tell: share },
  { thankful: 'hero', tell: build },
  { thankful: 'hero', tell: weather },
  { thankful: 'hero', tell: learn },
  { thankful: 'friend', tell: present },
];
