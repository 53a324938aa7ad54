import { bytesToHex, hexToBytes } from 'viem';
import type { Hex } from 'viem';
import { z } from 'zod';
import { commitTensor } from '../../deterministic-runtime/commitment/tree.ts';
import { segmentCount, splitBounds } from '../../fraud-proof/dispute/split.ts';
import { verifyStep } from '../../fraud-proof/machine/verify.ts';
import type { Trace } from '../../fraud-proof/trace/trace.ts';
import { instructionOf, instructionOfProof } from './instruction.ts';
import { findOutput, readInput, readOutput } from './outputs.ts';
import { gameStatus } from './status.ts';
import type { ProvenClaim, SplitClaim, Transcript } from './transcript.ts';
import { judge } from './verdict.ts';
import type { Verdict } from './verdict.ts';

const role = z.enum(['asserter', 'challenger']);
const text = z.string();
/** Numbers of steps and wei, as decimal strings. */
const integer = z.string().regex(/^\d+$/);
const happened = { block: integer, time: z.number(), transaction: text };
/** An output: its commitment, null where it is not known, and its value where that can be found. */
const output = z.strictObject({ commitment: text.nullable(), value: z.union([text, z.number(), z.array(z.number())]).nullable() });
const named = z.strictObject({ name: text, value: text });

/** What `assay explain --json` prints. */
export const storySchema = z.strictObject({
  gameId: text, assertionId: text, entry: z.number(),
  model: z.strictObject({ modelId: text, signature: text, name: text.nullable() }),
  request: z.strictObject({ requestId: text, requester: text, input: text, text: text.nullable(), ...happened }),
  asserter: z.strictObject({ account: text, stake: integer, output, asserted: z.strictObject(happened) }),
  challenger: z.strictObject({ account: text, stake: integer, output, shows: z.enum(['output', 'running', 'failed', 'unknown']) }),
  /** What the model gives; null without its files. */
  right: output.nullable(),
  /** Who is right; null without the model's files, as long as the game runs. */
  honest: role.nullable(),
  steps: integer,
  moves: z.array(z.strictObject({
    kind: z.enum(['challenge', 'answer', 'move']), by: role, ...happened,
    segment: z.number().nullable(), start: integer, length: integer, segments: z.number(), carrier: z.enum(['calldata', 'blob']), blob: text.nullable(),
    /** False where the states within are in a blob that could not be had. */
    claimsRead: z.boolean(),
    /** What the other side claimed about the segment: the states at its start, which this move repeats, and at its end, null where that is not known, with whether each is right: null without the model's files. */
    disputes: z.strictObject({ start: text, startRight: z.boolean().nullable(), end: text.nullable(), endRight: z.boolean().nullable() }).nullable(),
    /** Operators that the steps lie in, from the first to the last; null without the model's files. */
    places: z.strictObject({ first: text, last: text }).nullable(),
    /** Which claims are wrong; null without the model's files. */
    verdict: z.strictObject({ claims: z.number(), wrong: z.array(integer), firstWrong: z.strictObject({ segment: z.number().nullable(), start: integer, length: integer }).nullable() }).nullable(),
  })),
  /** The one step that it comes down to, once it is known. */
  instruction: z.strictObject({
    step: integer, operator: text, section: z.enum(['prologue', 'body', 'epilogue']), iteration: z.number(), where: text, row: z.number(), column: z.number(), elements: z.number(), pc: z.number(), text,
    source: text.nullable(), reads: z.array(named), result: named.nullable(),
    /** The state after it: what each side claimed last, null for a side that never had to say, and the right one. */
    claims: z.strictObject({ asserter: text.nullable(), challenger: text.nullable(), right: text }),
    /** The proof on L1; null where the game has not got there. */
    proven: z.strictObject({ by: role, bytes: z.number(), ...happened }).nullable(),
  }).nullable(),
  status: z.strictObject({ phase: text, turn: role.nullable(), secondsLeft: z.number().nullable(), deadline: z.number().nullable(), level: z.number(), levels: z.number(), open: z.boolean(), next: text }),
  end: z.strictObject({ ending: z.enum(['proof', 'concession', 'timeout']), winner: role, paid: integer, burnt: integer, bounty: integer, settled: z.boolean(), ...happened }).nullable(),
  /** What is not known, and how to get it. */
  unknown: z.array(text),
});

export type Story = z.infer<typeof storySchema>;

const when = ({ blockNumber, timestamp, transactionHash }: { readonly blockNumber: bigint; readonly timestamp: bigint; readonly transactionHash: Hex }) =>
  ({ block: blockNumber.toString(), time: Number(timestamp), transaction: transactionHash });

/**
 * Tells a game: what L1 shows, and with a run of one's own what of it is right.
 * @param time seconds of block time
 */
export async function tellStory(transcript: Transcript, { time, trace, bounty }: { readonly time: bigint; readonly trace: Trace | null; readonly bounty?: bigint }): Promise<Story> {
  const { dispute, request, model, assertion, splits, shown } = transcript;
  const verdicts = trace === null ? null : await judgeAll(splits, trace);
  const right = trace === null ? null : outputOf(trace, bytesToHex(commitTensor(trace.output)));
  const outputs = (commitment: Hex | null): z.infer<typeof output> => ({ commitment, value: commitment === null || trace === null ? null : outputOf(trace, commitment).value });
  const status = gameStatus(dispute, time, bounty);
  const end = dispute.moves.find(({ kind }) => kind === 'end');
  return {
    gameId: dispute.gameId, assertionId: dispute.assertionId, entry: dispute.index,
    model: { modelId: request.modelId, signature: model.signature, name: trace?.model.model.program.name ?? null },
    request: { requestId: request.requestId, requester: request.requester, input: request.input, text: readInput(model.signature, request.input, trace?.model.model ?? null), ...when(request.requested) },
    asserter: { account: dispute.asserter, stake: dispute.asserterStake.toString(), output: outputs(dispute.outputCommitment), asserted: when(assertion.asserted) },
    challenger: {
      account: dispute.challenger, stake: dispute.challengerStake.toString(), output: outputs(shown?.kind === 'output' ? shown.commitment : null),
      shows: shown === null ? 'unknown' : shown.kind === 'output' ? 'output' : shown.status,
    },
    right,
    honest: right !== null ? (right.commitment === dispute.outputCommitment ? 'asserter' : 'challenger') : dispute.ending === 'proof' || dispute.ending === 'concession' ? winnerOf(dispute.phase) : null,
    steps: dispute.steps.toString(),
    moves: await Promise.all(splits.map((split, index) => tellMove(split, verdicts?.[index] ?? null, trace))),
    instruction: await tellInstruction(transcript, verdicts, trace),
    status,
    end: end === undefined || dispute.ending === undefined ? null : {
      ending: dispute.ending, winner: winnerOf(dispute.phase), paid: (dispute.paidOut?.paid ?? 0n).toString(), burnt: (dispute.paidOut?.burnt ?? 0n).toString(), bounty: dispute.bounty.toString(), settled: dispute.settled, ...when(end),
    },
    unknown: unknowns(transcript, trace),
  };
}

const winnerOf = (phase: string): 'asserter' | 'challenger' => (phase === 'asserter-won' ? 'asserter' : 'challenger');

async function judgeAll(splits: readonly SplitClaim[], trace: Trace): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const split of splits) verdicts.push(await judge(split, trace));
  return verdicts;
}

function outputOf({ model, output: words }: Trace, commitment: Hex): z.infer<typeof output> {
  const value = bytesToHex(commitTensor(words)) === commitment ? readOutput(model.model, words) : findOutput(model.model, commitment);
  return { commitment, value: typeof value === 'object' && value !== null ? [...value] : value };
}

async function tellMove(split: SplitClaim, verdict: Verdict | null, trace: Trace | null): Promise<Story['moves'][number]> {
  const { kind, by, segment, start, length, arity, blob, inner } = split;
  return {
    kind, by, ...when(split), segment, start: start.toString(), length: length.toString(), segments: segmentCount(length, arity), carrier: blob === null ? 'calldata' : 'blob', blob, claimsRead: inner !== null,
    disputes: segment === null ? null : await tellDisputed(split, trace),
    places: trace === null ? null : { first: placeName(trace, start), last: placeName(trace, start + length - 1n) },
    verdict: verdict === null ? null : {
      claims: verdict.claims, wrong: verdict.wrong.map(String),
      firstWrong: verdict.firstWrong === null ? null : { segment: verdict.firstWrong.index, start: verdict.firstWrong.start.toString(), length: verdict.firstWrong.length.toString() },
    },
  };
}

async function tellDisputed({ start, length, first, disputedEnd }: SplitClaim, trace: Trace | null): Promise<Story['moves'][number]['disputes']> {
  const own = trace === null ? null : await trace.stateAt([start, start + length]);
  return { start: first, startRight: own === null ? null : own[0] === first, end: disputedEnd, endRight: own === null || disputedEnd === null ? null : own[1] === disputedEnd };
}

/** Operator and iteration of a step. */
function placeName(trace: Trace, step: bigint): string {
  const location = trace.locate(step);
  if (location === null) return 'after the end of the inference';
  return `operator ${location.operator.operator.name}${location.section === 'body' ? `, iteration ${location.iteration}` : ''}`;
}

/** The disputed step: the one that was proven, else the one that an honest party would prove against the last split. */
async function tellInstruction({ proven, splits, dispute }: Transcript, verdicts: readonly Verdict[] | null, trace: Trace | null): Promise<Story['instruction']> {
  const last = splits.at(-1) as SplitClaim;
  const found = verdicts?.at(-1)?.firstWrong;
  // A game that ended with a proof that is not known may have ended with another step than that.
  const isUnknown = proven === null && (dispute.ending === 'proof' || dispute.ending === 'concession');
  const foreseen = isUnknown || found === undefined || found === null || found.length !== 1n || found.index === null ? null : { step: found.start, end: found.end };
  const { step, end } = proven ?? foreseen ?? { step: null, end: null };
  if (step === null || end === null) return null;
  if (trace === null && proven === null) return null;
  // A party that lies all along may prove a step from a state that nobody honest has: then the proof alone says what happened.
  const own = trace === null ? null : await trace.stateAt([step, step + 1n]);
  const useTrace = trace !== null && own !== null && trace.locate(step) !== null && (proven === null || own[0] === proven.start);
  const instruction = useTrace ? await instructionOf(trace, step) : proven === null ? null : instructionOfProof(step, proven.start, proven.proof);
  if (instruction === null) return null;
  const right = useTrace ? own[1] as Hex : rightAfter(proven as ProvenClaim);
  return {
    ...instruction, reads: [...instruction.reads],
    claims: { ...claimsAfter(splits, step + 1n), [last.by]: end, right },
    proven: proven === null ? null : { by: last.by === 'asserter' ? 'challenger' : 'asserter', bytes: (proven.proof.length - 2) / 2, ...when(proven) },
  };
}

/** What each side claimed last about the state after so many steps. */
function claimsAfter(splits: readonly SplitClaim[], steps: bigint): Record<'asserter' | 'challenger', Hex | null> {
  const claims: Record<'asserter' | 'challenger', Hex | null> = { asserter: null, challenger: null };
  for (const split of splits) {
    const index = splitBounds(split, split.arity).indexOf(steps);
    const inner = split.inner === null ? [] : split.inner.map((state, position) => [position + 1, state] as const);
    const state = new Map([...inner, [segmentCount(split.length, split.arity), split.last] as const]).get(index);
    if (state !== undefined) claims[split.by] = state;
  }
  return claims;
}

/** What the chain computed. */
const rightAfter = ({ start, proof }: ProvenClaim): Hex => bytesToHex(verifyStep(hexToBytes(start), hexToBytes(proof)));

function unknowns({ proven, shown, splits, dispute, model, request }: Transcript, trace: Trace | null): string[] {
  const url = model.contracts.find(({ uri }) => uri !== '')?.uri;
  return [
    ...(trace !== null ? [] : [`which claims are right, and what the outputs are: give the bundle of model ${request.modelId} with --model${url === undefined ? '' : ` (its registration names ${url})`}`]),
    ...(shown !== null ? [] : ['what output the challenger claims: the challenge went through another contract, and only a trace of its transaction shows it']),
    ...(proven === null && dispute.ending !== undefined && dispute.ending !== 'timeout' ? ['which step was proven: the proof went through another contract, and only a trace of its transaction shows it'] : []),
    ...splits.flatMap(({ blob, blockNumber, missing, by }) => (missing === null ? [] : [`what the ${by} claims within its split of block ${blockNumber}: it is in blob ${blob}, which cannot be had (${missing.join('; ')}): name a beacon node with --beacon, as long as chains keep the blob (some 18 days)`])),
  ];
}
