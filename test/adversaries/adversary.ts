import type { Hex } from 'viem';
import type { Action, Carrier, Role } from '../../fraud-proof/dispute/player.ts';
import type { Computation, Inference } from './inference.ts';
import type { GameOnStage, Scene, Sent } from './scene.ts';
import type { Transaction } from './stage.ts';

/** An attacker's turn in a game. */
export interface Turn {
  readonly scene: Scene;
  readonly game: GameOnStage;
  readonly role: Role;
  /** What the attacker defends. */
  readonly lie: Computation;
  /** What it would do if it simply defended that; null where it has no segment to dispute. */
  usual(): Promise<Action | null>;
  /** Sends an action as the party to move. Gives whether it was accepted. */
  play(action: Action): Promise<boolean>;
  /** `usual`, and sends it. */
  playUsual(): Promise<boolean>;
}

/** A bad idea to play by. What is absent is done as an honest party with a wrong computation would do it. */
export interface Adversary {
  readonly name: string;
  /** The roles that it can take. */
  readonly roles: readonly Role[];
  /** Needs transactions with blobs. */
  readonly blobs?: boolean;
  /** A smaller number of its games has to be enough, for each takes long. */
  readonly costly?: boolean;
  /** What the attacker's account does when it is paid or called. */
  readonly code?: Hex;
  /** How the attacker's claims travel, and the honest party's. */
  readonly carrier?: Carrier;
  readonly honestCarrier?: Carrier;
  /** False for one that has no place in this inference, as the halted tail in a run without one. */
  fits?(inference: Inference): boolean;
  /** What it says that it computed; a random lie when absent. */
  lie?(scene: Scene): Promise<Computation> | Computation;
  /** Opens what there is to play, instead of one assertion and one challenge. */
  begin?(scene: Scene, lie: Computation): Promise<void>;
  /** What it does when it is to move; when it sends nothing that counts, it stays silent until its clock has run out. */
  turn?(turn: Turn): Promise<void>;
  /** Sees the honest party's transaction before it is in a block. */
  pending?(scene: Scene, transaction: Transaction, game: GameOnStage | null): Promise<void>;
  /** Once after each of the honest party's transactions. */
  landed?(scene: Scene, sent: Sent): Promise<void>;
  /** When all games are over, before anybody has settled them. */
  after?(scene: Scene): Promise<void>;
}
