import {
  type Abi, type Account, type Address, type Chain, type Hex, type PublicClient, type Transport, type WalletClient,
  encodeDeployData, getContractAddress, isAddressEqual,
} from 'viem';
import {
  dissectionGameAbi, dissectionGameBytecode, forumAbi, forumBytecode, inboxAbi, inboxBytecode, modelContractAbi,
  modelContractBytecode, modelRegistryAbi, modelRegistryBytecode, resultAssertionsAbi, resultAssertionsBytecode,
  storybookAbi, storybookBytecode,
  wordMachineAbi, wordMachineBytecode,
} from './abi/generated.ts';
import { AMOUNTS } from './parameters.ts';

/** What a deployment fixes for good. Amounts in wei, times in seconds. See docs/dispute.md for how they hang together. */
export interface DeploymentParameters {
  /** Seconds in which an assertion can be challenged, beside `steps / stepsPerSecond` of all its inferences. */
  readonly window: bigint;
  /** Wei that an assertion locks. */
  readonly bond: bigint;
  /** Wei of the bond for each winning challenger, while half of it lasts. */
  readonly bounty: bigint;
  /** An asserter's stake in a game: `baseStake + stakePerGigastep · steps / 2^30`. */
  readonly baseStake: bigint;
  readonly stakePerGigastep: bigint;
  /** A challenger's stake is this many times the asserter's. */
  readonly challengerFactor: bigint;
  /** Seconds on each clock: `baseAllowance + ⌈steps / stepsPerSecond⌉`. */
  readonly baseAllowance: bigint;
  readonly stepsPerSecond: bigint;
  /** Wei for a unit of the winner's metered gas. */
  readonly gasPrice: bigint;
  /** Wei that a unit of callback gas adds to a request's fee. */
  readonly callbackGasPrice: bigint;
  /** Seconds until the deadline of a request that names none. */
  readonly defaultDeadline: bigint;
  /** log2 of the segments of a split whose claims travel as calldata. */
  readonly claimsDepth: bigint;
}

/** Where a deployment's contracts are. */
export interface Deployment {
  readonly wordMachine: Address;
  readonly dissectionGame: Address;
  /** The code behind the models' contracts. */
  readonly modelImplementation: Address;
  readonly modelRegistry: Address;
  readonly inbox: Address;
  readonly resultAssertions: Address;
  /** Block of the first of them: nothing of interest is older. */
  readonly block: bigint;
}

const GWEI = 10n ** 9n;
const DAY = 86_400n;

/**
 * For a chain with other people's money on it. Amounts and the clocks' pace are computed: contracts/economics.ts, `npm run bonds`. The pace is half
 * of what one thread does of a model that stores a word in every step, since all that is stored has to be hashed; usual models go a hundred times as fast.
 */
export const MAIN_PARAMETERS: DeploymentParameters = {
  ...AMOUNTS,
  window: DAY,
  baseAllowance: DAY,
  callbackGasPrice: 20n * GWEI,
  defaultDeadline: 7n * DAY,
  claimsDepth: 4n,
};

/** For a chain of one's own: everything is over in minutes. */
export const DEVNET_PARAMETERS: DeploymentParameters = {
  ...MAIN_PARAMETERS,
  window: 30n,
  baseAllowance: 120n,
  defaultDeadline: 900n,
  // A language model's whole context is some 10^9 steps; WebAssembly does as many in a second or two.
  stepsPerSecond: 100_000_000n,
};

type Wallet = WalletClient<Transport, Chain, Account>;
type Creation = { readonly abi: Abi; readonly bytecode: Hex; readonly args: readonly unknown[] };

/**
 * Deploys the whole suite. Sends six transactions with consecutive nonces: nothing else may send from this account meanwhile.
 * @throws Error when a creation fails, or a contract did not get the address that the others were told.
 */
export async function deploy(wallet: Wallet, chain: PublicClient, parameters: DeploymentParameters): Promise<Deployment> {
  const nonce = await chain.getTransactionCount({ address: wallet.account.address, blockTag: 'pending' });
  const at = (index: number): Address => getContractAddress({ from: wallet.account.address, nonce: BigInt(nonce + index) });
  const wordMachine = at(0);
  const dissectionGame = at(1);
  const modelImplementation = at(2);
  const modelRegistry = at(3);
  const inbox = at(4);
  const resultAssertions = at(5);
  const { callbackGasPrice, claimsDepth, defaultDeadline, gasPrice, ...assertionParameters } = parameters;

  const creations: readonly Creation[] = [
    { abi: wordMachineAbi, bytecode: wordMachineBytecode, args: [] },
    { abi: dissectionGameAbi, bytecode: dissectionGameBytecode, args: [wordMachine, gasPrice, claimsDepth] },
    { abi: modelContractAbi, bytecode: modelContractBytecode, args: [inbox, callbackGasPrice] },
    { abi: modelRegistryAbi, bytecode: modelRegistryBytecode, args: [modelImplementation] },
    { abi: inboxAbi, bytecode: inboxBytecode, args: [modelRegistry, resultAssertions, defaultDeadline] },
    {
      abi: resultAssertionsAbi, bytecode: resultAssertionsBytecode,
      args: [inbox, modelRegistry, dissectionGame, wordMachine, assertionParameters],
    },
  ];
  const hashes: Hex[] = [];
  for (const [index, creation] of creations.entries()) hashes.push(await create(wallet, creation, nonce + index));
  let block: bigint | undefined;
  for (const [index, hash] of hashes.entries()) {
    const created = await receiptOf(chain, hash);
    if (!isAddressEqual(created.address, at(index))) {
      throw new Error(`a contract was created at ${created.address}, not at ${at(index)}: another transaction of ${wallet.account.address} came between; deploy again`);
    }
    block ??= created.block;
  }
  return { wordMachine, dissectionGame, modelImplementation, modelRegistry, inbox, resultAssertions, block: block ?? 0n };
}

/** Deploys the example dApp for a language detector's model contract. @throws Error when the creation fails. */
export async function deployForum(wallet: Wallet, chain: PublicClient, model: Address, inbox: Address): Promise<Address> {
  const nonce = await chain.getTransactionCount({ address: wallet.account.address, blockTag: 'pending' });
  const hash = await create(wallet, { abi: forumAbi, bytecode: forumBytecode, args: [model, inbox] }, nonce);
  return (await receiptOf(chain, hash)).address;
}

/** Deploys the example dApp for a language model's contract. @throws Error when the creation fails. */
export async function deployStorybook(wallet: Wallet, chain: PublicClient, model: Address, inbox: Address): Promise<Address> {
  const nonce = await chain.getTransactionCount({ address: wallet.account.address, blockTag: 'pending' });
  const hash = await create(wallet, { abi: storybookAbi, bytecode: storybookBytecode, args: [model, inbox] }, nonce);
  return (await receiptOf(chain, hash)).address;
}

const create = (wallet: Wallet, creation: Creation, nonce: number): Promise<Hex> =>
  wallet.sendTransaction({ data: encodeDeployData(creation), nonce });

async function receiptOf(chain: PublicClient, hash: Hex): Promise<{ address: Address; block: bigint }> {
  const receipt = await chain.waitForTransactionReceipt({ hash });
  if (receipt.status !== 'success' || !receipt.contractAddress) {
    throw new Error(`creating a contract failed in transaction ${hash}: check the deployment's parameters`);
  }
  return { address: receipt.contractAddress, block: receipt.blockNumber };
}
