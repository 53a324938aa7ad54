import { createWalletClient, http } from 'viem';
import type { Chain, HDAccount, Transport, WalletClient } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { DEVELOPMENT_MNEMONIC } from '../anvil.ts';

/** A wallet of one of a development chain's funded accounts. */
export type DevelopmentWallet = WalletClient<Transport, Chain, HDAccount>;

/** The wallets of a development chain, by the number of their account. */
export function developmentWallets(chain: Chain, url: string): (index: number) => DevelopmentWallet {
  const wallets = new Map<number, DevelopmentWallet>();
  return (index) => {
    const known = wallets.get(index) ?? createWalletClient({ account: mnemonicToAccount(DEVELOPMENT_MNEMONIC, { addressIndex: index }), chain, transport: http(url) });
    wallets.set(index, known);
    return known;
  };
}
