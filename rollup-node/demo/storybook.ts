import { parseEventLogs } from 'viem';
import type { Hex } from 'viem';
import { storybookAbi } from '../../contracts/abi/generated.ts';
import { decodeModelResult, resultElements } from '../model-call.ts';
import { readableOutput, readModelInput, requestElements, resultWords } from '../model-values.ts';
import type { DApp } from './dapp.ts';

/** The storybook whose stories a language model continues: contracts/src/examples/Storybook.sol. */
export const STORYBOOK: DApp = {
  name: 'the storybook',
  window: 20n,
  texts: { honest: 'Once upon a time, there was a', lie: 'Once upon a time, a little', attack: 'One day, a' },
  open: async () => undefined,
  ask: async ({ client, address, model: { encoded: { model } } }, user, text) => {
    const elements = requestElements(model, readModelInput(model, new TextEncoder().encode(text)));
    const value = await client.readContract({ address, abi: storybookAbi, functionName: 'price' });
    const book = { address, abi: storybookAbi, value } as const;
    const hash = model.program.input.element === 'i8'
      ? await user.writeContract({ ...book, functionName: 'begin', args: [new TextDecoder().decode(elements)] })
      : await user.writeContract({ ...book, functionName: 'beginWithTokens', args: [[...new Int32Array(elements.slice().buffer)]] });
    const { logs } = await client.waitForTransactionReceipt({ hash });
    const [event] = parseEventLogs({ abi: storybookAbi, eventName: 'Begun', logs });
    if (event === undefined) throw new Error('the storybook began no story');
    return event.args.storyId;
  },
  readable: ({ encoded: { model } }, result: Hex) => {
    const { signature } = model.program;
    if (signature === 'complete(string)->(string)') return String(decodeModelResult(signature, result));
    return String(readableOutput(model, resultWords(model, resultElements(signature, result))));
  },
};
