import { concat, encodeFunctionData, keccak256, zeroHash } from 'viem';
import type { Hex } from 'viem';
import { resultAssertionsAbi } from '../../contracts/abi/generated.ts';
import { openingMove } from '../../fraud-proof/dispute/player.ts';
import { proveEntry } from '../../rollup-node/chain/entries.ts';
import type { ProvenEntry } from '../../rollup-node/chain/entries.ts';
import { splitArgument } from '../../rollup-node/disputes/turn.ts';
import type { Adversary } from './adversary.ts';
import type { Computation } from './inference.ts';
import type { AssertionOnStage, Scene } from './scene.ts';

const ENTRIES = 5;

async function challengeWith(scene: Scene, assertion: AssertionOnStage, { source }: Computation, entry: ProvenEntry, change: { readonly opening?: Hex; readonly end?: Hex } = {}): Promise<void> {
  const { opening, split } = await openingMove(scene.asked.inference.steps, source);
  const argument = { ...splitArgument(split), end: change.end ?? split.end };
  const data = encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'challenge', args: [assertion.id, entry, change.opening ?? opening, argument] });
  await scene.sendJunk({ from: scene.attacker, to: scene.stage.assertions, data, value: await scene.challengerStake() });
}

/** Entries that are not in the list: nodes of its tree, other outputs, other places, other paths. */
function wrongEntries({ random }: Scene, { requestIds, outputCommitments }: AssertionOnStage): ProvenEntry[] {
  const list = { requestIds: [...requestIds], outputCommitments: [...outputCommitments] };
  const [first, second] = [proveEntry(list, 0), proveEntry(list, 1)];
  const leaf = ({ requestId, outputCommitment }: ProvenEntry): Hex => keccak256(concat([requestId, outputCommitment]));
  const last = BigInt(requestIds.length);
  return [
    // Its two halves look like a request and an output.
    { index: 0n, requestId: leaf(first), outputCommitment: leaf(second), path: first.path.slice(1) },
    { index: 0n, requestId: leaf(first), outputCommitment: leaf(second), path: [zeroHash, ...first.path.slice(1)] },
    { ...first, outputCommitment: random.word() }, { ...first, requestId: random.word() },
    { ...first, index: 8n }, { ...first, index: last }, { ...first, index: 2n ** 256n - 1n },
    { ...first, path: first.path.slice(1) }, { ...first, path: [...first.path, zeroHash] }, { ...first, path: [] }, { ...first, path: [...first.path].reverse() },
    { index: last, requestId: zeroHash, outputCommitment: zeroHash, path: first.path },
    // A path of one sibling is its own reverse.
  ].filter((entry) => JSON.stringify({ ...entry, index: String(entry.index) }) !== JSON.stringify({ ...first, index: String(first.index) }));
}

/** Lists of results, and challenges of what is not in them. */
export const ENTRY_TRICKS: readonly Adversary[] = [
  {
    name: 'challenges what was not asserted', roles: ['challenger'],
    begin: async (scene, lie) => {
      const { honest, attacker, truth, asked: { requestId }, random } = scene;
      const count = 2 + random.below(ENTRIES - 1);
      const assertion = await scene.assertList(honest, Array.from({ length: count }, () => requestId), Array.from({ length: count }, () => truth.output));
      for (const entry of wrongEntries(scene, assertion)) await challengeWith(scene, assertion, lie, entry);
      await scene.challenge(attacker, assertion, lie, 'calldata', random.below(count));
    },
  },
  {
    name: 'challenges with a wrong opening', roles: ['challenger'],
    begin: async (scene, lie) => {
      const { honest, attacker, truth, random } = scene;
      const assertion = await scene.assert(honest, truth.output);
      const entry = proveEntry({ requestIds: [...assertion.requestIds], outputCommitments: [...assertion.outputCommitments] }, 0);
      const opening = await lie.source.finalOpening();
      // The right final state holds the asserted output: there is nothing to dispute in it.
      await challengeWith(scene, assertion, truth, entry);
      await challengeWith(scene, assertion, lie, entry, { end: random.state() });
      for (const wrong of ['0x', concat([opening, '0x00']), concat([opening, zeroHash]), concat([random.word(), opening]), opening.slice(0, -64), `0x${'00'.repeat(32)}`] as Hex[]) {
        await challengeWith(scene, assertion, lie, entry, { opening: wrong });
      }
      await scene.challenge(attacker, assertion, lie);
      // A second time it would be the same game.
      await challengeWith(scene, assertion, lie, entry);
    },
  },
  {
    name: 'hides a lie among truths', roles: ['asserter'],
    begin: async (scene, lie) => {
      const { honest, attacker, truth, asked: { requestId }, random } = scene;
      const place = random.below(ENTRIES);
      const assertion = await scene.assertList(attacker, Array.from({ length: ENTRIES }, () => requestId), Array.from({ length: ENTRIES }, (_, entry) => (entry === place ? lie.output : truth.output)));
      await scene.challenge(honest, assertion, truth, 'calldata', place);
    },
  },
];
