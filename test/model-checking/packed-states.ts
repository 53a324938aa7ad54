const CHUNK_BITS = 20;
const CHUNK = 1 << CHUNK_BITS;
const MASK = CHUNK - 1;

/** A list of 32-bit numbers that grows without moving what it has. */
class NumberList {
  private readonly chunks: Uint32Array[] = [];
  get(index: number): number {
    return (this.chunks[index >>> CHUNK_BITS] as Uint32Array)[index & MASK] as number;
  }
  set(index: number, value: number): void {
    const chunk = index >>> CHUNK_BITS;
    if (chunk === this.chunks.length) this.chunks.push(new Uint32Array(CHUNK));
    (this.chunks[chunk] as Uint32Array)[index & MASK] = value;
  }
}

/** A set of different triples of 32-bit numbers in the order in which they came, each with one number more: some 25 bytes each. */
export class PackedStates {
  private readonly words = [new NumberList(), new NumberList(), new NumberList()] as const;
  private readonly notes = new NumberList();
  /** Open addressing; an index plus 1, or 0. */
  private slots = new Uint32Array(1 << 16);
  private count = 0;

  get size(): number {
    return this.count;
  }

  word(which: 0 | 1 | 2, index: number): number {
    return this.words[which].get(index);
  }

  note(index: number): number {
    return this.notes.get(index);
  }

  /** @returns where the triple is, or -1 */
  find(first: number, second: number, third: number): number {
    return (this.slots[this.slotOf(first, second, third)] as number) - 1;
  }

  /** @returns whether the triple is new; if it was there, its note stays */
  add(first: number, second: number, third: number, note: number): boolean {
    const slot = this.slotOf(first, second, third);
    if (this.slots[slot] !== 0) return false;
    this.words[0].set(this.count, first);
    this.words[1].set(this.count, second);
    this.words[2].set(this.count, third);
    this.notes.set(this.count, note);
    this.count += 1;
    this.slots[slot] = this.count;
    if (this.count * 8 > this.slots.length * 5) this.grow();
    return true;
  }

  private slotOf(first: number, second: number, third: number): number {
    const [a, b, c] = this.words;
    const { slots } = this;
    let hash = Math.imul(first ^ Math.imul(second ^ Math.imul(third, 0x85ebca6b), 0xc2b2ae35), 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    for (let slot = (hash ^ (hash >>> 13)) & (slots.length - 1); ; slot = (slot + 1) & (slots.length - 1)) {
      const at = (slots[slot] as number) - 1;
      if (at < 0 || (a.get(at) === first && b.get(at) === second && c.get(at) === third)) return slot;
    }
  }

  private grow(): void {
    this.slots = new Uint32Array(this.slots.length * 2);
    for (let index = 0; index < this.count; index += 1) this.slots[this.slotOf(this.word(0, index), this.word(1, index), this.word(2, index))] = index + 1;
  }
}
