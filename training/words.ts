/** The words that stories are made of. */

export const GIRLS = ['Anna', 'Lily', 'Mia', 'Rosa', 'Emma', 'Nora', 'Ella', 'Zoe', 'Ivy', 'Ruby', 'Lucy', 'Daisy'] as const;
export const BOYS = ['Tim', 'Ben', 'Max', 'Sam', 'Leo', 'Tom', 'Jack', 'Finn', 'Oscar', 'Hugo', 'Pip', 'Felix'] as const;

/** What made-up names are made of. */
export const ONSETS = ['b', 'd', 'f', 'g', 'h', 'k', 'l', 'm', 'n', 'p', 'r', 's', 't', 'v', 'w', 'z', 'br', 'tr'] as const;
export const VOWELS = ['a', 'e', 'i', 'o', 'u'] as const;
export const CODAS = ['k', 'l', 'm', 'n', 'r', 's', 't', 'x'] as const;

/** What characters are. Children may be girls or boys by their names; animals either. */
export const ANIMALS = ['fox', 'bear', 'rabbit', 'mouse', 'cat', 'dog', 'duck', 'frog', 'pig', 'goat', 'hedgehog', 'squirrel', 'turtle', 'lamb', 'bird', 'pony'] as const;

export const TRAITS = ['little', 'small', 'young', 'kind', 'brave', 'shy', 'clever', 'happy', 'gentle', 'funny', 'quiet', 'busy'] as const;

export const HOMES = [
  'in the forest', 'by the river', 'on a farm', 'near the sea', 'in a small house', 'under an old tree', 'on a green hill', 'in a quiet village', 'at the edge of the wood', 'beside a pond',
] as const;

export const PLACES = [
  'in the garden', 'on the beach', 'under a bush', 'behind the barn', 'near the bridge', 'by the well', 'in the tall grass', 'next to a big rock', 'under the bench', 'at the top of the hill', 'in the mud', 'beside the path',
] as const;

export const COLOURS = ['red', 'blue', 'green', 'yellow', 'white', 'brown', 'golden', 'pink', 'orange', 'black'] as const;

export const THINGS = ['ball', 'kite', 'hat', 'drum', 'boat', 'book', 'key', 'box', 'shell', 'feather', 'lamp', 'bell', 'cup', 'basket', 'scarf', 'ring', 'coat', 'spoon'] as const;

export const FOODS = ['cake', 'bread', 'soup', 'jam', 'honey', 'cheese', 'corn', 'pie', 'rice', 'milk'] as const;

export const FEARS = ['the dark', 'the storm', 'the deep water', 'the big dog', 'the thunder', 'the old cave', 'high places', 'the night'] as const;

export const SKILLS = ['swim', 'sing', 'dance', 'climb', 'read', 'jump', 'skate', 'whistle', 'paint', 'ride'] as const;

export const WORKS = [['bridge', 'logs'], ['house', 'stones'], ['boat', 'wood'], ['swing', 'ropes'], ['tower', 'bricks'], ['den', 'sticks'], ['snowman', 'snow'], ['castle', 'sand']] as const;

export const WEATHERS = [['rain', 'It began to rain'], ['snow', 'It began to snow'], ['wind', 'A cold wind came'], ['storm', 'A big storm came'], ['fog', 'A thick fog came']] as const;
