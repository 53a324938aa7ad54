/** What test/evidence/drivers.ts runs under Deno: prints the adapter and the output roots as JSON. Arguments: numbers of lande's and of MNIST's inputs. */
import process from 'node:process';
import { createWebGpuExecutor } from '../../deterministic-runtime/webgpu/executor.ts';
import { outputRoots } from './output-roots.ts';

const { gpu } = (globalThis as unknown as { readonly navigator: { readonly gpu: GPU } }).navigator;
const executor = await createWebGpuExecutor({ gpu });
const roots = await outputRoots(executor, { lande: Number(process.argv[2]), mnist: Number(process.argv[3]) });
console.log(JSON.stringify({ adapter: executor.adapter, roots }));
await executor.dispose();
