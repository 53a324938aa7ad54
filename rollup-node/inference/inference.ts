import { bytesToHex, hexToBytes, isHex } from 'viem';
import type { Hex } from 'viem';
import { commitTensor } from '../../deterministic-runtime/commitment/tree.ts';
import type { Executor, PreparedModel, TensorOverride } from '../../deterministic-runtime/executors/executor.ts';
import type { StateSource } from '../../fraud-proof/dispute/player.ts';
import { serialQueue } from '../chain/queue.ts';
import { ExitCode, UserError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { Store } from '../store/store.ts';
import type { RequestRecord, ResultRecord } from '../store/tables.ts';
import { inputWords } from './models.ts';
import type { LocalModel, ModelLibrary } from './models.ts';

/** What a result is a function of. */
export type InferenceRequest = Pick<RequestRecord, 'requestId' | 'modelId' | 'input' | 'inputCommitment' | 'seed'>;

/** A lie, for tests and demonstrations: what a request's run is tampered with; undefined leaves it honest. */
export type Fault = (model: LocalModel, input: Uint8Array, seed: Uint8Array) => Promise<TensorOverride | undefined> | TensorOverride | undefined;

/** Makes a dispute's view of a run: the states after any steps, and proofs. */
export type SourceFactory = (run: { readonly model: LocalModel; readonly prepared: PreparedModel; readonly input: Uint8Array; readonly seed: Uint8Array; readonly override?: TensorOverride }) => Promise<StateSource>;

/** Thrown for a request that this node cannot answer, now or later: an unknown model, an input that does not fit it. */
export class UnservableRequestError extends Error {
  override readonly name = 'UnservableRequestError';
}

export interface InferenceOptions {
  readonly models: ModelLibrary;
  readonly executor: Executor;
  /** Must give the same bits before a bond stands on a result. */
  readonly verifyWith?: Executor;
  readonly store: Store;
  readonly sourceOf: SourceFactory;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly fault?: Fault;
}

/** Runs models for requests, one inference at a time, and remembers what came out. */
export interface Inference {
  readonly models: ModelLibrary;
  /**
   * The request's result. With `verified`, both executors have computed it.
   * @throws UnservableRequestError, or a UserError when the executors disagree.
   */
  result(request: InferenceRequest, options?: { readonly verified?: boolean }): Promise<ResultRecord>;
  /** For a dispute about the request; kept until `forget`. */
  source(request: InferenceRequest): Promise<StateSource>;
  forget(requestId: Hex): void;
  dispose(): Promise<void>;
}

export function createInference(options: InferenceOptions): Inference {
  const { models, store, metrics, log, fault } = options;
  const inTurn = serialQueue();
  const prepared = new Map<string, Promise<PreparedModel>>();
  const sources = new Map<Hex, Promise<StateSource>>();
  const verified = new Set<string>();

  const prepare = (executor: Executor, model: LocalModel): Promise<PreparedModel> => {
    const key = `${executor.name}!${model.modelId}`;
    const ready = prepared.get(key) ?? executor.prepare(model.encoded.model);
    prepared.set(key, ready);
    ready.catch(() => prepared.delete(key));
    return ready;
  };

  const understand = async (request: InferenceRequest) => {
    const model = models.get(request.modelId);
    if (model === undefined) throw new UnservableRequestError(`this node has no files of model ${request.modelId}`);
    if (!isHex(request.input, { strict: true })) throw new UnservableRequestError('the input is not hex');
    const input = fitting(model, hexToBytes(request.input));
    const commitment = bytesToHex(commitTensor(input));
    if (commitment !== request.inputCommitment) throw new UnservableRequestError(`the input has commitment ${commitment}, the request says ${request.inputCommitment}`);
    const seed = hexToBytes(request.seed);
    const override = await fault?.(model, input, seed);
    return { model, input, seed, ...(override === undefined ? {} : { override }) };
  };

  const run = async (executor: Executor, request: InferenceRequest): Promise<ResultRecord> => {
    const { model, input, seed, override } = await understand(request);
    const ready = await prepare(executor, model);
    const start = performance.now();
    const { output, iterations } = await ready.run(input, { seed, ...(override === undefined ? {} : { override }) });
    const milliseconds = performance.now() - start;
    metrics.inferenceSeconds.observe({ model: model.encoded.model.program.name, executor: executor.name }, milliseconds / 1_000);
    return { output, outputCommitment: bytesToHex(commitTensor(output)), iterations, executor: executor.name, milliseconds };
  };

  const compute = async (request: InferenceRequest, wantVerified: boolean): Promise<ResultRecord> => {
    const key = resultKey(request, fault !== undefined);
    const known = await store.get('results', key);
    const result = known ?? (await run(options.executor, request));
    if (wantVerified && options.verifyWith !== undefined && !verified.has(key)) {
      const second = await run(options.verifyWith, request);
      if (second.outputCommitment !== result.outputCommitment) {
        throw new UserError(`executors ${result.executor} and ${second.executor} disagree about request ${request.requestId}: ${result.outputCommitment} and ${second.outputCommitment}`, {
          exitCode: ExitCode.integrity,
          hint: 'no bond is put on it; check the graphics driver, or use another executor',
        });
      }
      verified.add(key);
    }
    if (known === undefined) await store.write([{ table: 'results', key, value: result }]);
    return result;
  };

  return {
    models,
    result: (request, { verified: wantVerified = false } = {}) => inTurn(() => compute(request, wantVerified)),
    source: (request) => {
      const existing = sources.get(request.requestId);
      if (existing !== undefined) return existing;
      const made = inTurn(async () => {
        const parts = await understand(request);
        log.debug({ request: request.requestId, model: parts.model.encoded.model.program.name }, 'running the inference again for a dispute');
        return options.sourceOf({ ...parts, prepared: await prepare(options.executor, parts.model) });
      });
      sources.set(request.requestId, made);
      made.catch(() => sources.delete(request.requestId));
      return made;
    },
    forget: (requestId) => void sources.delete(requestId),
    dispose: async () => {
      await inTurn(async () => undefined);
      for (const ready of prepared.values()) await ready.then((model) => model.dispose(), () => undefined);
    },
  };
}

/** Key of a result: it depends on nothing else. Lies are kept apart from the truth. */
export const resultKey = (request: Pick<InferenceRequest, 'modelId' | 'inputCommitment' | 'seed'>, faulty = false): string =>
  [request.modelId, request.inputCommitment, request.seed, ...(faulty ? ['faulty'] : [])].join('!');

function fitting(model: LocalModel, input: Uint8Array): Uint8Array {
  try {
    return inputWords(model.encoded.model.program.input, input);
  } catch (error) {
    throw new UnservableRequestError((error as Error).message);
  }
}
