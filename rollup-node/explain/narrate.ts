import { harmless } from '../harmless.ts';
import type { Story } from './story.ts';
import { count, counted, ether, moment, shortId } from './words.ts';

/** A story in words, a line each. @param now seconds of block time */
export function narrate(story: Story, now: bigint): string {
  return [...introduction(story), '', ...chronicle(story, now), ...instructionLines(story), ...remainder(story)].map(harmless).join('\n');
}

type Output = Story['asserter']['output'];

/** Characters of a value that are shown. */
const SHOWN = 200;

function outputText({ commitment, value }: Output): string {
  if (commitment === null) return 'an output that is not known here';
  if (value === null) return `the output with commitment ${commitment}`;
  const text = typeof value === 'string' ? `“${value}”` : JSON.stringify(value);
  return `${text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text} (commitment ${commitment})`;
}

function introduction({ gameId, assertionId, entry, model, request, asserter, challenger, right, honest, steps }: Story): string[] {
  const claims = { output: outputText(challenger.output), running: 'that the machine still runs after all steps', failed: 'that the machine fails', unknown: outputText(challenger.output) }[challenger.shows];
  return [
    `dispute ${gameId}`,
    `  about        entry ${entry} of assertion ${assertionId}`,
    `  model        ${model.name === null ? '' : `${model.name}, `}${model.signature}, id ${model.modelId}`,
    `  request      ${request.requestId} by ${request.requester}${request.text === null ? '' : `: “${request.text.length > SHOWN ? `${request.text.slice(0, SHOWN)}…` : request.text}”`}`,
    `  asserter     ${asserter.account} asserts ${outputText(asserter.output)}`,
    `  challenger   ${challenger.account} claims ${claims}`,
    ...(right === null ? [] : [`  right        ${outputText(right)}`]),
    ...(honest === null ? [] : [`               so the ${honest} is right${right === null ? ', as the chain has found' : ''}`]),
    `  in dispute   ${counted(BigInt(steps), 'machine step')}`,
  ];
}

function chronicle(story: Story, now: bigint): string[] {
  const { asserter, request, moves, end, instruction } = story;
  const at = (time: number): string => moment(BigInt(time), now);
  return [
    `${at(request.time)}  the request is made`,
    `${at(asserter.asserted.time)}  the asserter asserts the result`,
    ...moves.flatMap((move) => [`${at(move.time)}  the ${move.by} ${moveText(story, move)}`, ...[...disputedLines(move), ...claimLines(move)].map((line) => `    ${line}`)]),
    ...(instruction?.proven === null || instruction === null ? [] : [`${at(instruction.proven.time)}  the ${instruction.proven.by} has step ${count(BigInt(instruction.step))} computed by the chain, with ${count(instruction.proven.bytes)} bytes of proof`]),
    ...(end === null ? [] : [`${at(end.time)}  ${endText(end)}`]),
  ];
}

type Move = Story['moves'][number];

function moveText({ asserter, challenger }: Story, { kind, segment, start, length, segments, carrier, places }: Move): string {
  const stake = kind === 'challenge' ? `, with a stake of ${ether(BigInt(challenger.stake))}` : kind === 'answer' ? `, with a stake of ${ether(BigInt(asserter.stake))}` : '';
  const verb = { challenge: 'challenges it', answer: 'answers', move: 'moves' }[kind];
  const range = `${counted(BigInt(length), 'step')} from step ${count(BigInt(start))} on`;
  const where = places === null ? '' : ` (${places.first === places.last ? `in ${places.first}` : `from ${places.first} to ${places.last}`})`;
  const about = segment === null ? `claims the states within all ${count(BigInt(length))} steps` : `disputes segment ${segment}, ${range}${where}, and claims the states within it`;
  return `${verb}${stake}: ${about}, in ${counted(segments, 'segment')}${carrier === 'blob' ? ', in a blob' : ''}`;
}

const OTHER = { asserter: 'challenger', challenger: 'asserter' } as const;

/** What the other side had claimed about the segment that a move disputes. */
function disputedLines({ disputes, by }: Move): string[] {
  if (disputes === null) return [];
  const { start, startRight, end, endRight } = disputes;
  const judged = (right: boolean | null): string => (right === null ? '' : right ? ', which is right' : ', which is wrong');
  return [`there the ${OTHER[by]} had claimed that state ${shortId(start)}${judged(startRight)}, becomes ${end === null ? 'a state that is not known here' : `${shortId(end)}${judged(endRight)}`}`];
}

/** What is known of a move's own claims. */
function claimLines({ verdict, by, blob, claimsRead }: Move): string[] {
  const unread = `what the ${by} claims within is in blob ${blob}, which was not read`;
  if (verdict === null) return claimsRead ? [] : [unread];
  const { claims, wrong, firstWrong } = verdict;
  if (!claimsRead) return [`the end that the ${by} claims is ${wrong.length === 0 ? 'right' : 'wrong'}; ${unread}`];
  if (wrong.length === 0) return [`all ${count(claims)} claims of the ${by} are right`];
  const place = firstWrong === null ? '' : `; the first wrong one ends segment ${firstWrong.segment ?? 0}, ${counted(BigInt(firstWrong.length), 'step')} from step ${count(BigInt(firstWrong.start))} on`;
  return [`${count(wrong.length)} of ${count(claims)} claims of the ${by} are wrong, from step ${count(BigInt(wrong[0] as string))} on${place}`];
}

const REASONS = { proof: 'the chain computes another state than was claimed', concession: 'the chain computes just the state that was claimed, and whoever had it computed loses', timeout: null } as const;

function endText({ ending, winner, paid, burnt, bounty }: NonNullable<Story['end']>): string {
  return `${REASONS[ending] ?? `the ${OTHER[winner]} is out of time`}: the ${winner} wins, and gets ${ether(BigInt(paid))}; ${ether(BigInt(burnt))} are burnt${BigInt(bounty) > 0n ? `, and a bounty of ${ether(BigInt(bounty))} comes out of the bond` : ''}`;
}

function instructionLines({ instruction, steps, status, moves }: Story): string[] {
  if (instruction === null) return [];
  const { step, where, row, column, elements, pc, text, source, reads, result, claims, proven } = instruction;
  const range = elements === 1 ? `column ${column}` : `columns ${column} to ${column + elements - 1}`;
  return [
    '',
    `the instruction that it ${proven !== null ? 'came' : status.turn === null ? 'would have come' : 'will come'} down to: step ${count(BigInt(step))} of ${count(BigInt(steps))}`,
    `  where        ${where}: row ${row}, ${range} of its output`,
    `  instruction  ${pc}:   ${text}`,
    ...(source === null ? [] : [`  reads        ${source}`]),
    ...reads.map(({ name, value }, index) => `  ${(index === 0 && source === null ? 'reads' : '').padEnd(13)}${name} = ${value}`),
    ...(result === null ? [] : [`  right        ${result.name} = ${result.value}`]),
    ...(['asserter', 'challenger'] as const).map((by) => `  ${by.padEnd(13)}${claimText(claims[by], claims.right, moves.some((move) => move.by === by && !move.claimsRead))}`),
    `  right state  ${claims.right}`,
  ];
}

/** A wrong state is known by its hash alone: what value is in it, its author alone knows. */
function claimText(state: string | null, right: string, unread: boolean): string {
  if (state === null) return unread ? 'may claim a state after it in a blob that was not read' : 'never had to say which state comes after it';
  return state === right ? 'claims the right state after it' : `claims state ${state} after it, which is wrong`;
}

function remainder({ status, unknown }: Story): string[] {
  return [
    '',
    `level ${status.level} of ${status.levels}; next: ${status.next}`,
    ...unknown.map((text) => `not known: ${text}`),
  ];
}
