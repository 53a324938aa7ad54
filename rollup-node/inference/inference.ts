import { bytesToHex, hexToBytes } from 'viem';
import type { Hex } from 'viem';
import { commitTensor } from '../../deterministic-runtime/commitment/tree.ts';
import type { Executor, PreparedModel } from '../../deterministic-runtime/executors/executor.ts';
import { createLiftedExecutor } from '../../deterministic-runtime/lift/executor.ts';
import { promptIterations } from '../../kernels/language-model/interface.ts';
import { runWithFault } from '../../fraud-proof/trace/fault.ts';
import type { Fault } from '../../fraud-proof/trace/fault.ts';
import type { TensorHasher } from '../../fraud-proof/trace/tensor-hasher.ts';
import { TraceCache } from '../../fraud-proof/trace/trace-cache.ts';
import { openTrace } from '../../fraud-proof/trace/trace.ts';
import type { Trace } from '../../fraud-proof/trace/trace.ts';
import { serialQueue } from '../chain/queue.ts';
import { ExitCode, UserError, reasonOf } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { Store } from '../store/store.ts';
import type { RequestRecord, ResultRecord } from '../store/tables.ts';
import { openHasher } from './hasher.ts';
import type { OpenedHasher } from './hasher.ts';
import type { HasherName } from './hasher-names.ts';
import { inputWords } from './models.ts';
import type { LocalModel, ModelLibrary } from './models.ts';
import { storedCommitments } from './stored-commitments.ts';
import { createTraces } from './traces.ts';

/** What a result is a function of. */
export type InferenceRequest = Pick<RequestRecord, 'requestId' | 'modelId' | 'input' | 'inputCommitment' | 'seed'>;

/** What an inference is run on. */
export interface Run {
  readonly model: LocalModel;
  readonly prepared: PreparedModel;
  /** Padded words. */
  readonly input: Uint8Array;
  readonly seed: Uint8Array;
}

/** For tests and demonstrations: where a liar tampers with a run; null leaves it honest. Must give the same place for the same run. */
export type FaultChooser = (run: Run) => Promise<Fault | null> | Fault | null;

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
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly chooseFault?: FaultChooser;
  /** Bytes that traces of disputed inferences keep together; `MOST_TRACE_BYTES` when absent. */
  readonly mostTraceBytes?: number;
  /** Bytes that all of them together spend on what they could compute again; `TRACE_CACHE_BYTES` when absent. */
  readonly traceCacheBytes?: number;
  /** How traces commit to tensors: `auto` when absent. */
  readonly hasher?: HasherName | TensorHasher;
  /** Stops what is being computed. */
  readonly signal?: AbortSignal;
}

/** Runs models for requests, one inference at a time, and remembers what came out. */
export interface Inference {
  readonly models: ModelLibrary;
  /**
   * The request's result. With `verified`, both executors have computed it.
   * @throws UnservableRequestError, or a UserError when the executors disagree.
   */
  result(request: InferenceRequest, options?: { readonly verified?: boolean }): Promise<ResultRecord>;
  /** For a dispute about the request: comes before other work, and is kept until `keepTraces` leaves it out or there is no room. */
  trace(request: InferenceRequest): Promise<Trace>;
  /** Lets go of the traces of all other requests, in memory and on disk. */
  keepTraces(requestIds: ReadonlySet<Hex>): Promise<void>;
  dispose(): Promise<void>;
}

export function createInference(options: InferenceOptions): Inference {
  const { models, store, metrics, log, chooseFault } = options;
  const inTurn = serialQueue();
  const stoppable = options.signal === undefined ? {} : { signal: options.signal };
  const prepared = new Map<string, Promise<PreparedModel>>();
  const traces = createTraces(options.mostTraceBytes);
  const cache = new TraceCache(options.traceCacheBytes);
  const commitments = storedCommitments(store);
  const hashing = hasherOf(options.hasher ?? 'auto', log);
  /** Keys of the inferences whose traces were asked for, by request: of the same inference there is one trace, and one set of commitments. */
  const traced = new Map<Hex, string>();
  const verified = new Set<string>();
  // A dispute is about every tensor inside a run, and only outputs are ever compared: it is played on what the chain replays.
  const replayed = createLiftedExecutor();

  const prepare = (executor: Executor, model: LocalModel): Promise<PreparedModel> => {
    const key = `${executor.name}!${model.modelId}`;
    const ready = prepared.get(key) ?? executor.prepare(model.encoded.model);
    prepared.set(key, ready);
    ready.catch(() => prepared.delete(key));
    return ready;
  };

  const understand = async (executor: Executor, request: InferenceRequest): Promise<Run> => {
    const model = models.get(request.modelId);
    if (model === undefined) throw new UnservableRequestError(`this node has no files of model ${request.modelId}`);
    const input = fitting(model, hexToBytes(request.input));
    const commitment = bytesToHex(commitTensor(input));
    if (commitment !== request.inputCommitment) throw new UnservableRequestError(`the input has commitment ${commitment}, the request says ${request.inputCommitment}`);
    return { model, prepared: await prepare(executor, model), input, seed: hexToBytes(request.seed) };
  };

  const run = async (executor: Executor, request: InferenceRequest): Promise<ResultRecord> => {
    const parts = await understand(executor, request);
    const { model, prepared: ready, input, seed } = parts;
    const fault = (await chooseFault?.(parts)) ?? null;
    const start = performance.now();
    const { output, iterations } = fault === null ? await ready.run(input, { seed, independentIterations: promptIterations(model.encoded.model, input), ...stoppable }) : await runWithFault(model.encoded, ready, { input, seed, ...stoppable }, fault);
    const milliseconds = performance.now() - start;
    metrics.inferenceSeconds.observe({ model: model.encoded.model.program.name, executor: executor.name }, milliseconds / 1_000);
    return { output, outputCommitment: bytesToHex(commitTensor(output)), iterations, executor: executor.name, milliseconds };
  };

  const compute = async (request: InferenceRequest, wantVerified: boolean): Promise<ResultRecord> => {
    const key = resultKey(request, chooseFault !== undefined);
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

  const keyOfTrace = (request: InferenceRequest): string => {
    const key = resultKey(request);
    traced.set(request.requestId, key);
    return key;
  };

  return {
    models,
    result: (request, { verified: wantVerified = false } = {}) => inTurn(() => compute(request, wantVerified)),
    trace: (request) => traces.of(keyOfTrace(request), () => inTurn(async () => {
      const parts = await understand(replayed, request).catch((error: unknown) => {
        // Too large for a WebAssembly memory.
        if (!(error instanceof RangeError)) throw error;
        return understand(options.executor, request);
      });
      log.debug({ request: request.requestId, model: parts.model.encoded.model.program.name }, 'running the inference again for a dispute');
      const open = { prepared: parts.prepared, input: parts.input, seed: parts.seed, cache, hasher: await hashing.hasher(), ...stoppable };
      const fault = await chooseFault?.(parts);
      if (fault) return openTrace({ ...open, fault });
      const key = resultKey(request);
      const known = await commitments.read(key);
      const trace = await openTrace({ ...open, ...(known === undefined ? {} : { commitments: known }) });
      if (known === undefined) {
        await commitments.write(key, trace.tensors.commitments).catch((error: unknown) => log.warn({ request: request.requestId, reason: reasonOf(error) }, "the slots' commitments could not be stored: after a restart they are computed again"));
      }
      return trace;
    }, { urgent: true })),
    keepTraces: async (requestIds) => {
      const over = [...traced].filter(([requestId]) => !requestIds.has(requestId));
      for (const [requestId] of over) traced.delete(requestId);
      const inUse = new Set(traced.values());
      traces.keepOnly(inUse);
      const unused = over.map(([, key]) => key).filter((key) => !inUse.has(key));
      if (unused.length > 0) await commitments.delete(unused);
    },
    dispose: async () => {
      await inTurn(async () => undefined);
      await hashing.dispose();
      for (const ready of prepared.values()) await ready.then((model) => model.dispose(), () => undefined);
    },
  };
}

/** Opens a hasher when the first dispute needs one: without disputes nothing is hashed. */
function hasherOf(choice: HasherName | TensorHasher, log: Logger): { hasher(): Promise<TensorHasher>; dispose(): Promise<void> } {
  let opened: Promise<OpenedHasher> | undefined;
  const open = async (): Promise<OpenedHasher> => {
    const found = typeof choice === 'string' ? await openHasher(choice) : { hasher: choice, dispose: () => {} };
    log.debug({ hasher: found.hasher.name }, 'commitments of tensors in disputes');
    return found;
  };
  return {
    hasher: async () => (await (opened ??= open())).hasher,
    dispose: async () => (await opened?.catch(() => undefined))?.dispose(),
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
