import { readdirSync } from 'node:fs';
import type { Kernel } from '../../deterministic-runtime/language/kernel.ts';

const FOLDER = new URL('../../kernels/', import.meta.url);

/** Values that fields of a factory's form take; those that a factory does not know mean nothing to it. */
const ELEMENTS = ['i8', 'i32'] as const;
const ROUNDINGS = ['once', 'twice', 'float32'] as const;
const FORM = {
  what: 'sum', which: 'minimum', comparison: 'less', operator: 'xor', sign: 'divisor', count: 3, bits: 8, least: false, last: false, centred: true, subtract: false, powers: false,
  rowAxes: 2, columnAxes: 2, source: 'flat', bounded: true,
};
const OTHER_FORM = {
  what: 'max', which: 'maximum', comparison: 'equal', operator: 'and', sign: 'dividend', count: 2, bits: 16, least: true, last: true, centred: false, subtract: true, powers: true,
  rowAxes: 1, columnAxes: 2, source: 'aligned', bounded: false,
};

/** Arguments to try a factory with. */
function factoryArguments(): unknown[] {
  const forms = [FORM, OTHER_FORM].flatMap((form, other) => ELEMENTS.flatMap((input) => ELEMENTS.flatMap((output) => ROUNDINGS.map((rounding) => ({
    ...form, rounding, element: input, x: input, a: input, b: other === 0 ? input : output, from: input, to: output, output, condition: 'i8',
  })))));
  const products = ELEMENTS.flatMap((output) => [[1, 1], [2, 1], [2, 2]].map(([a, b]) => ({ ...FORM, a, b, output })));
  return [...ELEMENTS, ...ROUNDINGS, ...forms, ...products];
}

/** What every kernel has. */
function isKernel(value: unknown): value is Kernel {
  const candidate = value as Partial<Kernel> | null;
  return typeof value === 'object' && candidate !== null && typeof candidate.name === 'string' && Array.isArray(candidate.operands) && Array.isArray(candidate.parameters) && typeof candidate.element === 'object';
}

function kernelsIn(value: unknown, depth: number): Kernel[] {
  if (isKernel(value)) return [value];
  if (typeof value !== 'object' || value === null || depth === 0) return [];
  return Object.values(value).flatMap((inner) => kernelsIn(inner, depth - 1));
}

/** Kernels that a factory makes of arguments that it takes; a function that is no factory makes none. */
function made(factory: (argument: unknown) => unknown): Kernel[] {
  return factoryArguments().flatMap((argument) => {
    try {
      const result = factory(argument);
      return isKernel(result) && result.operands.every(({ type }) => type === 'i8' || type === 'i32') && (result.output === 'i8' || result.output === 'i32') ? [result] : [];
    } catch {
      return [];
    }
  });
}

/** Every kernel of kernels/, those that factories make in several forms, by file and name; each name once a file. */
export async function kernelCatalogue(): Promise<readonly { readonly file: string; readonly kernel: Kernel }[]> {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts')).sort();
  const found = await Promise.all(files.map(async (file) => {
    const exported = Object.values((await import(new URL(file, FOLDER).href)) as Record<string, unknown>);
    const kernels = exported.flatMap((value) => (typeof value === 'function' && value.length <= 1 ? made(value as (argument: unknown) => unknown) : kernelsIn(value, 3)));
    return [...new Map(kernels.map((kernel) => [kernel.name, { file, kernel }])).values()];
  }));
  return found.flat();
}
