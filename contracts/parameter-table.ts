import { formatEther } from 'viem';
import { DEVNET_PARAMETERS, MAIN_PARAMETERS } from './deploy.ts';
import type { DeploymentParameters } from './deploy.ts';

const ether = (wei: bigint): string => `${formatEther(wei)} ETH`;
const gwei = (wei: bigint): string => `${formatEther(wei * 10n ** 9n)} gwei`;
const seconds = (time: bigint): string => (time % 86_400n === 0n ? `${time / 86_400n} d` : `${time} s`);
const count = (value: bigint): string => value.toLocaleString('en');

const ROWS: readonly (readonly [text: string, of: (parameters: DeploymentParameters) => string])[] = [
  ['`window`', ({ window }) => seconds(window)],
  ['`baseAllowance`', ({ baseAllowance }) => seconds(baseAllowance)],
  ['`stepsPerSecond`', ({ stepsPerSecond }) => count(stepsPerSecond)],
  ['bond `B`', ({ bond }) => ether(bond)],
  ['bounty', ({ bounty }) => ether(bounty)],
  ['`baseStake`', ({ baseStake }) => ether(baseStake)],
  ['`stakePerGigastep`', ({ stakePerGigastep }) => ether(stakePerGigastep)],
  ['`challengerFactor` `F`', ({ challengerFactor }) => count(challengerFactor)],
  ['metered gas is paid at', ({ gasPrice }) => gwei(gasPrice)],
  ['callback gas is charged at', ({ callbackGasPrice }) => gwei(callbackGasPrice)],
  ['default deadline of a request', ({ defaultDeadline }) => seconds(defaultDeadline)],
];

/** The table of docs/dispute.md, "Parameters". */
export const parameterTable = (): string =>
  ['| | main | devnet |', '|---|---|---|', ...ROWS.map(([text, of]) => `| ${text} | ${of(MAIN_PARAMETERS)} | ${of(DEVNET_PARAMETERS)} |`)].join('\n');
