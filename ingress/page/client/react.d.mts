// The types of react.mjs.

import type { Activation, Activations, ProblemError, Wish } from "./activations.js";

/** Keep it in the component's state or in sessionStorage. Make the key with newIdempotencyKey. */
export type Asked = { wish: Wish; idempotencyKey: string } | { id: string };

export interface Following {
  /** Null until the first answer. */
  activation: Activation | null;
  /** Without an activation: it has ended here, and `retry` begins again. Beside one: it could not be
   *  cancelled, and is still followed. */
  problem: ProblemError | null;
  /** No answer comes at present; the client goes on asking. */
  isLost: boolean;
  /** Under the same key: what was accepted meanwhile is not done twice. */
  retry: () => void;
  /** Never rejects: what goes wrong becomes `problem`. */
  cancel: () => Promise<void>;
}

export function useActivation(client: Activations, asked: Asked | null): Following;
