import { concat, toFunctionSelector } from 'viem';
import type { Hex } from 'viem';
import type { Adversary } from './adversary.ts';

const BOTH = ['asserter', 'challenger'] as const;

/** PUSH0 PUSH0 REVERT. */
const REVERTS: Hex = '0x5f5ffd';
/** JUMPDEST PUSH0 JUMP. */
const BURNS_GAS: Hex = '0x5b5f56';
/** Keeps what it gets, and asks the payer for it again: `msg.sender.withdraw(address(this))`; nothing when no wei came. */
const REENTERS: Hex = concat([
  // CALLVALUE PUSH1 5 JUMPI STOP JUMPDEST
  '0x3460055700', '0x5b',
  // The selector and the own address in memory.
  '0x63', toFunctionSelector('withdraw(address)'), '0x60e01b5f52', '0x30600452',
  // CALL(gas, caller, 0, 0, 36, 0, 0) STOP
  '0x5f5f60245f5f335af100',
]);

/** Players that are contracts, and do something bad when they are paid. */
export const CONTRACT_ACCOUNTS: readonly Adversary[] = [
  { name: 'refuses money', roles: BOTH, code: REVERTS },
  { name: 'burns the gas of who pays it', roles: BOTH, code: BURNS_GAS, costly: true },
  { name: 're-enters when it is paid', roles: BOTH, code: REENTERS },
];
