import { float, text } from './attributes.ts';
import type { OnnxNode } from './graph.ts';

/** A function of each element, with the node's attributes in it. */
export type ElementFunction = (node: OnnxNode) => (x: number) => number;

/** The error function, by its series for small numbers and a continued fraction for others (Abramowitz and Stegun 7.1.6 and 7.1.14): to 1e-12. */
export function erf(x: number): number {
  const z = Math.abs(x);
  if (z > 6) return Math.sign(x);
  if (z < 2.5) {
    let [term, total] = [z, z];
    for (let n = 1; n < 80; n += 1) {
      term *= (2 * z * z) / (2 * n + 1);
      total += term;
    }
    return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * Math.exp(-z * z) * total;
  }
  let fraction = z;
  for (let n = 60; n >= 1; n -= 1) fraction = z + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-z * z) / (Math.sqrt(Math.PI) * fraction));
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const plain = (apply: (x: number) => number): ElementFunction => () => apply;
/** To the nearest whole number, halves to even ones. */
const roundEven = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

const gelu = (approximate: string) => (x: number): number =>
  approximate === 'tanh' ? 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))) : 0.5 * x * (1 + erf(x / Math.SQRT2));

/** ONNX operators that are a function of one element, by name; formulas and defaults from the operators' specification. */
export const ELEMENT_FUNCTIONS: Readonly<Record<string, ElementFunction>> = {
  Abs: plain(Math.abs),
  Acos: plain(Math.acos),
  Acosh: plain(Math.acosh),
  Asin: plain(Math.asin),
  Asinh: plain(Math.asinh),
  Atan: plain(Math.atan),
  Atanh: plain(Math.atanh),
  Ceil: plain(Math.ceil),
  Celu: (node) => {
    const alpha = float(node, 'alpha', 1);
    return (x) => Math.max(0, x) + Math.min(0, alpha * Math.expm1(x / alpha));
  },
  Cos: plain(Math.cos),
  Cosh: plain(Math.cosh),
  Elu: (node) => {
    const alpha = float(node, 'alpha', 1);
    return (x) => (x < 0 ? alpha * Math.expm1(x) : x);
  },
  Erf: plain(erf),
  Exp: plain(Math.exp),
  Floor: plain(Math.floor),
  Gelu: (node) => gelu(text(node, 'approximate', 'none')),
  HardSigmoid: (node) => {
    const [alpha, beta] = [float(node, 'alpha', 0.2), float(node, 'beta', 0.5)];
    return (x) => Math.min(1, Math.max(0, alpha * x + beta));
  },
  HardSwish: plain((x) => x * Math.min(1, Math.max(0, x / 6 + 0.5))),
  LeakyRelu: (node) => {
    const alpha = float(node, 'alpha', 0.01);
    return (x) => (x < 0 ? alpha * x : x);
  },
  Log: plain((x) => Math.log(Math.max(x, 0))),
  Mish: plain((x) => x * Math.tanh(softplus(x))),
  Neg: plain((x) => -x),
  Not: plain((x) => (x === 0 ? 1 : 0)),
  Reciprocal: plain((x) => 1 / x),
  Round: plain(roundEven),
  Selu: (node) => {
    const [alpha, gamma] = [float(node, 'alpha', 1.6732632423543772), float(node, 'gamma', 1.0507009873554805)];
    return (x) => gamma * (x < 0 ? alpha * Math.expm1(x) : x);
  },
  Shrink: (node) => {
    const [bias, lambda] = [float(node, 'bias', 0), float(node, 'lambd', 0.5)];
    return (x) => (x < -lambda ? x + bias : x > lambda ? x - bias : 0);
  },
  Sigmoid: plain(sigmoid),
  Sign: plain(Math.sign),
  Sin: plain(Math.sin),
  Sinh: plain(Math.sinh),
  Softplus: plain(softplus),
  Softsign: plain((x) => x / (1 + Math.abs(x))),
  Sqrt: plain((x) => Math.sqrt(Math.max(x, 0))),
  Swish: (node) => {
    const alpha = float(node, 'alpha', 1);
    return (x) => x * sigmoid(alpha * x);
  },
  Tan: plain(Math.tan),
  Tanh: plain(Math.tanh),
  ThresholdedRelu: (node) => {
    const alpha = float(node, 'alpha', 1);
    return (x) => (x > alpha ? x : 0);
  },
};

/** Those whose results are whole numbers wherever their inputs are. */
export const WHOLE_FUNCTIONS: ReadonlySet<string> = new Set(['Abs', 'Ceil', 'Floor', 'Neg', 'Not', 'Round', 'Sign']);
