// The types of activations.js. The tests hold them against /openapi.json.

export type Status = "queued" | "processing" | "completed" | "cancelled";
export type Source = "gemini" | "fallback" | "safety";
export type FallbackReason =
  | "unavailable" | "quota" | "timeout" | "blocked" | "invalid_output" | "misconfigured"
  | "circuit_open" | "deadline" | "undeliverable" | "no_api_key";
export type ActivationType = "meditation" | "physical" | "social" | "ai_assessment" | "live_event";
export type CategoryId = "inner_child" | "manifest" | "shadows" | "brainsync" | "sleep";
export type LogType = "text" | "video" | "audio";

export interface Wish {
  /** 1 (worst) to 5 (best). */
  mood: number;
  /** 1 to 500 characters. */
  goal: string;
  /** BCP 47; default: Accept-Language, then Swedish. */
  language?: string | null;
  /** 10 to 300. */
  deadline_seconds?: number | null;
  profile?: Profile | null;
}

export interface Profile {
  focusArea?: string | null;
  personalityType?: { traits: string[] | null } | null;
  neuroTendencies?: { adhdScore?: Plain | null } | null;
  wellbeingFlags?: { suicideRisk?: Plain | null; depressionRisk?: Plain | null } | null;
}
export type Plain = boolean | number | string;

export interface Step {
  title: string;
  description: string;
  /** Minutes. */
  duration: number;
  activation_type: ActivationType;
  category_id: CategoryId;
  prompt: string;
  log_type: LogType;
  prerequisite: string;
  repetitions: number;
  questions: string[];
  ai_assessment: boolean;
  coach_approval_required: boolean;
  net_enabled: boolean;
  introduction_message: string;
  preparation_message: string;
}

/** As `/activations/{id}` shows it. */
export interface Activation {
  activation_id: string;
  status: Status;
  /** Nothing will change any more. */
  done: boolean;
  /** ISO 8601, as all times. */
  created_at: string;
  updated_at: string;
  /** By then it has its step. */
  deadline: string;
  attempt: number;
  attempts: Attempt[];
  /** Null until completed. */
  step: Step | null;
  source: Source | null;
  fallback_reason: FallbackReason | null;
  model: string | null;
  usage: Usage;
  links: { self: string; cancel: string };
}

export interface Attempt {
  at: string;
  model?: string | null;
  outcome: string;
  ms: number;
}

export interface Usage {
  gemini_calls: number;
  prompt_tokens: number;
  output_tokens: number;
  thought_tokens: number;
  cached_tokens: number;
  gemini_ms: number;
}

export interface ActivationPage {
  items: Activation[];
  /** For the next page; null at the end. */
  next_cursor: string | null;
}

/** The flat answer of `/user/activation` and `/gemini/getActivation`. */
export interface ActivationResponse extends Step {
  activation_id: string;
  source: Source;
}

export interface InvalidPart {
  /** JSON Pointer to the part: "/mood". */
  pointer: string;
  /** A sentence for the user. */
  detail: string;
}

/** The body of a problem (RFC 9457). */
export interface Problem {
  type?: string;
  title: string;
  status: number;
  detail: string;
  errors?: InvalidPart[] | null;
  activation_id?: string | null;
}

/** What the server refuses, or the network loses. */
export class ProblemError extends Error {
  constructor(
    status: number,
    problem?: Partial<Problem>,
    more?: { retryAfter?: number | null; cause?: unknown },
  );
  /** 0 when no answer came at all. */
  readonly status: number;
  /** A sentence for the user. */
  readonly detail: string;
  readonly errors: InvalidPart[];
  /** Seconds. */
  readonly retryAfter: number | null;
  readonly type: string;
  readonly title: string;
}

/** An id, or the activation itself. */
export type Which = string | Activation;
/** Null: no Authorization is sent. */
export type Token = (asked: { refresh: boolean }) => string | null | Promise<string | null>;
export interface Abortable {
  signal?: AbortSignal;
}
export interface Persistent extends Abortable {
  onConnection?: (state: "lost" | "back") => void;
}

export interface Options {
  /** A page of the API's own origin needs none. */
  baseUrl?: string;
  token?: Token | null;
  fetch?: typeof globalThis.fetch;
  /** Seconds, beyond those that the server was asked to wait. */
  timeout?: number;
  /** These three are for tests. */
  sleep?: (seconds: number, signal?: AbortSignal) => Promise<void>;
  random?: () => number;
  now?: () => number;
}

export class Activations {
  constructor(options?: Options);
  submit(
    wish: Wish,
    options?: Persistent & { idempotencyKey?: string; wait?: number },
  ): Promise<Activation>;
  waitUntilDone(
    which: Which,
    options?: Persistent & { onChange?: (activation: Activation) => void },
  ): Promise<Activation>;
  get(which: Which, options?: Abortable): Promise<Activation>;
  list(options?: Abortable & { limit?: number; cursor?: string | null }): Promise<ActivationPage>;
  /** The latest completed one; null where there is none. */
  latest(options?: Abortable): Promise<ActivationResponse | null>;
  cancel(which: Which, options?: Abortable): Promise<Activation>;
  erase(which: Which, options?: Abortable): Promise<void>;
  eraseAll(options?: Abortable): Promise<void>;
}

export function newIdempotencyKey(): string;
