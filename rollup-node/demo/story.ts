/** The demo's stories, in their order. */
export const STORIES = ['honest', 'lie', 'attack'] as const;
export type Story = (typeof STORIES)[number];
