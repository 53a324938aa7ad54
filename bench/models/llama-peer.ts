import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Contender } from './contest.ts';

/** What is said where node-llama-cpp is not at hand. */
export const HOW_TO_INSTALL = 'without node-llama-cpp as a peer: install it outside of the repo (`npm install --omit=optional node-llama-cpp@3.22.1 @node-llama-cpp/linux-x64@3.22.1 --ignore-scripts` in an empty folder) and name that folder in NODE_LLAMA_CPP';

interface Sequence {
  clearHistory(): Promise<void>;
  evaluate(tokens: readonly number[], options: { readonly temperature: number }): AsyncIterable<number>;
}
interface Context { getSequence(): Sequence; dispose(): Promise<void> }
interface LlamaModel { createContext(options: object): Promise<Context>; dispose(): Promise<void> }
interface Llama { loadModel(options: object): Promise<LlamaModel>; dispose(): Promise<void> }
interface Library { getLlama(options: object): Promise<Llama>; readonly LlamaLogLevel: { readonly error: unknown } }

/** What a peer generates: greedily, so many tokens behind a prompt. */
export interface Generation { readonly prompt: readonly number[]; readonly newTokens: number; readonly context: number }

/** A GGUF file in llama.cpp, through node-llama-cpp's own prebuilt library; null where NODE_LLAMA_CPP names no folder that holds it. Tokens count as in `generatedTokens`. */
export async function openLlamaPeer(path: string, threads: number, { prompt, newTokens, context: contextSize }: Generation): Promise<Contender | null> {
  const folder = process.env['NODE_LLAMA_CPP'];
  if (folder === undefined) return null;
  const entry = createRequire(join(folder, 'node_modules/')).resolve('node-llama-cpp');
  const { getLlama, LlamaLogLevel } = (await import(pathToFileURL(entry).href)) as Library;
  const llama = await getLlama({ gpu: false, build: 'never', logLevel: LlamaLogLevel.error, maxThreads: threads });
  const model = await llama.loadModel({ modelPath: path, gpuLayers: 0 });
  const context = await model.createContext({ contextSize, batchSize: contextSize, threads: { ideal: threads, min: threads } });
  const sequence = context.getSequence();
  return {
    name: `node-llama-cpp, ${threads === 1 ? 'one thread' : `${threads} threads`}`,
    async run() {
      await sequence.clearHistory();
      let generated = 0;
      for await (const token of sequence.evaluate(prompt, { temperature: 0 })) {
        if (Number.isInteger(token)) generated += 1;
        if (generated === newTokens) break;
      }
      if (generated !== newTokens) throw new Error(`llama.cpp stopped after ${generated} of ${newTokens} tokens`);
      return generated;
    },
    async dispose() {
      await context.dispose();
      await model.dispose();
      await llama.dispose();
    },
  };
}
