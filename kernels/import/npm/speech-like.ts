import { random } from './random.ts';

/** First three formants of vowels in Hz (Peterson and Barney, "Control Methods Used in a Study of the Vowels", 1952, men's averages). */
const VOWELS = [[270, 2290, 3010], [530, 1840, 2480], [730, 1090, 2440], [570, 840, 2410], [300, 870, 2240]] as const;
/** Their bandwidths in Hz. */
const BANDWIDTHS = [60, 90, 150] as const;

/** A second-order resonance (Klatt, "Software for a cascade/parallel formant synthesizer", 1980, equations 1 and 2). */
function resonator(frequency: number, bandwidth: number, rate: number): (x: number) => number {
  const c = -Math.exp((-2 * Math.PI * bandwidth) / rate);
  const b = 2 * Math.exp((-Math.PI * bandwidth) / rate) * Math.cos((2 * Math.PI * frequency) / rate);
  let [before, earlier] = [0, 0];
  return (x) => {
    const y = (1 - b - c) * x + b * before + c * earlier;
    [earlier, before] = [before, y];
    return y;
  };
}

/**
 * Some seconds of sound that speech detectors take for speech in part: vowels, with a voice that falls, hisses between them, pauses, a noise behind all, at different
 * loudness. From −1 to 1; the same samples always.
 */
export function speechLike(rate: number): Float32Array {
  const next = random(7);
  const samples = new Float32Array(rate * 3);
  let at = Math.round(rate * 0.15);
  for (let syllable = 0; at < samples.length; syllable += 1) {
    const vowel = VOWELS[syllable % VOWELS.length] ?? VOWELS[0];
    const loudness = [0.9, 0.35, 0.6][syllable % 3] ?? 0.6;
    const hiss = Math.round(rate * 0.06);
    for (let index = 0; index < hiss; index += 1) samples[at + index] = loudness * 0.15 * (next() * 2 - 1);
    at += hiss;
    const voiced = syllableOf(vowel, Math.round(rate * (0.14 + next() * 0.1)), rate, 95 + next() * 60);
    voiced.forEach((value, index) => { samples[at + index] = value * loudness; });
    at += voiced.length + Math.round(rate * (syllable % 4 === 3 ? 0.3 : 0.03));
  }
  return samples.map((value) => Math.max(-1, Math.min(1, value + 0.004 * (next() * 2 - 1))));
}

/** A vowel with a peak of 1: pulses through its resonances, fading in and out. */
function syllableOf(vowel: readonly number[], length: number, rate: number, pitch: number): Float64Array {
  const filters = vowel.map((frequency, index) => resonator(frequency, BANDWIDTHS[index] ?? 100, rate));
  const smooth = resonator(0, 300, rate);
  let phase = 0;
  const sound = Float64Array.from({ length }, (_, index) => {
    phase += (pitch * (1.1 - (0.25 * index) / length)) / rate;
    const pulse = phase >= 1 ? 1 : 0;
    phase -= pulse;
    const envelope = Math.sin(Math.PI * (index / length)) ** 0.5;
    return envelope * filters.reduce((value, filter) => filter(value), smooth(pulse));
  });
  const peak = sound.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
  return sound.map((value) => value / peak);
}
