import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { importOnnx } from '../../kernels/import/onnx/import.ts';
import { findAnvil } from '../../rollup-node/anvil.ts';
import { writeBundleDirectory } from '../../rollup-node/bundle-files.ts';
import { answer, assay, refusal, temporaryFolder } from './assay.ts';
import { calibration, floats, INPUT, linearModel } from './models.ts';

const at = temporaryFolder();
const parameters = (...more: string[]): string[] => ['dispute', at('linear'), '--input', at('input.f32'), ...more];

beforeAll(async () => {
  await writeBundleDirectory(at('linear'), importOnnx(linearModel(), { calibration: new Float32Array(calibration().buffer), name: 'linear' }).model);
  writeFileSync(at('input.f32'), floats(...INPUT));
});

describe.concurrent('a dispute', () => {
  test('an asserter who lies loses, and the answer says where', async () => {
    const dispute = await answer(parameters('--seed', '3'));
    expect(dispute).toMatchObject({ winner: 'challenger', honest: 'challenger' });
    const { gas, steps, levels, transactions, seconds } = dispute as unknown as { gas: { total: number; perMove: number[]; step: number }; steps: number; levels: number; transactions: number; seconds: number };
    expect(gas.perMove.reduce((sum, one) => sum + one, 0) + gas.step).toBe(gas.total);
    expect(gas.perMove.length + 1).toBe(transactions);
    const most = Math.ceil(Math.log(steps) / Math.log(16));
    expect([most - 1, most]).toContain(levels);
    expect(seconds).toBeGreaterThan(0);
    expect(dispute.instruction).toMatchObject({ operator: expect.any(String), row: expect.any(Number), column: expect.any(Number), text: expect.stringMatching(/\w/) });
  });

  test('a challenger who lies at a named place loses over that place\'s word', async () => {
    const { stdout } = await assay(['inspect', at('linear'), '--json']);
    const last = (JSON.parse(stdout) as { operators: number }).operators - 1;
    const dispute = await answer(parameters('--fault', `${last}:0`, '--liar', 'challenger'));
    expect(dispute).toMatchObject({ winner: 'asserter', honest: 'asserter', instruction: { word: 0, row: 0, text: expect.stringMatching(/^store /) } });
  });

  test('people see the moves as they are made', async () => {
    const { code, stdout, stderr } = await assay(parameters());
    expect(code).toBe(0);
    expect(stderr.split('\n').filter((line) => / gas /.test(line)).map((line) => line.trim().split(/\s+/)[1]).slice(0, 3)).toEqual(['assert', 'challenge', 'answer']);
    expect(stdout).toMatch(/^winner +challenger$/m);
    expect(stdout).toMatch(/^gas\.total +[\d,]+$/m);
  });
});

describe.concurrent('a dispute that cannot be played', () => {
  test('no such operator', () => refusal(parameters('--fault', 'softmax:0'), 2, /the model has no operator softmax \(it has \d+: /));
  test('no such word', () => refusal(parameters('--fault', '0:4000000000'), 2, /has no word 4000000000 \(its words are 0 to \d+\)/));
  test('no anvil', () => refusal(parameters(), 3, /cannot run anvil at \/nowhere\/anvil.*ASSAY_ANVIL/, { environment: { ASSAY_ANVIL: '/nowhere/anvil' } }));
  test('something else than anvil', () => refusal(parameters(), 3, /anvil ended at its start/, { environment: { ASSAY_ANVIL: '/bin/true' } }));
});

describe.concurrent('an interrupted command leaves no chain behind', () => {
  test.each([['dispute', parameters], ['demo', () => ['demo', '--executor', 'wasm', '--scene', 'honest']], ['devnet', () => ['devnet', '--api-port', '0']]] as const)('%s', async (name, command) => {
    const pidFile = at(`${name}.pid`);
    writeFileSync(at(`${name}-anvil`), `#!/bin/sh\necho $$ > ${pidFile}\nexec ${await findAnvil()} "$@"\n`);
    chmodSync(at(`${name}-anvil`), 0o755);
    const ended = assay(command(), {
      environment: { ASSAY_ANVIL: at(`${name}-anvil`) },
      onStart: (child) => void whenWritten(pidFile).then(() => child.kill('SIGINT')),
    });
    const { code, stderr } = await ended;
    expect({ code, stderr: stderr.split('\n').filter((line) => line.startsWith('assay:')) }).toEqual({ code: name === 'devnet' ? 0 : 130, stderr: [] });
    expect(isRunning(Number(readFileSync(pidFile, 'utf8')))).toBe(false);
  });
});

async function whenWritten(path: string): Promise<void> {
  while (!existsSync(path) || readFileSync(path, 'utf8') === '') await pause(10);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
