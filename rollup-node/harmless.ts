/** Line breaks, control characters of a terminal, and what turns the direction of writing round. */
const CONTROLS = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;

/** A line that a stranger's text may be in, without anything that a terminal obeys: `\\u{1b}` in its place. */
export const harmless = (line: string): string => line.replace(CONTROLS, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
