import type { EncodedModel } from '../../../deterministic-runtime/program/encoding.ts';
import { ImportError } from '../../../kernels/import/import-error.ts';
import { openLanguageModel } from '../../../kernels/import/language-model/open.ts';
import { evaluateLanguageModel } from '../../../kernels/language-model/evaluate.ts';
import { loadFloatTransformer } from '../../../kernels/language-model/float-transformer.ts';
import type { FloatTransformer } from '../../../kernels/language-model/float-transformer.ts';
import { loadStoryteller } from '../../../kernels/models/storyteller/format.ts';
import { byteTokenizer } from '../../../kernels/tokenizer/byte-tokenizer.ts';
import type { Tokenizer } from '../../../kernels/tokenizer/tokenizer.ts';
import { UserError } from '../../errors.ts';
import { executorByName } from '../../executors.ts';
import { takesTokens, tokenizerOf } from '../../language-model.ts';
import { openModelFiles } from '../../model-files/open.ts';
import { readStorytellerWeights } from '../../storyteller-files.ts';
import type { EvaluateFlags } from '../commands/evaluate.ts';
import { hex, printAnswer } from '../output.ts';
import { showStatus } from '../status.ts';
import { readTexts } from '../texts.ts';

interface FloatModel { readonly begin: () => FloatTransformer; readonly tokenizer: Tokenizer | undefined }

/** Runs a language model's program and its weights in floats on the same texts, and tells how they differ. @throws UserError */
export async function evaluateTexts(directory: string, { modelId, model }: EncodedModel, { against, dataset, labels, limit, executor: name, json }: EvaluateFlags): Promise<void> {
  if (labels !== undefined) throw new UserError('--labels mean nothing for a language model', { hint: 'the next token is a text\'s own' });
  const texts = (await readTexts(dataset)).slice(0, limit);
  showStatus(`reading ${against}`);
  const float = await readFloatModel(against);
  const tokenizer = takesTokens(model) ? (tokenizerOf(model) ?? float.tokenizer) : byteTokenizer();
  if (tokenizer === undefined) throw new UserError(`neither ${directory} nor ${against} has a tokenizer, so texts cannot be made tokens`, { hint: 'import the model from a folder that has its tokenizer' });
  const executor = await executorByName(name);
  try {
    const prepared = await executor.prepare(model);
    const evaluation = await evaluateLanguageModel(prepared, float.begin, tokensOf(texts, tokenizer));
    await prepared.dispose();
    const shown = json === true ? evaluation : { ...evaluation, agreement: `${(evaluation.agreement * 100).toFixed(2)}%` };
    await printAnswer({ modelId: hex(modelId), ...shown, executor: executor.name }, json === true);
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) throw new UserError(`${directory} cannot be compared with ${against}: ${error.message}`, { cause: error });
    throw error;
  } finally {
    await executor.dispose();
  }
}

function* tokensOf(texts: readonly string[], tokenizer: Tokenizer): Generator<readonly number[]> {
  for (const [index, text] of texts.entries()) {
    showStatus(`text ${index + 1} of ${texts.length}`);
    yield tokenizer.prompt(text);
  }
}

async function readFloatModel(source: string): Promise<FloatModel> {
  if (source === 'storyteller') return { begin: await loadFloatTransformer(loadStoryteller(await readStorytellerWeights())), tokenizer: undefined };
  try {
    const files = await openModelFiles(source);
    try {
      const { weights, tokenizer } = await openLanguageModel(files);
      return { begin: await loadFloatTransformer(weights), tokenizer: await tokenizer() };
    } finally {
      await files.close();
    }
  } catch (error) {
    if (!(error instanceof ImportError) && !(error instanceof RangeError)) throw error;
    throw new UserError(`cannot evaluate against ${source}: ${error.message}`, { cause: error });
  }
}
