import { SimpleStateManager } from '@ethereumjs/statemanager';
import { bytesToHex } from '@ethereumjs/util';
import type { Account, Address } from '@ethereumjs/util';

/**
 * The state of a chain, and how to undo each change since the oldest open checkpoint. A checkpoint costs nothing here; `SimpleStateManager`
 * copies all that there is, at every call.
 */
export class JournaledState extends SimpleStateManager {
  readonly #undo: (() => void)[] = [];
  /** How many changes there were at each open checkpoint. */
  readonly #checkpoints: number[] = [];

  /** A copy, for callers change what they get before they put it. */
  override async getAccount(address: Address): Promise<Account | undefined> {
    return copyOf(await super.getAccount(address));
  }

  override async putAccount(address: Address, account?: Account): Promise<void> {
    this.#set(this.topAccountStack(), address.toString(), copyOf(account));
  }

  override async deleteAccount(address: Address): Promise<void> {
    await this.putAccount(address, undefined);
  }

  override async putCode(address: Address, code: Uint8Array): Promise<void> {
    this.#set(this.topCodeStack(), address.toString(), code);
    await super.putCode(address, code);
  }

  override async putStorage(address: Address, key: Uint8Array, value: Uint8Array): Promise<void> {
    // The key that `getStorage` reads.
    this.#set(this.topStorageStack(), `${address.toString()}_${bytesToHex(key)}`, value);
  }

  override async clearStorage(address: Address): Promise<void> {
    const slots = this.topStorageStack();
    for (const name of slots.keys()) if (name.startsWith(`${address.toString()}_`)) this.#set(slots, name, new Uint8Array(0));
  }

  override async checkpoint(): Promise<void> {
    this.#checkpoints.push(this.#undo.length);
  }

  override async commit(): Promise<void> {
    this.#checkpoints.pop();
    if (this.#checkpoints.length === 0) this.#undo.length = 0;
  }

  override async revert(): Promise<void> {
    const length = this.#checkpoints.pop() ?? 0;
    while (this.#undo.length > length) this.#undo.pop()!();
  }

  #set<Name, Value>(map: Map<Name, Value>, name: Name, value: Value): void {
    const [known, before] = [map.has(name), map.get(name) as Value];
    map.set(name, value);
    if (this.#checkpoints.length > 0) this.#undo.push(() => void (known ? map.set(name, before) : map.delete(name)));
  }
}

function copyOf<Copied extends Account | undefined>(account: Copied): Copied {
  return account === undefined ? account : Object.assign(Object.create(Object.getPrototypeOf(account) as object) as object, account) as Copied;
}
