import type { Address, Hex } from 'viem';
import type { ChainClient } from '../chain/client.ts';
import type { DevelopmentWallet } from '../chain/development-wallets.ts';
import type { PublishedModel } from '../devnet.ts';

/** Where a dApp of the demo lives. */
export interface DAppSite {
  readonly client: ChainClient;
  readonly address: Address;
  readonly model: PublishedModel;
}

/** Texts of the demo's scenes. */
export type SceneTexts = Readonly<Record<'honest' | 'lie' | 'attack', string>>;

/** A contract that calls a model, as the demo plays it. */
export interface DApp {
  /** In the timeline. */
  readonly name: string;
  readonly texts: SceneTexts;
  /** The challenge window of the demo's chain, in seconds: an attacker, too, has to run the model in it, several times. */
  readonly window: bigint;
  /** What is done before the first scene. */
  open(site: DAppSite, wallet: (member: Member) => DevelopmentWallet): Promise<void>;
  /** A user gives the contract a text, and it calls the model; gives the request's id. @throws UserError when the model cannot take the text */
  ask(site: DAppSite, user: DevelopmentWallet, text: string): Promise<Hex>;
  /** A delivered result, ABI encoded, for people. */
  readable(model: PublishedModel, result: Hex): string;
}

/** Accounts of the people in the demo. */
export const MEMBERS = { Ada: 5, Bert: 6 } as const;
export type Member = keyof typeof MEMBERS;
