/** The demo's scenes, in their order. */
export const SCENES = ['honest', 'lie', 'attack'] as const;
export type Scene = (typeof SCENES)[number];
