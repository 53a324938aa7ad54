/** A growing byte buffer that knows WebAssembly's integer encoding, LEB128. */
export class ByteWriter {
  #bytes = new Uint8Array(64);
  #length = 0;

  get length(): number { return this.#length; }

  #reserve(extra: number): void {
    if (this.#length + extra <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + extra));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }

  byte(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
    return this;
  }

  bytes(values: Uint8Array): this {
    this.#reserve(values.length);
    this.#bytes.set(values, this.#length);
    this.#length += values.length;
    return this;
  }

  /** Unsigned LEB128 of an integer in [0, 2^53). */
  unsigned(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`cannot encode ${value} as an unsigned integer`);
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    return this.byte(rest);
  }

  /** Signed LEB128. */
  signed(value: number | bigint): this {
    if (typeof value === 'number' && value === (value | 0)) return this.#signed32(value);
    let rest = BigInt(value);
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      const signBit = low & 0x40;
      if ((rest === 0n && signBit === 0) || (rest === -1n && signBit !== 0)) return this.byte(low);
      this.byte(low | 0x80);
    }
  }

  #signed32(value: number): this {
    let rest = value;
    while (rest < -64 || rest > 63) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    return this.byte(rest & 0x7f);
  }

  /** A name: its UTF-8 length and bytes. */
  text(value: string): this {
    const encoded = new TextEncoder().encode(value);
    return this.unsigned(encoded.length).bytes(encoded);
  }

  /** What was written so far, as a copy. */
  finish(): Uint8Array<ArrayBuffer> { return this.#bytes.slice(0, this.#length); }
}
