import { parseEventLogs } from 'viem';
import { forumAbi } from '../../contracts/abi/generated.ts';
import { decodeModelResult } from '../model-call.ts';
import { readModelInput, requestElements } from '../model-values.ts';
import type { DApp } from './dapp.ts';

const LANGUAGES = { Ada: 'eng', Bert: 'deu' } as const;

/** The forum that admits posts in the languages its members read: contracts/src/examples/Forum.sol. */
export const FORUM: DApp = {
  name: 'the forum',
  window: 5n,
  texts: {
    honest: 'All human beings are born free and equal in dignity and rights.',
    lie: 'Alle Menschen sind frei und gleich an Würde und Rechten geboren.',
    attack: 'Tous les êtres humains naissent libres et égaux en dignité et en droits.',
  },
  open: async ({ client, address }, wallet) => {
    for (const member of ['Ada', 'Bert'] as const) {
      const hash = await wallet(member).writeContract({ address, abi: forumAbi, functionName: 'join', args: [LANGUAGES[member]] });
      await client.waitForTransactionReceipt({ hash });
    }
  },
  ask: async ({ client, address, model: { encoded: { model } } }, user, text) => {
    const price = await client.readContract({ address, abi: forumAbi, functionName: 'price' });
    const normalized = new TextDecoder().decode(requestElements(model, readModelInput(model, new TextEncoder().encode(text))));
    const hash = await user.writeContract({ address, abi: forumAbi, functionName: 'post', args: [normalized], value: price });
    const { logs } = await client.waitForTransactionReceipt({ hash });
    const [event] = parseEventLogs({ abi: forumAbi, eventName: 'Submitted', logs });
    if (event === undefined) throw new Error('the forum recorded no post');
    return event.args.postId;
  },
  readable: ({ encoded: { model: { program } } }, result) => String(decodeModelResult(program.signature, result)),
};
