import { concat, encodeDeployData, encodeFunctionData, keccak256, numberToHex, pad, parseEventLogs, slice, zeroHash } from 'viem';
import type { Address, Hex } from 'viem';
import { dissectionGameAbi, dissectionGameBytecode } from '../contracts/abi/generated.ts';
import { statesOfBlob } from '../fraud-proof/dispute/blob-claims.ts';
import { arityOf, nextAction, openingMove } from '../fraud-proof/dispute/player.ts';
import type { Carrier, ClaimedSplit, GameView, Role, SplitClaims, StateSource } from '../fraud-proof/dispute/player.ts';
import { BLOB_ARITY, calldataArity, segmentAt, segmentCount } from '../fraud-proof/dispute/split.ts';
import type { Segment } from '../fraud-proof/dispute/split.ts';
import type { TransactionIntent } from '../rollup-node/chain/sender.ts';
import { actionTransaction, blobsOf, splitArgument } from '../rollup-node/disputes/turn.ts';
import { kzg } from '../rollup-node/kzg.ts';
import type { Arena } from '../rollup-node/match/arena.ts';
import type { PlayedMove } from '../rollup-node/match/match.ts';

/** State number `index` of a program that has no content; a liar's are others. States have 248 bits, like the machine's. */
const stateOf = (word: Hex): Hex => pad(slice(keccak256(word), 1), { size: 32 });
const wordOf = (index: bigint): Hex => numberToHex(index, { size: 32 });
const LIE = 1n << 200n;

/** States from thin air; those after step `fault`, where there is one, are wrong. */
const source = (fault: bigint | null): StateSource => ({
  stateAt: async (indices) => indices.map((index) => stateOf(wordOf(fault !== null && index > fault ? index + LIE : index))),
  proofAt: async (step) => wordOf(step + 1n),
  finalOpening: async () => '0x',
});

/**
 * A machine whose step is whatever the proof says: the low 248 bits of the proof's hash. It copies the proof's word (behind selector, state, offset and length) to memory,
 * hashes it, masks it and returns it.
 */
const MACHINE: Hex = concat(['0x6020606460003760206000207e', `0x${'ff'.repeat(31)}`, '0x1660005260206000f3']);
/** Deploys what follows it: 53 bytes. */
const INITIALIZER: Hex = '0x6035600a5f3960355ff3';

const ALLOWANCE = 86_400n;
const STAKE = 10n ** 9n;

export interface SyntheticGame {
  readonly honestWon: boolean;
  readonly moves: readonly PlayedMove[];
  readonly seconds: number;
}

/** A game contract for programs of any length: its machine proves whatever it is told. @param depth log2 of the segments of a split in calldata */
export async function deploySyntheticGame(arena: Arena, depth: bigint): Promise<Address> {
  const create = async (data: Hex): Promise<Address> => {
    const { contractAddress } = await arena.client.waitForTransactionReceipt({ hash: await arena.wallet(0).sendTransaction({ data }) });
    if (contractAddress === null || contractAddress === undefined) throw new Error('a contract was not created');
    return contractAddress;
  };
  const machine = await create(concat([INITIALIZER, MACHINE]));
  return create(encodeDeployData({ abi: dissectionGameAbi, bytecode: dissectionGameBytecode, args: [machine, 1n, depth] }));
}

/** Plays a dispute about a program of `steps` steps without content. */
export async function playSyntheticGame(arena: Arena, game: Address, { steps, fault, liar, carrier, depth }: { readonly steps: bigint; readonly fault: bigint; readonly liar: Role; readonly carrier: Carrier; readonly depth: bigint }): Promise<SyntheticGame> {
  const options = { arity: calldataArity(2 ** Number(depth)), carrier, kzg };
  const sources: Record<Role, StateSource> = { asserter: source(liar === 'asserter' ? fault : null), challenger: source(liar === 'challenger' ? fault : null) };
  const wallets = { asserter: arena.wallet(1), challenger: arena.wallet(2) };
  const client = wallets.challenger.account.address;
  const terms = {
    asserter: wallets.asserter.account.address, challenger: client, initialState: stateOf(wordOf(0n)), binding: zeroHash, steps, allowance: ALLOWANCE, asserterStake: STAKE,
    // Another game each time, though everything else is the same.
    challengerStake: STAKE + BigInt(await arena.client.getTransactionCount({ address: client })),
  };
  const contracts = { assertions: client, game };
  const moves: PlayedMove[] = [];
  const started = performance.now();
  let turnBegan = started;
  const send = async (kind: PlayedMove['kind'], by: Role, transaction: Pick<TransactionIntent, 'to' | 'data' | 'value' | 'blobs'>) => {
    const ready = performance.now();
    const receipt = await arena.send(wallets[by], transaction);
    moves.push({ kind, by, gas: receipt.gasUsed, bytes: (transaction.data.length - 2) / 2, blobs: transaction.blobs?.length ?? 0, seconds: (ready - turnBegan) / 1_000 });
    turnBegan = performance.now();
    return receipt;
  };
  const claimed = (segment: Segment, first: Hex, { inner, end, blob }: SplitClaims): ClaimedSplit => (blob === undefined
    ? { ...segment, states: [first, ...inner, end], carrier: 'calldata' }
    : { ...segment, states: statesOfBlob(first, blob, end, segmentCount(segment.length, BLOB_ARITY)), carrier: 'blob', blob });

  const { split } = await openingMove(steps, sources.challenger, options);
  const { challengerStake } = terms;
  const data = encodeFunctionData({ abi: dissectionGameAbi, functionName: 'open', args: [{ ...terms, client, allowance: Number(ALLOWANCE) }, splitArgument(split)] });
  const { logs } = await send('challenge', 'challenger', { to: game, data, value: challengerStake, ...blobsOf(split) });
  const [opened] = parseEventLogs({ abi: dissectionGameAbi, eventName: 'Opened', logs });
  if (opened === undefined) throw new Error('no game was opened');
  let view: GameView = { status: 'awaiting-answer', turn: 'asserter', split: claimed({ start: 0n, length: steps }, terms.initialState, split) };
  for (;;) {
    const by: Role = view.turn;
    const action = await nextAction(view, by, sources[by], options);
    if (action === null) throw new Error(`the ${by} has the turn but no move`);
    const receipt = await send(action.kind, by, actionTransaction(action, opened.args.gameId, terms, contracts));
    if (action.kind === 'prove') {
      const [event] = parseEventLogs({ abi: dissectionGameAbi, eventName: 'Settled', logs: receipt.logs });
      return { honestWon: event !== undefined && event.args.asserterWon === (liar === 'challenger'), moves, seconds: (performance.now() - started) / 1_000 };
    }
    const segment = segmentAt(view.split, Number(action.pick.segment), arityOf(view.split.carrier, options));
    view = { status: 'awaiting-move', turn: by === 'asserter' ? 'challenger' : 'asserter', split: claimed(segment, action.pick.start, action.split) };
  }
}
